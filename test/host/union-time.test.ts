import fc from 'fast-check';
import { expect, it } from 'vitest';
import { UnionTime } from '../../src/host/union-time.js';

it('counts time once in which several calls were under way, whatever their order', () => {
  const interval = fc.tuple(fc.nat(300), fc.nat(50)).map(([start, length]) => [start, start + length] as const);
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 40 }), (intervals) => {
      const time = new UnionTime();
      for (const [start, end] of intervals) time.add(start, end);
      const covered = new Set(
        intervals.flatMap(([start, end]) => Array.from({ length: end - start }, (_, at) => start + at)),
      );
      expect(time.totalMs).toBe(covered.size);
    }),
  );
});

it('holds a bounded memory of pauses, and still the sum', () => {
  const time = new UnionTime();
  for (let at = 0; at < 50_000; at += 1) time.add(at * 10, at * 10 + 3);
  expect(time.totalMs).toBe(150_000);
  time.add(0, 5);
  expect(time.totalMs).toBe(150_000);
});

it('takes no time that is none', () => {
  const time = new UnionTime();
  time.add(5, 4);
  time.add(Number.NaN, 3);
  expect(time.totalMs).toBe(0);
});
