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

  it('keeps 16 KiB and 128 pieces at most, and gives every byte once, in its order', () => {
    for (const size of [1, 100, 1000, 8192, 8193, 16_384, 16_385, 100_000]) {
      const { gathered, blocks, pieces } = open();
      const given = Array.from({ length: 300 }, (_, i) => Buffer.alloc(size, `${i} `));
      for (const [i, piece] of given.entries()) {
        gathered.add(piece, i);
        const waiting = (i + 1) * size - blocks.join('').length;
        expect(waiting).toBeLessThanOrEqual(Math.min(16_384, 128 * size));
      }
      gathered.flush();
      expect(pieces).toEqual(given.map((piece, i) => [piece.toString(), i]));
      expect(blocks.join('')).toBe(Buffer.concat(given).toString());
    }
  });
});
