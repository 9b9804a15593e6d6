import type { Usage, UsageDetails } from '../core/usage.js';
import type { ListPrices, ListUsage } from './genai-prices.js';

/**
 * How the list's price keys and ours meet: what a record counts under the list's name of it, and our name for the rate.
 * `per` is how many of the thing one price is for.
 */
interface ListUnit {
  readonly usage: string;
  readonly rate: string;
  readonly per: number;
}

const token = (usage: string, rate: string): ListUnit => ({ usage, rate, per: 1e6 });

/** Price keys whose amounts a record has. Source: npm `@pydantic/genai-prices` 0.1.8, its table of units (read 2026-11-27). */
export const listUnits: Readonly<Record<string, ListUnit>> = {
  input_mtok: token('input_tokens', 'inputTokens'),
  output_mtok: token('output_tokens', 'outputTokens'),
  cache_read_mtok: token('cache_read_tokens', 'cacheReadTokens'),
  cache_write_mtok: token('cache_write_tokens', 'cacheWriteTokens'),
  cache_write_1h_mtok: token('cache_write_1h_tokens', 'cacheWrite1hTokens'),
  input_audio_mtok: token('input_audio_tokens', 'inputAudioTokens'),
  input_image_mtok: token('input_image_tokens', 'inputImageTokens'),
  input_video_mtok: token('input_video_tokens', 'inputVideoTokens'),
  cache_audio_read_mtok: token('cache_audio_read_tokens', 'cacheReadAudioTokens'),
  cache_image_read_mtok: token('cache_image_read_tokens', 'cacheReadImageTokens'),
  output_audio_mtok: token('output_audio_tokens', 'outputAudioTokens'),
  output_image_mtok: token('output_image_tokens', 'outputImageTokens'),
  output_reasoning_mtok: token('output_reasoning_tokens', 'reasoningTokens'),
  web_searches_kcount: { usage: 'web_searches', rate: 'webSearches', per: 1e3 },
  storage_searches_kcount: { usage: 'storage_searches', rate: 'fileSearches', per: 1e3 },
  rerank_searches_kcount: { usage: 'rerank_searches', rate: 'searchUnits', per: 1e3 },
  requests_kcount: { usage: 'requests', rate: 'requests', per: 1e3 },
  // Of sound, the general key stands beside that of its direction, and at the same rate.
  audio_hours: { usage: 'audio_seconds', rate: 'inputSeconds', per: 3600 },
  input_audio_hours: { usage: 'input_audio_seconds', rate: 'inputSeconds', per: 3600 },
  input_mchars: { usage: 'input_characters', rate: 'inputCharacters', per: 1e6 },
};

/** The same, to be gone through for every call. */
export const listUnitsByKey: readonly (readonly [key: string, unit: ListUnit])[] = Object.entries(listUnits);

/** A call's usage in the list's words; what is not known is absent. */
export function makeListUsage(usage: Usage, details: UsageDetails | null): ListUsage {
  const d = details ?? {};
  const writesByLifetime = (d.cacheWrite5mTokens ?? 0) + (d.cacheWrite1hTokens ?? 0);
  const amounts: Readonly<Record<string, number | null | undefined>> = {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens ?? writesByLifetime,
    cache_write_1h_tokens: d.cacheWrite1hTokens,
    input_audio_tokens: d.inputAudioTokens,
    input_image_tokens: d.inputImageTokens,
    input_video_tokens: d.inputVideoTokens,
    cache_audio_read_tokens: findCachedPart(usage, d, 'cacheReadAudioTokens'),
    cache_image_read_tokens: findCachedPart(usage, d, 'cacheReadImageTokens'),
    output_audio_tokens: d.outputAudioTokens,
    output_image_tokens: d.outputImageTokens,
    output_reasoning_tokens: usage.reasoningTokens,
    web_searches: d.webSearches,
    storage_searches: d.fileSearches,
    rerank_searches: d.searchUnits,
    audio_seconds: d.inputSeconds,
    input_audio_seconds: d.inputSeconds,
    input_characters: d.inputCharacters,
  };
  const known: Record<string, number> = {};
  for (const name in amounts) {
    const amount = amounts[name];
    if (amount != null) known[name] = amount;
  }
  return known;
}

/** A part of the cached input that is not stated is none where the stated parts are all of it. */
function findCachedPart(
  { cacheReadTokens }: Usage,
  details: UsageDetails,
  part: 'cacheReadAudioTokens' | 'cacheReadImageTokens',
): number | undefined {
  const { cacheReadTextTokens = 0, cacheReadAudioTokens = 0, cacheReadImageTokens = 0 } = details;
  const isAll = cacheReadTextTokens + cacheReadAudioTokens + cacheReadImageTokens === cacheReadTokens;
  return details[part] ?? (isAll ? 0 : undefined);
}

/** The rate a call of so much input is charged at: of a tiered one, that of the highest tier it exceeds. */
export function findRate(price: ListPrices[string], inputTokens: number): number {
  if (price === undefined) return 0;
  if (typeof price === 'number') return price;
  // NOTE: the package's tiers are in order of their start.
  return price.tiers.reduce((rate, tier) => (inputTokens > tier.start ? tier.price : rate), price.base);
}
