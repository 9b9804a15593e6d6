import type { JsonValue } from '../core/call-record.js';
import type { Dialect, RequestFacts } from '../core/wire.js';
import { anthropicMessages } from './anthropic-messages.js';
import { putGoogleModel } from './model-rewrite.js';
import { openaiChat } from './openai-chat.js';
import { readBodyRequest, readGoogleModel } from './request-facts.js';

/**
 * Anthropic's messages as Vertex AI serves them: `:rawPredict` and `:streamRawPredict` of a model the URL names, the body
 * without one. Replies are Anthropic's own. Source: https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
 * and the npm package `@anthropic-ai/vertex-sdk` (read 2026-11-27).
 */
export const vertexMessages: Dialect = {
  ...anthropicMessages,
  readRequest: readRawRequest,
  withModel: putGoogleModel,
};

/**
 * Chat completions of Vertex AI's partners (Mistral, AI21 …), by the same two methods. The URL decides which model, and
 * the body says it again. Source: https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/mistral.
 */
export const vertexChat: Dialect = {
  ...openaiChat,
  readRequest: readRawRequest,
  withModel: putGoogleModel,
};

function readRawRequest(body: JsonValue, path: string): RequestFacts {
  const facts = readBodyRequest(body);
  const stream = facts.stream || /(?::|%3a)streamRawPredict\/?(?:[?#]|$)/i.test(path);
  return { ...facts, model: readGoogleModel(path) ?? facts.model, stream };
}
