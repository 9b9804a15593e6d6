import { expect, it } from 'vitest';
import { makeStreamTiming } from '../../src/call/stream-timing.js';
import { unknownUsage } from '../../src/core/usage.js';

const times = {
  ...{ pieces: 5, firstAtMs: 100, lastAtMs: 2100, gapP50Ms: 499.99961, gapP95Ms: 600, longestGapMs: 601 },
  ...{ stalls: 0, stallMs: 2000 },
};

it('tells tokens a second where all of them passed between the first piece and the last', () => {
  const timing = makeStreamTiming(times, { ...unknownUsage, outputTokens: 50 });
  expect(timing).toEqual({
    ...{ pieces: 5, gapP50Ms: 500, gapP95Ms: 600, longestGapMs: 601, stalls: 0, stallMs: 2000 },
    outputTokensPerSecond: 25,
  });
});

it('tells none where they are not known, thinking is among them, or all came at once', () => {
  const none = { outputTokensPerSecond: null };
  expect(makeStreamTiming(times, unknownUsage)).toMatchObject(none);
  expect(makeStreamTiming(times, { ...unknownUsage, outputTokens: 50, reasoningTokens: 1 })).toMatchObject(none);
  expect(makeStreamTiming({ ...times, lastAtMs: 100 }, { ...unknownUsage, outputTokens: 5 })).toMatchObject(none);
  expect(makeStreamTiming(null, unknownUsage)).toBeNull();
});
