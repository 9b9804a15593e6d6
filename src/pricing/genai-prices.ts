import { createRequire } from 'node:module';
import type * as GenaiPrices from '@pydantic/genai-prices';

/** Of the package; `package.json` pins it, and a test holds the two together. */
export const listVersion = '0.1.8';

/** Counts under the list's own names: `input_tokens`, `cache_write_1h_tokens` … */
export type ListUsage = Readonly<Record<string, number>>;

/** Prices under the list's own keys, `input_mtok` …; a tier holds for the whole call once its input exceeds `start`. */
export type ListPrices = GenaiPrices.ModelPrice;

export interface ListedPrice {
  readonly provider: string;
  readonly model: string;
  /** Of the moment asked for. */
  readonly prices: ListPrices;
  /** US dollars. Throws when the counts contradict each other. */
  price(usage: ListUsage): number;
}

export interface PriceList {
  /** The list's id of the provider an URL belongs to. */
  findProviderByUrl(url: string): string | undefined;
  hasProvider(provider: string): boolean;
  /** Providers may share models, as Azure does OpenAI's. */
  find(provider: string, model: string, at: Date): ListedPrice | undefined;
}

/** Models are matched by patterns, some of them regular expressions; what comes off the wire is kept short for them. */
const longestModel = 256;

/** Names of models found or not found before; more than a program calls. */
const mostRemembered = 1000;

let list: PriceList | undefined;

/**
 * The list of the npm package `@pydantic/genai-prices`, which this file alone loads. Synchronous, as a record cannot wait
 * for it: the first time costs some 30 ms of parsing (measured), any other nothing. It never fetches anything.
 */
export function loadPriceList(): PriceList {
  list ??= makePriceList(createRequire(import.meta.url)('@pydantic/genai-prices') as typeof GenaiPrices);
  return list;
}

function makePriceList({ calcPrice, findProvider }: typeof GenaiPrices): PriceList {
  const entries = new Map<string, GenaiPrices.Provider | null>();
  const findEntry = (provider: string, model: string): GenaiPrices.Provider | null => {
    const key = `${provider}\n${model}`;
    const known = entries.get(key);
    if (known !== undefined) return known;
    // Nothing costs nothing, but says which model it is. An entry the package itself finds wrong is as good as none.
    const found = tryTo(() => calcPrice({}, model, { providerId: provider }));
    // Searching OpenRouter's 700 models takes as long as reading a small reply: from now on there is one.
    const entry = found === null ? null : { ...found.provider, models: [found.model] };
    if (entries.size >= mostRemembered) entries.clear();
    entries.set(key, entry);
    return entry;
  };
  return {
    findProviderByUrl: (url) => findProvider({ providerApiUrl: url })?.id,
    hasProvider: (provider) => findProvider({ providerId: provider })?.id === provider,
    find(provider, model, at) {
      const entry = model === '' || model.length > longestModel ? null : findEntry(provider, model);
      const [found] = entry?.models ?? [];
      if (entry === null || found === undefined) return undefined;
      const options = { provider: entry, timestamp: at };
      // Prices that change by the day or the hour are for the package to choose from.
      const dated = Array.isArray(found.prices)
        ? tryTo(() => calcPrice({}, model, options))
        : { model_price: found.prices };
      if (dated === null) return undefined;
      return {
        provider: entry.id,
        model: found.id,
        prices: dated.model_price,
        price: (usage) => calcPrice(usage, model, options)?.total_price ?? Number.NaN,
      };
    },
  };
}

function tryTo(find: () => GenaiPrices.PriceCalculationResult): GenaiPrices.PriceCalculationResult {
  try {
    return find();
  } catch {
    return null;
  }
}
