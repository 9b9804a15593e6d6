/**
 * OpenAI's API, version 1. Shapes as in the types of the npm package openai 6.49 (read 2026-11-21); documented at
 * https://platform.openai.com/docs/api-reference.
 *
 * @typedef {import('../provider.js').Dialect} Dialect
 */
import { makeHexId } from '../identity.js';
import { answerChat } from './openai-chat.js';
import { answerCompletion } from './openai-completions.js';
import { answerEmbeddings } from './openai-embeddings.js';
import { answerResponse } from './openai-responses.js';

const models = ['gpt-4o-mini', 'gpt-4o', 'gpt-5', 'gpt-5-mini', 'text-embedding-3-small'];

/** @type {Dialect} */
export const openai = {
  provider: 'openai',
  // Local servers and other hosts put the same paths below other prefixes: `/openai/v1/…`, `/api/v1/…`.
  routes: [
    { api: 'chat.completions', method: 'POST', path: /\/chat\/completions$/u, answer: answerChat },
    { api: 'completions', method: 'POST', path: /\/completions$/u, answer: answerCompletion },
    { api: 'responses', method: 'POST', path: /\/responses$/u, answer: answerResponse },
    { api: 'embeddings', method: 'POST', path: /\/embeddings$/u, answer: answerEmbeddings },
    { api: 'models', method: 'GET', path: /\/models$/u, answer: listModels },
  ],
  hasKey: ({ headers }) => /^Bearer \S/u.test(headers.authorization ?? ''),
  makeRequestId: () => makeHexId('req_', 32),
  makeHeaders: (requestId) => ({
    'x-request-id': requestId,
    'openai-organization': 'example-organization',
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
  }),
  makeFailure: (failure) => JSON.stringify({ error: describe(failure) }, null, 2),
  makeErrorFrame: (failure) => `data: ${JSON.stringify({ error: describe(failure) })}\n\n`,
};

/** @param {import('../provider.js').Failure} failure */
function describe({ status, message }) {
  const [type, code] = kinds.get(status) ?? (status >= 500 ? ['server_error', null] : ['invalid_request_error', null]);
  return { message, type, param: null, code };
}

/** Status to the error's `type` and `code`. */
const kinds = new Map([
  [401, ['invalid_request_error', 'invalid_api_key']],
  [404, ['invalid_request_error', 'unknown_url']],
  [429, ['requests', 'rate_limit_exceeded']],
]);

/** @returns {import('../provider.js').Reply} */
function listModels() {
  const data = models.map((id) => ({ id, object: 'model', created: 1_686_935_002, owned_by: 'system' }));
  const body = JSON.stringify({ object: 'list', data }, null, 2);
  return { model: '', responseId: null, bill: null, tellsBill: false, contentType: 'application/json', body };
}
