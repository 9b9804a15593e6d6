import type { JsonValue } from '../core/call-record.js';
import type { Dialect } from '../core/wire.js';
import { findField, findItems, findObject, findText, type JsonObject, readIndex } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import { listOpenaiSources, listUsageNames, makeOpenaiUsage, RESPONSES_USAGE } from './openai-usage.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

/** `usage` has the names of OpenAI's responses, but for the cache. */
const USAGE = {
  ...RESPONSES_USAGE,
  cacheRead: ['prompt_tokens_details.cached_tokens', ...RESPONSES_USAGE.cacheRead],
  cacheWrite: ['prompt_tokens_details.cache_creation_input_tokens', ...RESPONSES_USAGE.cacheWrite],
};
const DETAILS: DetailNames = {
  inputTextTokens: ['input_tokens_details.text_tokens'],
  inputImageTokens: ['image_tokens', 'input_tokens_details.image_tokens'],
  inputVideoTokens: ['video_tokens', 'input_tokens_details.video_tokens'],
  inputAudioTokens: ['audio_tokens', 'input_tokens_details.audio_tokens'],
  outputTextTokens: ['output_tokens_details.text_tokens'],
  inputCharacters: ['characters'],
};
const USAGE_NAMES = [...listUsageNames(USAGE), ...listDetailNames(DETAILS), 'image_count'];

const GENERATION_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.input_tokens and usage.output_tokens',
  streamHint: null,
  noOutput: null,
  noTokens: 'the reply counts something else than tokens (usageDetails)',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const { usage } = document;
    notes.noteResponseId(document.request_id);
    notes.noteUsage(usage, USAGE_NAMES);
    notes.noteAmount('outputImages', findField(usage, 'image_count'));
    notes.noteAmount('inputSeconds', findField(usage, 'seconds'));
    const output = findObject(document, 'output');
    if (output === undefined) return;
    const choices = findItems(output, 'choices');
    for (const [position, choice] of choices.entries()) readChoice(choice, readIndex(choice, position), notes);
    if (choices.length === 0) readText(output, notes);
    notes.noteEnd(notes.isFinished);
  },
  details: DETAILS,
  listSources: () => listOpenaiSources(USAGE),
  makeUsage: (counts) => makeOpenaiUsage(counts, USAGE),
};

/**
 * DashScope's own generation, of text and of everything else (`multimodal-generation`). `output` has `choices` or, in its
 * older format, `text` beside its own finish reason; in a stream (`X-DashScope-SSE: enable`) every event repeats the usage,
 * cumulative, and a finish reason of `"null"`, in quotes, says that it goes on. Replies name no model. Source:
 * https://www.alibabacloud.com/help/en/model-studio/developer-reference/qwen-model-api-details (read 2026-11-27).
 */
export const dashscopeGeneration: Dialect = {
  api: 'generation',
  readRequest: (body) => readBodyRequest(body),
  openReply: (head) => openReplyReader(head, GENERATION_LANGUAGE),
  withModel: putBodyModel,
};

function readChoice(choice: JsonValue, index: number, notes: ReplyNotes): void {
  notes.noteChoice(index);
  noteReason(findField(choice, 'finish_reason'), index, notes);
  const message = findObject(choice, 'message');
  if (message === undefined) return;
  for (const [position, call] of findItems(message, 'tool_calls').entries()) {
    const key = `tool ${readIndex(call, position)}`;
    const id = findText(call, 'id');
    notes.noteToolCall({ choice: index, key, id }, findText(call, 'function', 'name'));
    notes.noteOutput();
  }
  const hasText = findText(message, 'content') ?? findText(message, 'reasoning_content');
  if (hasText !== undefined || findItems(message, 'content').length > 0) notes.noteOutput();
}

function readText(output: JsonObject, notes: ReplyNotes): void {
  notes.noteChoice(0);
  noteReason(output.finish_reason, 0, notes);
  if (findText(output, 'text') !== undefined || findObject(output, 'audio') !== undefined) notes.noteOutput();
}

function noteReason(reason: JsonValue | undefined, index: number, notes: ReplyNotes): void {
  if (reason !== 'null') notes.noteFinish(index, reason);
}
