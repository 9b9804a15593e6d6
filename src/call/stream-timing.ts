import type { StreamTiming } from '../core/timing.js';
import type { Usage } from '../core/usage.js';
import type { OutputTimes } from '../core/wire.js';

/**
 * The pace of a stream. Tokens by the second are told only where all output tokens passed between the first piece and the
 * last: thinking that is counted may never have been sent, so not where there is any.
 */
export function makeStreamTiming(times: OutputTimes | null, usage: Usage): StreamTiming | null {
  if (times === null) return null;
  const { firstAtMs, lastAtMs, pieces, stalls, stallMs } = times;
  const { outputTokens, reasoningTokens } = usage;
  const seconds = (lastAtMs - firstAtMs) / 1000;
  const isKnown = outputTokens !== null && (reasoningTokens ?? 0) === 0 && seconds > 0;
  return Object.freeze({
    pieces,
    gapP50Ms: round(times.gapP50Ms),
    gapP95Ms: round(times.gapP95Ms),
    longestGapMs: round(times.longestGapMs),
    stalls,
    stallMs,
    outputTokensPerSecond: isKnown ? round(outputTokens / seconds) : null,
  });
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}
