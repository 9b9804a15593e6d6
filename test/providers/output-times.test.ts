import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputWatch } from '../../src/providers/output-times.js';

function watch(gaps: readonly number[]) {
  const output = new OutputWatch();
  let atMs = 1000;
  output.note(atMs);
  for (const gap of gaps) {
    atMs += gap;
    output.note(atMs);
  }
  return output.summarise();
}

function findNearestRank(gaps: readonly number[], share: number): number {
  return [...gaps].sort((a, b) => a - b)[Math.ceil(share * gaps.length) - 1] ?? Number.NaN;
}

describe('the times of output', () => {
  it('are none without output, and have no gap with one piece', () => {
    expect(new OutputWatch().summarise()).toBeNull();
    const one = { pieces: 1, firstAtMs: 1000, lastAtMs: 1000, gapP50Ms: null, gapP95Ms: null, longestGapMs: null };
    expect(watch([])).toMatchObject({ ...one, stalls: 0 });
  });

  it('have a gap of 0 for pieces that came together, and count what is longer than two seconds as stalls', () => {
    expect(watch([0, 0, 0, 2000, 2001, 90_000])).toMatchObject({
      pieces: 7,
      gapP50Ms: 0,
      longestGapMs: 90_000,
      stalls: 2,
      stallMs: 2000,
    });
  });

  it('are within 2.5 % of the exact quantiles, whatever the gaps', () => {
    const gap = fc.double({ min: 0.002, max: 3_600_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(gap, { minLength: 1, maxLength: 200 }), (gaps) => {
        const times = watch(gaps);
        // Times are sums, so a gap is known as far as the sum's digits reach.
        for (const [found, share] of [[times?.gapP50Ms, 0.5] as const, [times?.gapP95Ms, 0.95] as const]) {
          const exact = findNearestRank(gaps, share);
          expect(Math.abs((found ?? Number.NaN) / exact - 1)).toBeLessThan(0.026);
        }
      }),
    );
  });
});
