import type { RawHeaders } from '../core/wire.js';

const MAX_ID_CHARS = 256;

/**
 * Reply headers that carry the provider's id of a request, the most telling first: OpenAI and most others
 * `x-request-id`, Anthropic `request-id`, Azure `apim-request-id` and `x-ms-request-id`, AWS `x-amzn-requestid`, Mistral
 * `mistral-correlation-id`, DeepSeek `x-ds-trace-id`, Google Cloud `x-cloud-trace-context`; the edge's `cf-ray` last.
 *
 * Sources: https://platform.openai.com/docs/api-reference/debugging-requests,
 * https://docs.claude.com/en/api/errors#request-id, https://learn.microsoft.com/azure/ai-foundry/openai/reference
 */
const REQUEST_ID_HEADERS: readonly string[] = [
  'x-request-id',
  'request-id',
  'apim-request-id',
  'x-ms-request-id',
  'x-amzn-requestid',
  'mistral-correlation-id',
  'x-ds-trace-id',
  'x-cloud-trace-context',
  'cf-ray',
];

/** Reads the id the provider's reply headers give the request; at most 256 characters; `null` when there is none. */
export function readRequestId(rawHeaders: RawHeaders): string | null {
  let best: string | null = null;
  let bestRank = REQUEST_ID_HEADERS.length;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const rank = REQUEST_ID_HEADERS.indexOf(rawHeaders[at]?.toLowerCase() ?? '');
    const value = rawHeaders[at + 1]?.trim() ?? '';
    if (rank === -1 || rank >= bestRank || value === '') continue;
    best = value.slice(0, MAX_ID_CHARS);
    bestRank = rank;
  }
  return best;
}
