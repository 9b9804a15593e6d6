import type { JsonValue } from '../core/call-record.js';
import type { Dialect } from '../core/wire.js';
import { listMessagesSources, MESSAGES_DETAILS, makeMessagesUsage, noteMessagesUsage } from './anthropic-usage.js';
import { rememberShape } from './chunk-shape.js';
import { findField, findItems, findText, type JsonObject } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';

const TOOL_TYPES: ReadonlySet<string> = new Set(['tool_use', 'server_tool_use', 'mcp_tool_use']);

/** What a piece of output may begin with, as Anthropic writes it. */
const DELTA = '{"type":"content_block_delta",';
/** An error, and letters by number, which could spell it. */
const NOTED = /"error"|\\u00/;

/** How messages are read. */
export const MESSAGES_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.input_tokens and usage.output_tokens',
  streamHint: null,
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const { type } = document;
    if (type === 'message_start') readMessage(document.message, notes);
    else if (type === 'content_block_start') readBlockStart(document, notes);
    else if (type === 'content_block_delta') notes.noteOutput();
    else if (type === 'message_delta') readMessageDelta(document, notes);
    else if (type === 'message_stop') notes.noteEnd();
    else if (document.content !== undefined || document.usage !== undefined) readMessage(document, notes);
  },
  isFurtherOutput: rememberShape(isFurtherDelta),
  listSources: listMessagesSources,
  makeUsage: makeMessagesUsage,
  details: MESSAGES_DETAILS,
};

/**
 * Anthropic's messages, and those of hosts that copy them.
 *
 * `input_tokens` leaves out what was read from and written to the cache, so the three are summed; `output_tokens`
 * includes thinking. A stream states usage in `message_start` and again, cumulative, in `message_delta`: what is stated
 * later wins, what is left out stays. Sources: https://docs.claude.com/en/api/messages and
 * https://docs.claude.com/en/docs/build-with-claude/streaming; read 2026-11-21 as types of the npm package
 * `@anthropic-ai/sdk` 1.11 (`Usage`, `MessageDeltaUsage`).
 */
export const anthropicMessages: Dialect = {
  api: 'messages',
  readRequest: (body) => readBodyRequest(body),
  openReply: (head) => openReplyReader(head, MESSAGES_LANGUAGE),
  withModel: putBodyModel,
};

/** Of `ReplyLanguage.isFurtherOutput`, whatever came before. */
export function isFurtherDelta(data: string): boolean {
  return data.startsWith(DELTA) && data.endsWith('}') && !NOTED.test(data);
}

function readMessage(message: JsonValue | undefined, notes: ReplyNotes): void {
  notes.noteResponseId(findField(message, 'id'));
  notes.noteModel(findField(message, 'model'));
  noteMessagesUsage(findField(message, 'usage'), notes);
  notes.noteServiceTier(findField(message, 'usage', 'service_tier'));
  // A mode at several times the price, which the tier does not tell (`Usage.speed` of `@anthropic-ai/sdk` 1.11).
  if (findText(message, 'usage', 'speed') === 'fast') notes.noteServiceTier('fast');
  notes.noteFinish(0, findField(message, 'stop_reason'));
  for (const [index, block] of findItems(message, 'content').entries()) noteTool(block, index, notes);
}

function readMessageDelta(document: JsonObject, notes: ReplyNotes): void {
  noteMessagesUsage(document.usage, notes);
  notes.noteFinish(0, findField(document, 'delta', 'stop_reason'));
}

function readBlockStart(document: JsonObject, notes: ReplyNotes): void {
  const index = findField(document, 'index');
  const block = findField(document, 'content_block');
  if (noteTool(block, typeof index === 'number' ? index : notes.toolCallCount, notes)) notes.noteOutput();
}

function noteTool(block: JsonValue | undefined, index: number, notes: ReplyNotes): boolean {
  const isTool = TOOL_TYPES.has(findText(block, 'type') ?? '');
  if (isTool) notes.noteToolCall({ choice: 0, key: `block ${index}` }, findText(block, 'name'));
  return isTool;
}
