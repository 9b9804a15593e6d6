import type { JsonValue } from '../core/call-record.js';
import type { Dialect } from '../core/wire.js';
import { COHERE_DETAILS, listCohereSources, makeCohereUsage, noteCohereUsage } from './cohere-usage.js';
import { findField, findItems, findObject, findText, type JsonObject, readIndex } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';

const OUTPUT_EVENTS: ReadonlySet<string> = new Set([
  'text-generation',
  'tool-calls-generation',
  'tool-calls-chunk',
  'search-queries-generation',
]);

const ANSWER_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage in meta.billed_units and meta.tokens',
  streamHint: null,
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const event = findText(document, 'event_type');
    if (event === undefined) readAnswer(document, notes);
    else readEvent(event, document, notes);
  },
  details: COHERE_DETAILS,
  listSources: listCohereSources,
  makeUsage: makeCohereUsage,
};

const STREAM_LANGUAGE: ReplyLanguage = { ...ANSWER_LANGUAGE, streamsLines: true };

/**
 * Cohere's chat, version 1. A stream comes as JSON events, one to a line (`application/stream+json`), or as server-sent
 * events where the client asked for them; the last, `stream-end`, carries the whole reply as `response`. Sources:
 * https://docs.cohere.com/v1/reference/chat and https://docs.cohere.com/v1/reference/chat-stream; read 2026-11-27 as types
 * and stream shapes of the npm package `cohere-ai` 8.1.
 */
export const cohereChatV1: Dialect = makeDialect('chat');

/** Cohere's older completions, deprecated but served: `generations[]`, streamed as chat is. Source as above. */
export const cohereGenerate: Dialect = makeDialect('generate');

function makeDialect(api: string): Dialect {
  return {
    api,
    readRequest: (body) => readBodyRequest(body),
    openReply: (head, request) => openReplyReader(head, request.stream ? STREAM_LANGUAGE : ANSWER_LANGUAGE),
    withModel: putBodyModel,
  };
}

function readEvent(event: string, document: JsonObject, notes: ReplyNotes): void {
  if (OUTPUT_EVENTS.has(event)) notes.noteOutput();
  readTools(document, notes);
  if (event === 'stream-error') noteStreamError(document, notes);
  if (event !== 'stream-end') return;
  notes.noteFinish(0, document.finish_reason);
  const response = findObject(document, 'response');
  if (response !== undefined) readAnswer(response, notes);
  notes.noteEnd();
}

function readAnswer(answer: JsonObject, notes: ReplyNotes): void {
  notes.noteResponseId(answer.response_id ?? answer.id);
  notes.noteFinish(0, answer.finish_reason);
  for (const [position, generation] of findItems(answer, 'generations').entries())
    notes.noteFinish(readIndex(generation, position), findField(generation, 'finish_reason'));
  readTools(answer, notes);
  noteCohereUsage(answer.meta, notes);
}

function readTools(document: JsonValue, notes: ReplyNotes): void {
  for (const [index, call] of findItems(document, 'tool_calls').entries())
    notes.noteToolCall({ choice: 0, key: `tool ${index}` }, findText(call, 'name'));
}

function noteStreamError(document: JsonObject, notes: ReplyNotes): void {
  const message = findText(document, 'err') ?? 'The stream ended with an error.';
  notes.error ??= { code: findText(document, 'finish_reason') ?? 'error', message: message.slice(0, 2000) };
}
