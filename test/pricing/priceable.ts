import type { PriceableCall } from '../../src/core/cost.js';
import { type Usage, type UsageDetails, unknownUsage } from '../../src/core/usage.js';

/** A call to be priced: of OpenAI, on 2026-11-27 at noon UTC, served as usual. */
export function makePriceable(
  model: string,
  usage: Partial<Usage>,
  rest: Partial<PriceableCall> & { readonly details?: UsageDetails } = {},
): PriceableCall {
  const { details, ...others } = rest;
  return {
    provider: 'openai',
    url: 'https://api.openai.com/v1/chat/completions',
    models: [model],
    usage: { ...unknownUsage, ...usage },
    usageDetails: details ?? null,
    serviceTier: null,
    startedAt: '2026-11-27T12:00:00.000Z',
    cached: false,
    reportedUsd: null,
    ...others,
  };
}
