import type { Usage, UsageDetails } from '../core/usage.js';

/** Why counts cannot be priced, whatever the prices: parts that are more than the whole. `null` when they can. */
export function findContradiction(usage: Usage, details: UsageDetails | null): string | null {
  const { cacheWrite5mTokens = 0, cacheWrite1hTokens = 0 } = details ?? {};
  const byLifetime = cacheWrite5mTokens + cacheWrite1hTokens;
  const cached = (usage.cacheReadTokens ?? 0) + Math.max(usage.cacheWriteTokens ?? 0, byLifetime);
  const parts: readonly (readonly [part: number, whole: number | null, names: string])[] = [
    [cached, usage.inputTokens, 'more tokens read from and written to a cache than input tokens'],
    [byLifetime, usage.cacheWriteTokens, 'more cache writes by lifetime than in all'],
    [usage.reasoningTokens ?? 0, usage.outputTokens, 'more reasoning tokens than output tokens'],
  ];
  const [, , names] = parts.find(([part, whole]) => whole !== null && part > whole) ?? [];
  return names === undefined ? null : `The reply states ${names}.`;
}
