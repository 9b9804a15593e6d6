import type { Dialect } from '../core/wire.js';
import { rememberShape } from './chunk-shape.js';
import { COHERE_DETAILS, listCohereSources, makeCohereUsage, noteCohereUsage } from './cohere-usage.js';
import { findField, findItems, findObject, findText, type JsonObject } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';

/** What a piece of text begins with, as Cohere writes it. */
const DELTA = '{"type":"content-delta",';
/** An error, and letters by number, which could spell it. */
const NOTED = /"error"|\\u00/;
const OUTPUT_EVENTS: ReadonlySet<string> = new Set(['content-delta', 'tool-plan-delta', 'tool-call-delta']);

const CHAT_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.billed_units and usage.tokens',
  streamHint: null,
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const type = findText(document, 'type');
    if (type === undefined) readReply(document, notes);
    else if (type === 'message-start') notes.noteResponseId(document.id);
    else if (type === 'tool-call-start') readToolStart(document, notes);
    else if (type === 'message-end') readEnd(document, notes);
    else if (OUTPUT_EVENTS.has(type)) notes.noteOutput();
  },
  isFurtherOutput: rememberShape((data) => data.startsWith(DELTA) && data.endsWith('}') && !NOTED.test(data)),
  details: COHERE_DETAILS,
  listSources: listCohereSources,
  makeUsage: makeCohereUsage,
};

/**
 * Cohere's chat, version 2. A stream's events carry their name in `type`; `message-end` has the finish reason and the
 * usage, then comes `data: [DONE]`. Replies name no model. Sources: https://docs.cohere.com/reference/chat and
 * https://docs.cohere.com/v2/docs/streaming; read 2026-11-27 as types of the npm package `cohere-ai` 8.1.
 */
export const cohereChat: Dialect = {
  api: 'chat',
  readRequest: (body) => readBodyRequest(body),
  openReply: (head) => openReplyReader(head, CHAT_LANGUAGE),
  withModel: putBodyModel,
};

function readReply(reply: JsonObject, notes: ReplyNotes): void {
  notes.noteResponseId(reply.id);
  notes.noteFinish(0, reply.finish_reason);
  noteCohereUsage(reply.usage, notes);
  for (const [index, call] of findItems(reply, 'message', 'tool_calls').entries()) noteTool(call, index, notes);
}

function readToolStart(event: JsonObject, notes: ReplyNotes): void {
  const { index } = event;
  const call = findObject(event, 'delta', 'message', 'tool_calls');
  if (call !== undefined) noteTool(call, typeof index === 'number' ? index : notes.toolCallCount, notes);
  notes.noteOutput();
}

function noteTool(call: JsonObject[string], index: number, notes: ReplyNotes): void {
  const key = `tool ${index}`;
  notes.noteToolCall({ choice: 0, key, id: findText(call, 'id') }, findText(call, 'function', 'name'));
}

function readEnd(event: JsonObject, notes: ReplyNotes): void {
  noteCohereUsage(findField(event, 'delta', 'usage'), notes);
  notes.noteFinish(0, findField(event, 'delta', 'finish_reason'));
  const message = findText(event, 'delta', 'error');
  if (message !== undefined) notes.error ??= { code: 'error', message: message.slice(0, 2000) };
  notes.noteEnd();
}
