import type { Usage } from '../core/usage.js';

/** Counts of a stream that was cut are lower bounds, and a lower bound is no count. What went in is known. */
export function forgetRunning(usage: Usage): Usage {
  return { ...usage, outputTokens: null, reasoningTokens: null, totalTokens: null };
}

/** The total, where only its parts were stated. */
export function fillTotal(usage: Usage): Usage {
  const { inputTokens, outputTokens, totalTokens } = usage;
  if (totalTokens !== null || inputTokens === null || outputTokens === null) return usage;
  return { ...usage, totalTokens: inputTokens + outputTokens };
}
