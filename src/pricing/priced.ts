import type { CostBasis } from '../core/cost.js';

/** A price with its basis, or the sentence that says why there is none. */
export type Priced =
  | { readonly usd: number; readonly basis: CostBasis }
  | { readonly usd: null; readonly problem: string };

/** Longest sentence kept: names off the wire stand in it. */
const longestProblem = 300;

export function makeUnpriced(problem: string): Priced {
  return { usd: null, problem: problem.length <= longestProblem ? problem : `${problem.slice(0, longestProblem)}…` };
}

/** A trillionth of a dollar is as far as sums of fractions are believed. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 1e12) / 1e12;
}

/** Rates rounded before; a program has few, and each takes longer to round than to find. */
const rounded = new Map<number, number>();
const mostRounded = 1000;

/** A rate as it is stated, without what binary fractions make of it. */
export function roundRate(rate: number): number {
  const known = rounded.get(rate);
  if (known !== undefined) return known;
  const stated = Number(rate.toPrecision(12));
  if (rounded.size >= mostRounded) rounded.clear();
  rounded.set(rate, stated);
  return stated;
}
