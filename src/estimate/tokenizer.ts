import { createRequire } from 'node:module';
import type { EstimateQuestion } from '../core/estimate.js';
import type { EstimatedUsage } from '../core/timing.js';

type CountTokens = typeof import('gpt-tokenizer/encoding/o200k_base').countTokens;

/** What a tokenizer does with a run of letters grows with the square of its length: longer ones are counted in parts. */
const longestRun = 1000;
const longRun = new RegExp(`\\S{${longestRun}}`, 'g');
/** Text of a conversation may spell what marks its messages; it is text all the same. */
const asText = { disallowedSpecial: new Set<string>() };
/** Tokens that mark off a message, in OpenAI's chat format. Source: https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken (read 2026-11-27). */
const perMessage = 3;
const perReply = 3;

/**
 * Counts by `gpt-tokenizer`, an optional peer dependency of 30 MB, loaded with the first question, which takes 0.3 s and
 * 0.1 GB. For OpenAI's models it is their own tokenizer, exact for text; every other family has one of its own that nobody
 * publishes, for which OpenAI's stands: `tokenizer` says so. Tools, images and audio count nothing.
 *
 * Rejects when the package is not installed.
 */
export async function countTokens({ model, input, output }: EstimateQuestion): Promise<EstimatedUsage> {
  const name = isOlder(model) ? 'cl100k_base' : 'o200k_base';
  const count = await loadCounter(name);
  const sum = (texts: readonly string[]): number =>
    texts.reduce((total, text) => total + count(text.replace(longRun, '$& '), asText), 0);
  return {
    inputTokens: input === null ? null : sum(input) + input.length * perMessage + perReply,
    outputTokens: output === null ? null : sum(output),
    tokenizer: `${name} (gpt-tokenizer)${isOfOpenai(model) ? '' : ', not this model’s own'}`,
  };
}

/** Whether the package is there to be loaded. */
export function isTokenizerInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('gpt-tokenizer/encoding/o200k_base');
    return true;
  } catch {
    return false;
  }
}

/** Source: `models.ts` of the npm package `gpt-tokenizer` 4.0 (read 2026-11-27). */
function isOlder(model: string | null): boolean {
  return /(^|\/)(gpt-3\.5|gpt-4(?![.o\d]|-\d\.)|text-embedding)/.test(model ?? '');
}

function isOfOpenai(model: string | null): boolean {
  return /(^|\/)(gpt-|o\d|chatgpt|codex|text-embedding)/.test(model ?? '');
}

async function loadCounter(name: 'cl100k_base' | 'o200k_base'): Promise<CountTokens> {
  const encoding =
    name === 'cl100k_base'
      ? await import('gpt-tokenizer/encoding/cl100k_base')
      : await import('gpt-tokenizer/encoding/o200k_base');
  return encoding.countTokens;
}
