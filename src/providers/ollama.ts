import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import type { Dialect, RequestFacts } from '../core/wire.js';
import { findField, findItems, findObject, findText, type JsonObject } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';
import type { TokenCounts } from './token-counts.js';

const INPUT = 'prompt_eval_count';
const OUTPUT = 'eval_count';

/** How `/api/chat` and `/api/generate` are read when they do not stream. */
const ANSWER_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage in prompt_eval_count and eval_count',
  streamHint: 'prompts an older server had cached are not counted by it',
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    notes.noteModel(document.model);
    notes.noteUsage(document, [INPUT, OUTPUT]);
    readMessage(findObject(document, 'message') ?? document, notes);
    if (document.done !== true) return;
    notes.noteFinish(0, document.done_reason);
    notes.noteEnd();
  },
  listSources: () => ({ input: [INPUT], output: [OUTPUT] }),
  makeUsage: makeOllamaUsage,
};

const STREAM_LANGUAGE: ReplyLanguage = { ...ANSWER_LANGUAGE, streamsLines: true };

const EMBED_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage in prompt_eval_count',
  streamHint: null,
  noOutput: 'the embeddings API states no output tokens',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    notes.noteModel(document.model);
    notes.noteUsage(document, [INPUT]);
  },
  listSources: () => ({ input: [INPUT], output: [] }),
  makeUsage: makeOllamaUsage,
};

/**
 * ollama's own chat. A stream, which it is unless the request says `"stream": false`, comes as JSON objects, one to a line
 * (`application/x-ndjson`); the last has `done: true`, `done_reason` and the counts. Reasoning stands in
 * `message.thinking`; tool calls come whole, with neither index nor, from older servers, id. Sources:
 * https://docs.ollama.com/api/chat and https://docs.ollama.com/api/streaming; read 2026-11-27 as types of the npm package
 * `ollama` 0.6.4.
 */
export const ollamaChat: Dialect = makeOllamaDialect('chat');

/** ollama's own completions: as its chat, the text in `response`. Source: https://docs.ollama.com/api/generate (read as above). */
export const ollamaGenerate: Dialect = makeOllamaDialect('generate');

/** ollama's embeddings, which state `prompt_eval_count`. Source: https://docs.ollama.com/api/embed (read as above). */
export const ollamaEmbed: Dialect = makeEmbedDialect('embed');

/** The older embeddings, which state no usage. Source: `EmbeddingsResponse` of the npm package `ollama` 0.6.4 (read 2026-11-27). */
export const ollamaEmbeddings: Dialect = makeEmbedDialect('embeddings');

function makeOllamaDialect(api: string): Dialect {
  return {
    api,
    readRequest: readStreamingRequest,
    openReply: (head, request) => openReplyReader(head, request.stream ? STREAM_LANGUAGE : ANSWER_LANGUAGE),
    withModel: putBodyModel,
  };
}

function makeEmbedDialect(api: string): Dialect {
  return {
    api,
    readRequest: (body) => readBodyRequest(body),
    openReply: (head) => openReplyReader(head, EMBED_LANGUAGE),
    withModel: putBodyModel,
  };
}

/** Streaming is what a request gets that does not ask for anything else. */
function readStreamingRequest(body: JsonValue): RequestFacts {
  return { ...readBodyRequest(body), stream: findField(body, 'stream') !== false };
}

function readMessage(message: JsonObject, notes: ReplyNotes): void {
  for (const call of findItems(message, 'tool_calls')) {
    const key = `tool ${notes.toolCallCount}`;
    notes.noteToolCall({ choice: 0, key, id: findText(call, 'id') }, findText(call, 'function', 'name'));
    notes.noteOutput();
  }
  const texts = [message.content, message.response, message.thinking];
  if (texts.some((text) => typeof text === 'string' && text !== '')) notes.noteOutput();
}

function makeOllamaUsage(counts: TokenCounts): Usage {
  return {
    inputTokens: counts.find(INPUT),
    outputTokens: counts.find(OUTPUT),
    cacheReadTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
    totalTokens: null,
  };
}
