import { describe, expect, it } from 'vitest';
import { GatheredPieces } from '../../src/call/gathered-pieces.js';
import { writePieces } from '../../src/core/pieces.js';

function open() {
  const blocks: string[] = [];
  const pieces: [text: string, atMs: number][] = [];
  const gathered = new GatheredPieces((block, each) => {
    blocks.push(block.toString());
    writePieces((piece, atMs) => pieces.push([piece.toString(), atMs]), block, { pieces: each });
  });
  return { gathered, blocks, pieces };
}

describe('GatheredPieces', () => {
  it('gives nothing before it is asked to, then all at once and piece by piece with their times', () => {
    const { gathered, blocks, pieces } = open();
    gathered.add(Buffer.from('ab'), 1.5);
    gathered.add(Buffer.from('c'), 2.25);
    expect([blocks, pieces]).toEqual([[], []]);
    gathered.flush();
    gathered.flush();
    expect(blocks).toEqual(['abc']);
    expect(pieces).toEqual([
      ['ab', 1.5],
      ['c', 2.25],
    ]);
  });

  it('keeps bytes that are changed after they were given, as a socket does with its memory', () => {
    const { gathered, blocks } = open();
    const memory = Buffer.from('one');
    gathered.add(memory, 1);
    memory.write('two');
    gathered.flush();
    expect(blocks).toEqual(['one']);
  });

  it('keeps 64 KiB and 1024 pieces at most, and gives every byte once, in its order', () => {
    for (const size of [1, 20, 100, 1000, 4096, 4097, 65_536, 100_000]) {
      const { gathered, blocks, pieces } = open();
      const given = Array.from({ length: size > 1000 ? 50 : 2300 }, (_, i) => Buffer.alloc(size, `${i} `));
      let read = 0;
      let seen = 0;
      for (const [i, piece] of given.entries()) {
        gathered.add(piece, i);
        for (; seen < blocks.length; seen++) read += blocks[seen]?.length ?? 0;
        const waiting = (i + 1) * size - read;
        expect(waiting).toBeLessThanOrEqual(Math.min(65_536, 1024 * size));
      }
      gathered.flush();
      expect(pieces.map(([, atMs]) => atMs)).toEqual(given.map((_, i) => i));
      expect(pieces.every(([text], i) => text === given[i]?.toString())).toBe(true);
      expect(blocks.join('')).toBe(Buffer.concat(given).toString());
    }
  });
});
