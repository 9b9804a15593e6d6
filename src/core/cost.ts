import type { Usage, UsageDetails } from './usage.js';

/** What a cost was computed from, kept with the call: prices change, and a list does not remember what they were. */
export interface CostBasis {
  /** `genai-prices`, or `file` for the user's own prices. */
  readonly source: 'genai-prices' | 'file';
  /** Version of the list; of a file its SHA-256, first twelve digits. */
  readonly version: string;
  /** Provider and model as the list names them; `*` for a model the file prices whoever serves it. */
  readonly provider: string;
  readonly model: string;
  /**
   * US dollars for a million of what each name says, the tier of this call applied: `inputTokens`, `cacheReadTokens` …,
   * `webSearches`, `requests`. Only what the call had any of; the rest of the input is at `inputTokens`.
   */
  readonly rates: Readonly<Record<string, number>>;
}

/** Made when the call is recorded, never again. */
export interface Cost {
  /** US dollars; `null` when the model has no price, or its usage is not known. 0 for a reply from a cache. */
  readonly usd: number | null;
  /** Why the call has no price, as a sentence; else `null`. */
  readonly problem: string | null;
  readonly basis: CostBasis | null;
  /** US dollars the call would have cost, had it not been answered from a cache; `null` for any other. */
  readonly savedUsd: number | null;
  /** US dollars by the reply's own word (OpenRouter's `usage.cost`); `null` when it states none. */
  readonly reportedUsd: number | null;
}

/** The cost of a call nobody asked the price of. */
export const unknownCost: Cost = Object.freeze({
  usd: null,
  problem: null,
  basis: null,
  savedUsd: null,
  reportedUsd: null,
});

/** What of a call decides what it cost. */
export interface PriceableCall {
  /** The record's `provider`. */
  readonly provider: string;
  /** Scheme, host and path, without the query. */
  readonly url: string;
  /** The model of the reply, then that of the request as it went upstream: the first that has a price counts. */
  readonly models: readonly string[];
  readonly usage: Usage;
  readonly usageDetails: UsageDetails | null;
  readonly serviceTier: string | null;
  /** UTC, ISO 8601: prices are those of this moment. */
  readonly startedAt: string;
  readonly cached: boolean;
  readonly reportedUsd: number | null;
}

/** Prices a call. Never throws, never waits. */
export type PriceCall = (call: PriceableCall) => Cost;
