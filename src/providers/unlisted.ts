import type { RequestHead } from '../core/wire.js';
import { readSegments } from './path-pattern.js';

/**
 * Segments of paths below which nothing is asked of a model, though what is made there may name one: OpenAI's assistants,
 * tunings, batches, evaluations, sessions made ahead (npm `openai` 6.49), Google's cached contents (npm `@google/genai`
 * 2.32), Together's and Fireworks's endpoints. Read 2026-11-27.
 */
const MANAGED = new Set(
  [
    [
      'assistants',
      'fine_tuning',
      'fine-tunes',
      'fine_tunes',
      'finetuning',
      'batches',
      'batch',
      'realtime',
      'evals',
      'graders',
    ],
    [
      'files',
      'uploads',
      'cachedContents',
      'tuningJobs',
      'endpoints',
      'datasets',
      'deployments',
      'vector_stores',
      'containers',
    ],
  ].flat(),
);

/**
 * Last segments of paths that count, or manage: tokens counted (Anthropic, OpenAI, Cohere npm `cohere-ai` 8.1, xAI, vLLM),
 * ollama's models shown and fetched (https://github.com/ollama/ollama/blob/main/docs/api.md), Mistral's agents made (npm
 * `@mistralai/mistralai` 2.4). Read 2026-11-27.
 */
const LAST = new Set(
  [
    [
      'count_tokens',
      'count-tokens',
      'input_tokens',
      'tokenize',
      'detokenize',
      'tokenize-text',
      'tokenizer',
      'tokenization',
    ],
    [
      'show',
      'pull',
      'push',
      'create',
      'copy',
      'delete',
      'agents',
      'models',
      'client_secrets',
      'cancel',
      'sessions',
      'telemetry',
    ],
  ].flat(),
);

/** Google's methods that count, or prepare (npm `@google/genai` 2.32, read 2026-11-27). */
const VERBS = /:(?:(?:count|compute)Tokens|(?:async)?batch\w+|fetchPredictOperation|cancel|\w*Operations?)$/i;

/**
 * Whether a request to a provider, to a path that nobody has listed, may be a call: a POST of JSON that is not to a path of
 * the kind that manages or counts. Its body decides: `unlisted` of `unread.ts`.
 */
export function maybeCall(head: RequestHead): boolean {
  if (head.method !== 'POST' || !isJson(head.rawHeaders)) return false;
  const segments = readSegments(head.path);
  const last = segments.at(-1) ?? '';
  if (LAST.has(last) || VERBS.test(last)) return false;
  // A deployment of Azure's is named by its path, and asked for its answers below it.
  return !segments.some(
    (segment, at) => MANAGED.has(segment) && !(segment === 'deployments' && at < segments.length - 2),
  );
}

function isJson(rawHeaders: RequestHead['rawHeaders']): boolean {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type');
  return at !== -1 && /^application\/(?:[\w.-]+\+)?json\b/i.test(rawHeaders[at + 1] ?? '');
}
