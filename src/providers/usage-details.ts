import type { UsageDetails } from '../core/usage.js';
import type { TokenCounts } from './token-counts.js';

/** Under which names, in the order they are tried, a usage object states each detail. */
export type DetailNames = { readonly [K in keyof UsageDetails]?: readonly string[] };

/** Every name to search a usage object for. */
export function listDetailNames(names: DetailNames): readonly string[] {
  return Object.values(names).flat();
}

/** The details that were stated, as counts and as `amounts`; `null` when none was. */
export function makeUsageDetails(
  counts: TokenCounts,
  names: DetailNames,
  amounts: UsageDetails = {},
): UsageDetails | null {
  const counted = Object.entries(names).flatMap(([detail, tried]) => {
    const count = counts.findFirst(tried);
    return count === null ? [] : [[detail, count] as const];
  });
  const stated = [...counted, ...Object.entries(amounts)];
  return stated.length === 0 ? null : Object.freeze(Object.fromEntries(stated));
}

/** Several as one: each detail under all of its names. */
export function joinDetailNames(list: readonly DetailNames[]): DetailNames {
  const joined: { -readonly [K in keyof DetailNames]: DetailNames[K] } = {};
  for (const names of list)
    for (const detail of Object.keys(names) as (keyof UsageDetails)[])
      joined[detail] = [...(joined[detail] ?? []), ...(names[detail] ?? [])];
  return joined;
}
