import { makeInvalid } from '../core/option-checks.js';

/** How one budget of runs at once is spent on two levels. Both are at least 1. */
export interface ConcurrencySplit {
  /** Data points of one combination that run at once. */
  readonly dataPoints: number;
  /** Combinations that run at once, each with so many data points. */
  readonly combinations: number;
}

/**
 * Splits a bound on runs at once between the data points of a batch and the combinations they run with: first as many
 * data points as there are, then as many combinations as the rest allows. The product never exceeds `maxConcurrent`,
 * which counts as 1 below that; without a batch all of it goes to combinations. Takes whole
 * numbers; throws `OPTION_INVALID` for anything else.
 *
 * ```ts
 * splitConcurrency(20, 3);   // { dataPoints: 3, combinations: 6 }
 * ```
 */
export function splitConcurrency(maxConcurrent: number, batch: number): ConcurrencySplit {
  for (const [name, value] of Object.entries({ maxConcurrent, batch })) {
    if (!Number.isSafeInteger(value)) throw makeInvalid(name, value, 'a whole number');
  }
  const budget = Math.max(maxConcurrent, 1);
  const dataPoints = Math.max(Math.min(budget, batch), 1);
  return { dataPoints, combinations: Math.floor(budget / dataPoints) };
}
