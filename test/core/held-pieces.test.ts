import { expect, it } from 'vitest';
import { HeldPieces } from '../../src/core/held-pieces.js';

it('gives what it held once, in order, and holds a million pieces as some thousand', () => {
  const held = new HeldPieces();
  const given = Buffer.alloc(100_000, 'abc');
  for (let i = 0; i < given.length; i++) held.add(given.subarray(i, i + 1));
  const taken = held.take();
  expect(taken.length).toBeLessThan(given.length / 1024 + 1024);
  expect(Buffer.concat(taken).equals(given)).toBe(true);
  expect(held.take()).toEqual([]);
});
