import type { CallRecord } from './call-record.js';
import type { CallFilter, RunRow } from './ledger.js';
import type { TrackerSummary } from './tracker-summary.js';
import type { UsageSum } from './usage-sum.js';

/**
 * What one tracker's sessions left in a ledger. Synchronous; methods throw the `STORE_` codes, `STORE_LOCKED` at once: who
 * asks may ask again.
 */
export interface TrackerQueries {
  /** Oldest first; lazily. Bodies only when asked for. */
  listCalls(filter: CallFilter, options?: { readonly limit?: number; readonly bodies?: boolean }): Iterable<CallRecord>;
  /** By model, `(unknown)` where neither request nor reply names one. Frozen, without a prototype. */
  usage(filter: CallFilter): Readonly<Record<string, UsageSum>>;
  /** Milliseconds, over the calls answered from a cache; 0 when there are none. */
  cachedLatencyMs(filter: CallFilter): number;
  summarise(filter: CallFilter): TrackerSummary;
  /** Newest first. */
  listRuns(): readonly RunRow[];
  /**
   * Deletes the calls there are, bodies included, a batch each time it is iterated; gives how many each time, 0 where
   * another process holds the file: iterate again a little later. Throws `STORE_LOCKED` then only if `isEnough` says so,
   * as it does when absent.
   */
  clear(isEnough?: () => boolean): Iterable<number>;
  close(): void;
}
