import type { Usage } from './usage.js';

/** Token counts of several calls added up. A sum is over the calls that state the count; `null` when none does. */
export interface UsageSum extends Usage {
  readonly calls: number;
  /** Calls whose input or output is unknown, and so not in the sums. */
  readonly unknownCalls: number;
  /** US dollars, over the calls that have a price; `null` when none has. */
  readonly costUsd: number | null;
  /** Calls without a price, and so not in `costUsd`. */
  readonly unpricedCalls: number;
}
