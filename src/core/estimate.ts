import type { EstimatedUsage } from './timing.js';

/** Texts of one call to count, as far as they were kept. */
export interface EstimateQuestion {
  readonly model: string | null;
  /** What went in, piece by piece; `null` when it cannot be told. */
  readonly input: readonly string[] | null;
  /** What had come out; `null` when it cannot be told. */
  readonly output: readonly string[] | null;
}

/** Counts tokens aside; `null` when it cannot. Never rejects. */
export type Estimate = (question: EstimateQuestion) => Promise<EstimatedUsage | null>;
