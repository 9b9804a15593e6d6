/**
 * Token counts of one call, in one vocabulary for every provider.
 *
 * `inputTokens` includes cache reads and cache writes; `outputTokens` includes reasoning. A count the wire
 * did not state is `null`, never 0.
 */
export interface Usage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly totalTokens: number | null;
}

/** The usage of a call about which the wire said nothing. */
export const unknownUsage: Usage = Object.freeze({
  inputTokens: null,
  outputTokens: null,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  reasoningTokens: null,
  totalTokens: null,
});
