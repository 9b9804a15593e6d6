import type { JsonValue } from '../core/call-record.js';
import type { Dialect } from '../core/wire.js';
import { rememberShape } from './chunk-shape.js';
import { readErrorBody } from './error-body.js';
import { findField, findItems, findObject, findText, type JsonObject } from './json-fields.js';
import { putOpenaiModel } from './model-rewrite.js';
import {
  listOpenaiSources,
  listUsageNames,
  makeOpenaiUsage,
  RESPONSES_USAGE,
  readReportedUsd,
} from './openai-usage.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readOpenaiRequest } from './request-facts.js';

const USAGE_NAMES = listUsageNames(RESPONSES_USAGE);
const LAST_EVENTS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed']);
const LAST_STATUSES: ReadonlySet<string> = new Set(['completed', 'incomplete', 'failed', 'cancelled']);
const CALL = '_call';

/** What a piece of text begins with, as OpenAI writes it. */
const DELTA = '{"type":"response.output_text.delta",';
/** A response or an error, and letters by number, which could spell them. */
const NOTED = /"(?:response|error)"|\\u00/;

/** How responses are read. */
export const RESPONSES_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.input_tokens and usage.output_tokens of the response',
  streamHint: null,
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const type = findText(document, 'type');
    const response = findObject(document, 'response');
    if (type === undefined || response !== undefined) readResponse(response ?? document, notes);
    if (type === undefined) return;
    if (LAST_EVENTS.has(type)) notes.noteEnd();
    if (type.endsWith('.delta') || type === 'response.output_item.done') notes.noteOutput();
    if (type.startsWith('response.output_item.'))
      readItem(findField(document, 'item'), readPlace(findField(document, 'output_index')), notes);
  },
  isFurtherOutput: rememberShape((data) => data.startsWith(DELTA) && data.endsWith('}') && !NOTED.test(data)),
  listSources: () => listOpenaiSources(RESPONSES_USAGE),
  makeUsage: (counts) => makeOpenaiUsage(counts, RESPONSES_USAGE),
};

/**
 * The Responses API of OpenAI and of those who copy it, compaction (`/v1/responses/compact`) included.
 *
 * The JSON reply is a response object; a stream's events carry it as `response`, last in `response.completed`,
 * `response.incomplete` or `response.failed`, with the usage. A response has no finish reason: its status stands for
 * it, or what `incomplete_details` gives. Tools run by the provider (`web_search_call`) count by their type. Source:
 * https://platform.openai.com/docs/api-reference/responses and `/responses-streaming`; read 2026-11-21 as types of the
 * npm package `openai` 6.49.
 */
export const openaiResponses: Dialect = {
  api: 'responses',
  readRequest: readOpenaiRequest,
  openReply: (head) => openReplyReader(head, RESPONSES_LANGUAGE),
  withModel: putOpenaiModel,
};

function readResponse(response: JsonObject, notes: ReplyNotes): void {
  notes.noteResponseId(response.id);
  notes.noteModel(response.model);
  notes.noteServiceTier(response.service_tier);
  notes.noteReportedUsd(readReportedUsd(response.usage));
  notes.noteUsage(response.usage, USAGE_NAMES);
  notes.error ??= readErrorBody(response, false) ?? null;
  const status = findText(response, 'status');
  const isLast = status !== undefined && LAST_STATUSES.has(status);
  notes.pending = isLast ? null : (status ?? null);
  if (isLast) notes.noteFinish(0, findText(response, 'incomplete_details', 'reason') ?? status);
  for (const [index, item] of findItems(response, 'output').entries()) readItem(item, index, notes);
}

/** An item is noted by its place, so that the whole response of the last event adds nothing to its items' events. */
function readItem(item: JsonValue | undefined, index: number, notes: ReplyNotes): void {
  const type = findText(item, 'type');
  if (!type?.endsWith(CALL)) return;
  readSearch(item, index, notes);
  notes.noteToolCall({ choice: index, key: 'item' }, findText(item, 'name') ?? type.slice(0, -CALL.length));
}

/**
 * Searches are billed by the call, also one of several queries; opening what was found is not. While one is under way, its
 * action is not known; one that failed is not counted. Earlier models state no action of their only one. Source:
 * https://developers.openai.com/api/docs/pricing, Tools, and `ResponseFunctionWebSearch` of the npm package `openai` 6.49
 * (read 2026-11-27).
 */
function readSearch(item: JsonValue | undefined, index: number, notes: ReplyNotes): void {
  if (findText(item, 'status') !== 'completed') return;
  const type = findText(item, 'type');
  const action = findText(item, 'action', 'type') ?? 'search';
  if (type === 'web_search_call' && action === 'search') notes.noteOneAt('webSearches', index);
  if (type === 'file_search_call') notes.noteOneAt('fileSearches', index);
}

function readPlace(index: JsonValue | undefined): number {
  return typeof index === 'number' ? index : 0;
}
