import type { JsonValue } from '../core/call-record.js';
import { measureText } from '../core/request-text.js';

/** How many tokens a call may take, as far as its request tells. Guesses for a budget; never on record. */
export interface RequestSize {
  /** By a rule of thumb: four characters a token. */
  readonly inputTokens: number;
  /** By the request's own word; `null` when it sets no limit. */
  readonly maxOutputTokens: number | null;
}

const charsPerToken = 4;
/** No model writes so much; sums of numbers up to this are exact, so that what is kept for a call can be taken back whole. */
const mostTokens = 1_000_000_000;

/** Where each API sets the limit of its output: names of members, from the outside in. */
const limits: readonly (readonly string[])[] = [
  // OpenAI's chat (and what is like it), responses; Anthropic's messages, text completions
  ...[['max_completion_tokens'], ['max_tokens'], ['max_output_tokens'], ['max_tokens_to_sample']],
  // OpenAI's Realtime, its beta, too
  ...[
    ['response', 'max_output_tokens'],
    ['response', 'max_response_output_tokens'],
  ],
  // Gemini, and Code Assist, which wraps it; older PaLM
  ...[
    ['generationConfig', 'maxOutputTokens'],
    ['generation_config', 'max_output_tokens'],
  ],
  ...[
    ['request', 'generationConfig', 'maxOutputTokens'],
    ['parameters', 'maxOutputTokens'],
  ],
  // Bedrock: Converse, Titan, Nova, Llama, AI21
  ...[
    ['inferenceConfig', 'maxTokens'],
    ['inferenceConfig', 'max_new_tokens'],
  ],
  ...[['textGenerationConfig', 'maxTokenCount'], ['max_gen_len'], ['maxTokens']],
  // ollama; DashScope
  ...[
    ['options', 'num_predict'],
    ['parameters', 'max_tokens'],
  ],
];

/** How many answers are asked for at once. */
const counts: readonly (readonly string[])[] = [['n'], ['generationConfig', 'candidateCount']];

/**
 * Reads how large a call may become out of its request. Sources: the npm packages `openai` 6.49, `@anthropic-ai/sdk` 1.11,
 * `@google/genai` 2.32, `@aws-sdk/client-bedrock-runtime` 3.1164, `ollama` 0.6.4; for Bedrock's families
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html; read 2026-11-27.
 */
export function readRequestSize(request: JsonValue): RequestSize {
  const limit = findFirst(request, limits);
  const times = Math.max(1, findFirst(request, counts) ?? 1);
  return {
    inputTokens: Math.ceil(measureText(request) / charsPerToken),
    maxOutputTokens: limit === null ? null : Math.min(mostTokens, limit * times),
  };
}

function findFirst(request: JsonValue, places: readonly (readonly string[])[]): number | null {
  for (const place of places) {
    const found = findAt(request, place);
    if (typeof found === 'number' && Number.isFinite(found) && found >= 0) return found;
  }
  return null;
}

function findAt(request: JsonValue, place: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = request;
  for (const name of place) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = (value as { readonly [key: string]: JsonValue })[name];
  }
  return value;
}
