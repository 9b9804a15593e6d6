import type { Summary } from './ledger.js';

/** The calls of one item of a data set. */
export interface DataGroup {
  /** `null`: calls that were given none. */
  readonly dataId: string | null;
  readonly calls: number;
  readonly errors: number;
  /** Milliseconds, the sum over its calls. */
  readonly latencyMs: number;
}

/** What a tracker's calls add up to, by model and by item of the data set. */
export interface TrackerSummary extends Summary {
  /** In order of their first call, the calls without a `dataId` last. */
  readonly groups: readonly DataGroup[];
  /** Milliseconds, the sum over all calls. */
  readonly latencyMs: number;
}
