/**
 * Embeddings: `POST /v1/embeddings`.
 * Shapes as in the types of the npm package openai 6.49 (read 2026-11-21); documented at
 * https://platform.openai.com/docs/api-reference/embeddings.
 */
import { createHash } from 'node:crypto';
import { countTokensWithin } from '../model.js';
import { requireModel } from './openai-ask.js';

const defaultDimensions = 8;
const maxDimensions = 4096;

/**
 * @param {import('../provider.js').Call} call
 * @returns {import('../provider.js').Reply}
 */
export function answerEmbeddings({ body }) {
  const model = requireModel(body.model);
  const inputs = [body.input ?? ''].flat();
  const tokens = countTokensWithin(inputs);
  const data = inputs.map((input, index) => {
    const vector = embed(String(input), Math.min(body.dimensions ?? defaultDimensions, maxDimensions));
    return { object: 'embedding', index, embedding: body.encoding_format === 'base64' ? encode(vector) : [...vector] };
  });
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  const unstated = { outputTokens: null, cacheReadTokens: null, cacheWriteTokens: null, reasoningTokens: null };
  return {
    model,
    responseId: null,
    bill: { inputTokens: tokens, ...unstated, totalTokens: tokens },
    tellsBill: true,
    contentType: 'application/json',
    body: JSON.stringify({ object: 'list', data, model, usage }, null, 2),
  };
}

/** A unit vector that depends on the text alone. */
function embed(text, dimensions) {
  const vector = Float32Array.from({ length: dimensions }, (_, index) => {
    return createHash('sha256').update(`${index}\n${text}`).digest().readInt32BE(0) / 2 ** 31;
  });
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

/** Little-endian floats of four bytes, as the API sends them for `encoding_format: "base64"`. */
function encode(vector) {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
