/**
 * Google's Vertex AI: Gemini as its own API has it, under paths with a project and in express mode without; Claude by
 * `:rawPredict` and `:streamRawPredict`, the model in the URL. Paths as the npm packages @google/genai 2.32 and
 * @anthropic-ai/vertex-sdk 1.1 make them (read 2026-11-27).
 *
 * @typedef {import('../provider.js').Dialect} Dialect
 * @typedef {import('../provider.js').Call} Call
 * @typedef {import('../provider.js').Reply} Reply
 */
import { answerCount, answerMessages } from './anthropic.js';
import { answerPublic, gemini } from './gemini.js';

const publishers = '^/v1(?:beta1)?(?:/projects/[^/]+/locations/[^/]+)?/publishers';
const geminiPath = new RegExp(
  `${publishers}/google/models/([^/:]+):(generateContent|streamGenerateContent|countTokens)$`,
  'u',
);
const claudePath = new RegExp(`${publishers}/anthropic/models/([^/:]+):(rawPredict|streamRawPredict)$`, 'u');

/** @type {Dialect} */
export const vertex = {
  ...gemini,
  provider: 'google-vertex',
  routes: [
    { api: 'generateContent', method: 'POST', path: geminiPath, answer: answerPublic },
    { api: 'messages', method: 'POST', path: claudePath, answer: answerClaude },
  ],
};

/**
 * @param {Call} call
 * @returns {Reply}
 */
function answerClaude(call) {
  const [, model = ''] = call.match;
  if (model === 'count-tokens') return answerCount(call);
  const headers = { ...call.headers, 'anthropic-version': call.body.anthropic_version };
  return answerMessages({ ...call, headers, body: { ...call.body, model: decodeURIComponent(model) } });
}
