import type { ModelSummary, TokenSum } from '../../src/core/ledger.js';
import type { SessionCounts } from '../../src/core/session.js';

export const known = (tokens: number): TokenSum => ({ known: tokens, unknownCalls: 0 });

const none: TokenSum = { known: null, unknownCalls: 0 };

/** One model's summary with everything known, but for what is given. */
export function makeModel(own: Partial<ModelSummary> = {}): ModelSummary {
  return {
    model: 'gpt-4o-mini',
    provider: 'openai',
    calls: 12,
    errors: 0,
    cachedCalls: 0,
    saved: { inputTokens: none, outputTokens: none, usd: none, latencyMs: 0 },
    inputTokens: known(12_345),
    cacheReadTokens: known(1024),
    cacheWriteTokens: known(0),
    outputTokens: known(2345),
    reasoningTokens: known(640),
    totalTokens: known(14_690),
    costUsd: known(0.003256),
    latencyP50Ms: 812.4,
    latencyMaxMs: 1423,
    timeToFirstTokenP50Ms: 210,
    ...own,
  };
}

/** Counts of a session through which nothing came, but for what is given. */
export function makeCounts(own: Partial<SessionCounts> = {}): SessionCounts {
  return { calls: 0, passedRequests: 0, tunnels: 0, tunnelBytes: 0, upgrades: 0, faults: 0, ...own };
}
