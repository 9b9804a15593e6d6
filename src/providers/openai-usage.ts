import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import { findField } from './json-fields.js';
import type { UsageSources } from './reply-language.js';
import type { TokenCounts } from './token-counts.js';
import type { DetailNames } from './usage-details.js';

const TICKS_PER_USD = 10_000_000_000;

/** Names, in the order they are tried, under which an OpenAI-shaped usage object states each count. */
interface UsageNames {
  readonly input: string;
  readonly output: string;
  readonly total: string;
  readonly cacheRead: readonly string[];
  readonly cacheWrite: readonly string[];
  readonly reasoning: readonly string[];
}

/**
 * `usage` of chat completions, completions and embeddings.
 *
 * `prompt_tokens` includes what was read from and written to the cache. Sources:
 * https://platform.openai.com/docs/api-reference/chat/object, read 2026-11-21 as `CompletionUsage` of the npm package `openai`
 * 6.49; DeepSeek `prompt_cache_hit_tokens`, https://api-docs.deepseek.com/guides/kv_cache; Moonshot `cached_tokens`,
 * https://platform.moonshot.ai/docs/api/chat; DashScope `prompt_tokens_details.cache_creation_input_tokens`,
 * https://help.aliyun.com/zh/model-studio/context-cache; Perplexity `reasoning_tokens`,
 * https://docs.perplexity.ai/api-reference/chat-completions-post.
 */
export const COMPLETION_USAGE: UsageNames = {
  input: 'prompt_tokens',
  output: 'completion_tokens',
  total: 'total_tokens',
  cacheRead: ['prompt_tokens_details.cached_tokens', 'prompt_cache_hit_tokens', 'cached_tokens'],
  cacheWrite: ['prompt_tokens_details.cache_write_tokens', 'prompt_tokens_details.cache_creation_input_tokens'],
  reasoning: ['completion_tokens_details.reasoning_tokens', 'reasoning_tokens'],
};

/**
 * `usage` of the Responses API: `input_tokens` includes the cache, `output_tokens` the reasoning. Source:
 * https://platform.openai.com/docs/api-reference/responses/object, read 2026-11-21 as `ResponseUsage` of the npm package
 * `openai` 6.49.
 */
export const RESPONSES_USAGE: UsageNames = {
  input: 'input_tokens',
  output: 'output_tokens',
  total: 'total_tokens',
  cacheRead: ['input_tokens_details.cached_tokens'],
  cacheWrite: ['input_tokens_details.cache_write_tokens'],
  reasoning: ['output_tokens_details.reasoning_tokens'],
};

/**
 * What `usage` of chat completions and completions states besides. Sources: `CompletionUsage` of the npm package `openai` 6.49
 * (read 2026-11-21); text and pictures apart, as xAI states them, https://docs.x.ai/docs/api-reference#chat-completions,
 * and searches, as Perplexity does, https://docs.perplexity.ai/api-reference/chat-completions-post, and OpenRouter
 * (`ChatUsage` of the npm package `@openrouter/sdk` 1.3; read 2026-11-27).
 */
export const COMPLETION_DETAILS: DetailNames = {
  inputTextTokens: ['prompt_tokens_details.text_tokens'],
  inputAudioTokens: ['prompt_tokens_details.audio_tokens'],
  inputImageTokens: ['prompt_tokens_details.image_tokens'],
  inputVideoTokens: ['prompt_tokens_details.video_tokens'],
  outputTextTokens: ['completion_tokens_details.text_tokens'],
  outputAudioTokens: ['completion_tokens_details.audio_tokens'],
  outputImageTokens: ['completion_tokens_details.image_tokens'],
  webSearches: ['num_search_queries', 'server_tool_use_details.web_search_requests'],
  acceptedPredictionTokens: ['completion_tokens_details.accepted_prediction_tokens'],
  rejectedPredictionTokens: ['completion_tokens_details.rejected_prediction_tokens'],
};

/**
 * US dollars a usage object says the call cost: OpenRouter's `cost`, credits of a dollar each, to which comes what the
 * provider bills the caller itself where the key was the caller's own (`is_byok`); Perplexity's `cost.total_cost`; xAI's
 * `cost_in_usd_ticks`, ten thousand million to the dollar. Sources:
 * https://openrouter.ai/docs/cookbook/administration/usage-accounting and the schema `UsageInfo` of
 * https://docs.perplexity.ai/api-reference/chat-completions-post; xAI's as quoted in
 * https://docs.comfy.org/development/comfy-router/models/xai/grok-imagine-image-2-0/code (read 2026-11-27).
 */
export function readReportedUsd(usage: JsonValue | undefined): number | null {
  const ticks = readNumber(usage, 'cost_in_usd_ticks');
  if (ticks !== null) return ticks / TICKS_PER_USD;
  const cost = readNumber(usage, 'cost') ?? readNumber(usage, 'cost', 'total_cost');
  if (cost === null || findField(usage, 'is_byok') !== true) return cost;
  return cost + (readNumber(usage, 'cost_details', 'upstream_inference_cost') ?? 0);
}

function readNumber(value: JsonValue | undefined, ...keys: readonly string[]): number | null {
  const found = findField(value, ...keys);
  return typeof found === 'number' ? found : null;
}

/** Every name a usage object of this shape is searched for. */
export function listUsageNames(names: UsageNames): readonly string[] {
  return [names.input, names.output, names.total, ...names.cacheRead, ...names.cacheWrite, ...names.reasoning];
}

/** The counts without which input or output is unknown: the others only refine them. */
export function listOpenaiSources(names: UsageNames): UsageSources {
  return { input: [names.input], output: [names.output] };
}

/**
 * Normalises an OpenAI-shaped usage object.
 *
 * NOTE: some servers leave reasoning out of the completion count, xAI's chat completions among them (`convertXaiChatUsage`
 * of the npm package `@ai-sdk/xai` 3.0, read 2026-11-21, adds it). The total they state tells.
 */
export function makeOpenaiUsage(counts: TokenCounts, names: UsageNames): Usage {
  const input = counts.find(names.input);
  const reported = counts.find(names.output);
  const total = counts.find(names.total);
  const reasoning = counts.findFirst(names.reasoning);
  const known = input !== null && reported !== null && total !== null && reasoning !== null;
  const isOutside = known && reasoning > 0 && total === input + reported + reasoning;
  return {
    inputTokens: input,
    outputTokens: isOutside ? reported + reasoning : reported,
    cacheReadTokens: counts.findFirst(names.cacheRead),
    cacheWriteTokens: counts.findFirst(names.cacheWrite),
    reasoningTokens: reasoning,
    totalTokens: total,
  };
}
