import type { TokenCounts } from './run-metrics.js';

/** What every event of a config's run carries, in the order it is sent. */
export interface ConfigTrackData {
  readonly runId: string;
  readonly configKey: string;
  /** Absent when the variation has none. */
  readonly variationKey?: string;
  readonly version: number;
  /** Empty when unknown. */
  readonly modelName: string;
  /** Empty when unknown. */
  readonly providerName: string;
  readonly modelVersion?: number;
  readonly modelKey?: string;
  readonly graphKey?: string;
}

/** What a config's run came to, as far as it was recorded. */
export interface ConfigRunSummary {
  readonly success?: boolean;
  readonly tokens?: TokenCounts;
  /** Keys of the tools called, in order; the first 10,000. */
  readonly toolCalls?: readonly string[];
  readonly durationMs?: number;
  readonly timeToFirstTokenMs?: number;
  readonly feedback?: Feedback;
  readonly resumptionToken: string;
}

export interface Feedback {
  readonly kind: 'positive' | 'negative';
}

/** What a judge said of a run. */
export interface JudgeResult {
  /** Which judge. */
  readonly judgeConfigKey?: string | undefined;
  /** Whether the judge came to a score. */
  readonly success: boolean;
  readonly errorMessage?: string | undefined;
  /** Whether the judge was asked at all. */
  readonly sampled: boolean;
  /** The name of the event: `$ld:ai:judge:relevance`, or any other. */
  readonly metricKey?: string | undefined;
  /** From 0 to 1. */
  readonly score?: number | undefined;
  readonly reasoning?: string | undefined;
}
