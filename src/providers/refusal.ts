import { makeGrpcFailure } from '../core/grpc.js';

/** A refusal as an API words it. */
export interface Refusal {
  readonly status: number;
  readonly statusMessage: string;
  readonly rawHeaders: string[];
  readonly body: Buffer;
}

/** The call that is refused. */
export interface RefusedCall {
  readonly provider: string;
  readonly api: string;
  readonly path: string;
}

/** What is said, and by which status and headers. */
interface Wording {
  readonly status: number;
  readonly statusMessage: string;
  readonly headers?: readonly string[];
  readonly document: unknown;
}

const tooMany = { status: 429, statusMessage: 'Too Many Requests' };
const badRequest = { status: 400, statusMessage: 'Bad Request' };
/** Clients of OpenAI and Anthropic heed it: npm `openai` 6.49 and `@anthropic-ai/sdk` 1.11, `client.js` (read 2026-11-27). */
const noRetry = ['x-should-retry', 'false'];

/** OpenAI's error of an account that has nothing left: https://platform.openai.com/docs/guides/error-codes (read 2026-11-27). */
export const NOTHING_LEFT = { type: 'insufficient_quota', code: 'insufficient_quota' } as const;

/**
 * The refusal of a call whose budget is spent, worded as the provider itself words that an account's is: clients know it,
 * raise their own error for it, and do not try again and again. Every API refuses a stream before it begins.
 *
 * - OpenAI and what is like it: 429 `insufficient_quota`, https://platform.openai.com/docs/guides/error-codes
 * - Anthropic: 400 `invalid_request_error`, as where a spend limit is reached (https://github.com/anthropics/claude-code/issues/38035
 *   shows one), https://docs.claude.com/en/api/errors
 * - Google: 429 `RESOURCE_EXHAUSTED`, in a list where a stream is asked for as one; https://ai.google.dev/gemini-api/docs/troubleshooting
 * - Bedrock: 400 `ServiceQuotaExceededException`, which AWS's clients do not repeat (`THROTTLING_ERROR_CODES` of the npm
 *   package `@smithy/core` 3.41); https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 * - Cohere `{ message }`, https://docs.cohere.com/reference/errors; ollama `{ error }`, https://docs.ollama.com/api/errors
 * - gRPC: status 8, RESOURCE_EXHAUSTED, in a reply without a message, https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 *
 * All read 2026-11-27.
 */
export function makeRefusal(call: RefusedCall, message: string): Refusal {
  if (call.api === 'grpc') {
    return { status: 200, statusMessage: 'OK', rawHeaders: makeGrpcFailure(8, message), body: Buffer.alloc(0) };
  }
  const { status, statusMessage, headers = [], document } = findWording(call, message);
  const body = Buffer.from(JSON.stringify(document));
  const rawHeaders = ['content-type', 'application/json', 'content-length', String(body.length), ...headers];
  return { status, statusMessage, rawHeaders, body };
}

function findWording({ provider, api, path }: RefusedCall, message: string): Wording {
  if (api === 'messages' || api === 'complete') {
    const document = { type: 'error', error: { type: 'invalid_request_error', message } };
    return { ...badRequest, headers: noRetry, document };
  }
  if (/^(?:converse|invokeModel)/.test(api)) {
    const headers = ['x-amzn-errortype', 'ServiceQuotaExceededException'];
    return { ...badRequest, headers, document: { message } };
  }
  if (isGoogle(provider, api)) {
    const error = { error: { code: 429, message, status: 'RESOURCE_EXHAUSTED' } };
    const isList = /:streamGenerateContent\b/i.test(path) && !/[?&]alt=sse\b/i.test(path);
    return { ...tooMany, document: isList ? [error] : error };
  }
  if (provider === 'cohere' && api !== 'chat.completions') return { ...tooMany, document: { message } };
  if (/\/api\/(?:chat|generate|embed|embeddings)$/.test(path.split('?', 1)[0] ?? '')) {
    return { ...tooMany, document: { error: message } };
  }
  const error = { message, ...NOTHING_LEFT, param: null };
  return { ...tooMany, headers: noRetry, document: { error } };
}

function isGoogle(provider: string, api: string): boolean {
  if (/generateContent|embedContent|batchEmbedContents/i.test(api) || api === 'predict' || api === 'interactions')
    return true;
  return api === 'other' && (provider === 'google' || provider === 'google-vertex');
}
