import type { PriceableCall } from '../core/cost.js';
import { readErrorMessage } from '../core/errors.js';
import type { UsageDetails } from '../core/usage.js';
import { type ListedPrice, type ListPrices, type ListUsage, listVersion, type PriceList } from './genai-prices.js';
import { findListedCall } from './list-providers.js';
import { findRate, listUnits, listUnitsByKey, makeListUsage } from './list-usage.js';
import { makeUnpriced, type Priced, roundRate, roundUsd } from './priced.js';
import { isStandardTier } from './service-tier.js';

/** The price of a call by the list: of its provider and model, on the day of the call. */
export function priceByList(list: PriceList, call: PriceableCall): Priced {
  const listed = findListedCall(list, call);
  if (listed === undefined) return makeUnpriced(`The price list has no provider ${call.provider} at this address.`);
  const at = new Date(call.startedAt);
  const found = listed.models.map((model) => list.find(listed.provider, model, at)).find((each) => each !== undefined);
  if (found === undefined) {
    const names = call.models.length === 0 ? 'a model that is not named' : call.models.join(' and ');
    return makeUnpriced(`The price list of ${listed.provider} does not have ${names}.`);
  }
  // The list has the usual price only; half or double of it would be a guess.
  if (!isStandardTier(call.serviceTier)) {
    return makeUnpriced(`The price list does not have the service tier ${call.serviceTier}.`);
  }
  const usage = makeListUsage(call.usage, call.usageDetails);
  const gap = findGap(found, usage, call.usageDetails);
  return gap === null ? priceListed(found, usage) : makeUnpriced(gap);
}

function priceListed(found: ListedPrice, usage: ListUsage): Priced {
  let usd: number;
  try {
    usd = found.price(usage);
  } catch (error) {
    // NOTE: the package throws where counts do not add up, or a part it has a price for is not stated.
    return makeUnpriced(`The price list cannot be applied to these counts: ${readErrorMessage(error)}.`);
  }
  if (!Number.isFinite(usd) || usd < 0) return makeUnpriced('The price list gives no amount for these counts.');
  const { provider, model, prices } = found;
  const basis = { source: 'genai-prices' as const, version: listVersion, provider, model };
  return { usd: roundUsd(usd), basis: Object.freeze({ ...basis, rates: listRates(prices, usage) }) };
}

function listRates(prices: ListPrices, usage: ListUsage): Readonly<Record<string, number>> {
  const rates: Record<string, number> = {};
  for (const [key, unit] of listUnitsByKey) {
    const isUsed = unit.usage === 'requests' || (usage[unit.usage] ?? 0) > 0;
    if (prices[key] === undefined || !isUsed) continue;
    rates[unit.rate] = roundRate((findRate(prices[key], usage.input_tokens ?? 0) * 1e6) / unit.per);
  }
  return Object.freeze(rates);
}

/** Of each of these the amount must be known where it has a price. */
const required: readonly (readonly [key: string, name: string])[] = [
  ['input_mtok', 'input tokens'],
  ['output_mtok', 'output tokens'],
  ['audio_hours', 'seconds of sound'],
  ['input_mchars', 'input characters'],
];

/** Of each of these, what there is must have a price: one of the keys. */
const priced: readonly (readonly [usage: string, keys: readonly string[], name: string])[] = [
  ['input_tokens', ['input_mtok', 'audio_hours'], 'input tokens'],
  ['output_tokens', ['output_mtok', 'audio_hours'], 'output tokens'],
  ['input_audio_seconds', ['audio_hours', 'input_audio_mtok'], 'seconds of sound'],
  ['web_searches', ['web_searches_kcount'], 'searches of the web'],
  ['storage_searches', ['storage_searches_kcount'], 'searches of files'],
  ['rerank_searches', ['rerank_searches_kcount'], 'search units'],
];

/**
 * Why the list's prices of a model do not cover a call; `null` when they do. The package itself counts what has no price
 * as costing nothing.
 */
function findGap({ provider, model, prices }: ListedPrice, usage: ListUsage, details: UsageDetails | null) {
  const has = (key: string): boolean => prices[key] !== undefined;
  const lacks = (what: string): string => `The price list has no price for ${what} of ${model}.`;
  if (Object.keys(prices).length === 0) return `The price list has ${model} without a price.`;
  for (const [key, name] of required) {
    if (has(key) && usage[listUnits[key]?.usage ?? ''] === undefined) return `The ${name} of the call are not known.`;
  }
  for (const [amount, keys, name] of priced) {
    if ((usage[amount] ?? 0) > 0 && !keys.some(has)) return lacks(name);
  }
  const foreign = Object.keys(prices).find((key) => !(key in listUnits));
  if (foreign !== undefined) return `The price list charges ${model} by ${foreign} as well, which is not counted.`;
  // An hour's write costs more than one of five minutes; where neither has a price, both are input like any other.
  if ((details?.cacheWrite1hTokens ?? 0) > 0 && has('cache_write_mtok') && !has('cache_write_1h_mtok')) {
    return lacks('cache writes that last an hour');
  }
  if (isTierUnclear(prices, details, usage.input_tokens ?? 0)) {
    return `The price list charges ${model} by the size of a request, and this call was more than one.`;
  }
  return provider === 'google' ? null : findUnpricedSound(prices, usage, lacks);
}

/** The size of a request decides its rates; of a call that was summed up first only that of both together is known. */
function isTierUnclear(prices: ListPrices, details: UsageDetails | null, inputTokens: number): boolean {
  const compaction = details?.compactionInputTokens ?? 0;
  const smaller = Math.min(compaction, inputTokens - compaction);
  return (
    compaction > 0 && Object.values(prices).some((price) => findRate(price, inputTokens) !== findRate(price, smaller))
  );
}

/** Sound costs many times what text does, but for Google's models whose entry has one rate for everything. */
function findUnpricedSound(prices: ListPrices, usage: ListUsage, lacks: (what: string) => string): string | null {
  if ((usage.input_audio_tokens ?? 0) > 0 && prices.input_audio_mtok === undefined) return lacks('sound as input');
  if ((usage.output_audio_tokens ?? 0) > 0 && prices.output_audio_mtok === undefined) return lacks('sound as output');
  return null;
}
