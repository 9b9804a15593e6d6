import type { PriceableCall } from '../core/cost.js';
import { type FileEntry, type FilePrices, type PriceFile, readFrom } from './price-file.js';
import { makeUnpriced, type Priced, roundUsd } from './priced.js';
import { isStandardTier } from './service-tier.js';

/** The price of a call by the user's own file; `undefined` when it does not name the model, or not for that day. */
export function priceByFile(file: PriceFile, call: PriceableCall): Priced | undefined {
  for (const model of call.models) {
    for (const [provider, name] of [[call.provider, `${call.provider}/${model}`] as const, ['*', model] as const]) {
      const entry = findEntry(file.models.get(name), call.startedAt);
      if (entry !== undefined) return priceByEntry(entry, call, { version: file.version, provider, model });
    }
  }
  return undefined;
}

function findEntry(entries: readonly FileEntry[] | undefined, startedAt: string): FileEntry | undefined {
  return entries?.findLast((entry) => readFrom(entry) <= Date.parse(startedAt));
}

interface Found {
  readonly version: string;
  readonly provider: string;
  readonly model: string;
}

function priceByEntry(entry: FileEntry, call: PriceableCall, found: Found): Priced {
  const tier = call.serviceTier;
  const prices = entry.tiers?.get(tier?.toLowerCase() ?? '') ?? (isStandardTier(tier) ? entry : undefined);
  if (prices === undefined)
    return makeUnpriced(`The price file does not have the service tier ${tier} of ${found.model}.`);
  const amounts = listAmounts(prices, call);
  for (const { name, amount, rate, isRequired } of amounts) {
    if (amount === null && isRequired) return makeUnpriced(`The ${name} of the call are not known.`);
    if ((amount ?? 0) > 0 && rate === undefined) {
      return makeUnpriced(`The price file has no price for ${name} of ${found.model}.`);
    }
  }
  const used = amounts.filter(({ amount }) => (amount ?? 0) > 0);
  const usd = used.reduce((sum, { amount, rate }) => sum + ((amount ?? 0) * (rate ?? 0)) / 1e6, 0);
  const rates = Object.fromEntries(used.map(({ key, rate }) => [key, rate ?? 0]));
  return { usd: roundUsd(usd), basis: Object.freeze({ source: 'file', ...found, rates: Object.freeze(rates) }) };
}

interface Amount {
  /** In `basis.rates`. */
  readonly key: string;
  /** In a sentence. */
  readonly name: string;
  /** `null` when not known. */
  readonly amount: number | null;
  /** US dollars for a million; absent when the file has none. */
  readonly rate: number | undefined;
  readonly isRequired: boolean;
}

/** What the file charges, each token under one rate alone. */
function listAmounts(prices: FilePrices, { usage, usageDetails }: PriceableCall): readonly Amount[] {
  const { inputPerMillion: input, outputPerMillion: output, perRequest, perWebSearch, perFileSearch } = prices;
  const write = prices.cacheWrite5mPerMillion ?? input;
  const hourly = usageDetails?.cacheWrite1hTokens ?? 0;
  const reads = usage.cacheReadTokens ?? 0;
  const writes = usage.cacheWriteTokens ?? hourly + (usageDetails?.cacheWrite5mTokens ?? 0);
  const rest = usage.inputTokens === null ? null : usage.inputTokens - reads - writes;
  const token = (key: string, name: string, amount: number | null, rate: number | undefined): Amount => ({
    ...{ key, name, amount, rate },
    isRequired: rate !== undefined,
  });
  const piece = (key: string, name: string, amount: number, price: number | undefined): Amount => ({
    ...{ key, name, amount, rate: price === undefined ? undefined : price * 1e6 },
    isRequired: false,
  });
  return [
    token('inputTokens', 'input tokens', rest, input),
    token('cacheReadTokens', 'tokens read from a cache', reads, prices.cacheReadPerMillion ?? input),
    token('cacheWriteTokens', 'tokens written to a cache', writes - hourly, write),
    token('cacheWrite1hTokens', 'tokens written to a cache', hourly, prices.cacheWrite1hPerMillion ?? write),
    token('outputTokens', 'output tokens', usage.outputTokens, output),
    piece('webSearches', 'searches of the web', usageDetails?.webSearches ?? 0, perWebSearch),
    piece('fileSearches', 'searches of files', usageDetails?.fileSearches ?? 0, perFileSearch),
    ...(perRequest === undefined ? [] : [piece('requests', 'requests', 1, perRequest)]),
  ];
}
