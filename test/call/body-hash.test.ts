import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyHash, BothHashes, type HashSide } from '../../src/call/body-hash.js';

const sha256 = (pieces: readonly Buffer[]): string | null => {
  const all = Buffer.concat(pieces);
  return all.length === 0 ? null : createHash('sha256').update(all).digest('hex');
};
const piece = fc
  .tuple(fc.oneof(fc.nat(300), fc.constantFrom(0, 8191, 8192, 8193, 20_000)), fc.nat(255))
  .map(([length, byte]) => Buffer.alloc(length, byte));

describe('the hash of a body', () => {
  it('is that of all its bytes, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
        const hash = new BodyHash();
        for (const bytes of pieces) hash.update(bytes);
        expect(hash.digest()).toBe(sha256(pieces));
      }),
    );
  });

  it('does not depend on what becomes of the pieces that passed', () => {
    const hash = new BodyHash();
    const pieces = Array.from({ length: 3 }, (_, i) => Buffer.alloc(100, i));
    for (const bytes of pieces) hash.update(bytes);
    const expected = sha256(pieces);
    for (const bytes of pieces) bytes.fill(9);
    expect(hash.digest()).toBe(expected);
  });

  it('leaves out what passes after it was taken', () => {
    const hash = new BodyHash();
    hash.update(Buffer.from('a'));
    expect(hash.digest()).toBe(sha256([Buffer.from('a')]));
    expect(() => hash.update(Buffer.from('b'))).not.toThrow();
  });
});

describe('the hashes of both sides of a body', () => {
  it('are those of what each side was told of, the same buffers or others, in whatever order', () => {
    const step = fc.tuple(piece, fc.constantFrom('both', 'given first', 'taken', 'given', 'copied', 'sent anew'));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const hashes = new BothHashes();
        const passed: Record<HashSide, Buffer[]> = { taken: [], given: [] };
        const pass = (side: HashSide, bytes: Buffer): void => {
          hashes.update(side, bytes);
          passed[side].push(bytes);
        };
        for (const [bytes, how] of steps) {
          if (how === 'sent anew') {
            hashes.reset('given');
            passed.given = [];
          }
          if (how === 'given first') pass('given', bytes);
          if (how !== 'given') pass('taken', bytes);
          if (how === 'both' || how === 'given') pass('given', bytes);
          if (how === 'copied') pass('given', Buffer.from(bytes));
        }
        expect(hashes.digest()).toEqual({ taken: sha256(passed.taken), given: sha256(passed.given) });
      }),
      { numRuns: 300 },
    );
  });

  it('differ where the last piece never was given away', () => {
    const hashes = new BothHashes();
    const [first, last] = [Buffer.from('first'), Buffer.from('last')];
    hashes.update('given', first);
    hashes.update('taken', first);
    hashes.update('taken', last);
    expect(hashes.digest()).toEqual({ taken: sha256([first, last]), given: sha256([first]) });
  });
});

describe('the hashes of both sides, once they are told', () => {
  it.each([
    ['one piece', 1],
    ['many pieces', 20],
  ])('take no notice of what comes later (%s)', (_, count) => {
    const hashes = new BothHashes();
    const pieces = Array.from({ length: count }, (_each, at) => Buffer.alloc(5000, at));
    for (const bytes of pieces) for (const side of ['taken', 'given'] as const) hashes.update(side, bytes);
    const expected = sha256(pieces);
    expect(hashes.digest()).toEqual({ taken: expected, given: expected });
    expect(() => {
      hashes.update('taken', Buffer.from('the rest of an upload'));
      hashes.update('taken', Buffer.from('and more'));
      hashes.update('given', Buffer.from('and more'));
      hashes.reset('given');
    }).not.toThrow();
  });
});
