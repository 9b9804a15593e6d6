import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import type { UsageSources } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import type { TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

const BILLED_INPUT = 'billed_units.input_tokens';
const BILLED_IMAGES = 'billed_units.image_tokens';
const INPUT: readonly string[] = [BILLED_INPUT, 'tokens.input_tokens'];
const OUTPUT: readonly string[] = ['billed_units.output_tokens', 'tokens.output_tokens'];
const CACHED = 'cached_tokens';

export const COHERE_DETAILS: DetailNames = {
  inputImageTokens: [BILLED_IMAGES],
  searchUnits: ['billed_units.search_units'],
};

const NAMES: readonly string[] = [...INPUT, ...OUTPUT, CACHED, ...listDetailNames(COHERE_DETAILS)];

/** Notes the counts of `usage` (v2 chat) or `meta` (all other APIs of Cohere), which look alike. */
export function noteCohereUsage(usage: JsonValue | undefined, notes: ReplyNotes): void {
  notes.noteUsage(usage, NAMES);
}

/** The counts without which input or output is unknown. */
export function listCohereSources(): UsageSources {
  return { input: [...INPUT, BILLED_IMAGES], output: OUTPUT };
}

/**
 * Cohere states two counts: `billed_units`, which the price list is for, and `tokens`, which has the prompt's own template
 * and preamble besides and may be a hundred times as much for a short question. The billed ones are taken, as with every
 * other provider, whose one count is the billed one; `tokens` stands in where there are none. `cached_tokens` is a part
 * of `tokens`, hence said only with them. Billed image tokens of an embedding are stated beside its input tokens.
 *
 * Sources: https://docs.cohere.com/v2/docs/how-does-cohere-pricing-work and https://docs.cohere.com/reference/chat, read
 * 2026-11-27 as `Usage`, `ApiMeta` and `ApiMetaBilledUnits` of the npm package `cohere-ai` 8.1.
 */
export function makeCohereUsage(counts: TokenCounts): Usage {
  const images = counts.find(BILLED_IMAGES);
  const input = counts.findFirst(INPUT);
  const isBilled = counts.find(BILLED_INPUT) !== null || images !== null;
  const areImagesBad = counts.isBad(BILLED_IMAGES);
  return {
    inputTokens: areImagesBad || (input === null && images === null) ? null : (input ?? 0) + (images ?? 0),
    outputTokens: counts.findFirst(OUTPUT),
    cacheReadTokens: isBilled ? null : counts.find(CACHED),
    cacheWriteTokens: null,
    reasoningTokens: null,
    totalTokens: null,
  };
}
