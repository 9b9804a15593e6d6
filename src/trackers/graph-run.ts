import type { TokenCounts } from './run-metrics.js';

/** What every event of a graph's run carries, in the order it is sent. */
export interface GraphTrackData {
  readonly runId: string;
  readonly graphKey: string;
  readonly version: number;
  /** Absent when the variation has none. */
  readonly variationKey?: string;
}

/** What a graph's run came to, as far as it was recorded. */
export interface GraphRunSummary {
  readonly success?: boolean;
  readonly durationMs?: number;
  readonly tokens?: TokenCounts;
  /** Keys of the nodes in the order they were entered. */
  readonly path?: readonly string[];
  readonly resumptionToken: string;
}
