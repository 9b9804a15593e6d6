/** Token counts of several calls added up. A sum is over the calls that state the count; `null` when none does. */
export interface UsageSum {
  readonly calls: number;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly totalTokens: number | null;
  /** Calls whose input or output is unknown, and so not in the sums. */
  readonly unknownCalls: number;
}
