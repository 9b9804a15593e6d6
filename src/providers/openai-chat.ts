import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import { isFurtherChunk } from './chat-chunk.js';
import { findField, findItems, findObject, findText, isJsonObject, type JsonObject, readIndex } from './json-fields.js';
import { putOpenaiModel } from './model-rewrite.js';
import { noteChoiceUsage, noteOpenaiDocument } from './openai-document.js';
import { COMPLETION_DETAILS, COMPLETION_USAGE, listOpenaiSources, makeOpenaiUsage } from './openai-usage.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readOpenaiRequest } from './request-facts.js';
import type { TokenCounts } from './token-counts.js';

/** Texts of a delta or message that are model output: the answer, reasoning as vLLM, DeepSeek and OpenRouter name it. */
const OUTPUT_TEXTS = ['content', 'reasoning_content', 'reasoning', 'refusal'] as const;

/**
 * OpenAI's models that search the web in each call, for a fee, of which the reply says nothing. Source:
 * https://developers.openai.com/api/docs/guides/tools-web-search (read 2026-11-27).
 */
const SEARCH_MODEL = /(?:^|\/)gpt-[\w.-]*-search-(?:preview|api)/;

/** How chat completions are read. */
export const CHAT_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.prompt_tokens and usage.completion_tokens',
  streamHint: 'it comes only when the request asks for it by stream_options.include_usage',
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    noteOpenaiDocument(document, notes);
    for (const [position, choice] of findItems(document, 'choices').entries()) readChoice(choice, position, notes);
    if (notes.model !== null && SEARCH_MODEL.test(notes.model)) notes.noteOneAt('webSearches', 0);
  },
  isFurtherOutput: isFurtherChunk,
  details: COMPLETION_DETAILS,
  listSources: () => listOpenaiSources(COMPLETION_USAGE),
  makeUsage: (counts: TokenCounts): Usage => makeOpenaiUsage(counts, COMPLETION_USAGE),
};

/**
 * Chat completions of OpenAI and of everyone who copies them.
 *
 * A JSON reply has `choices[].message`, a stream's frames `choices[].delta`, then a frame with `choices: []` and the
 * usage when that was asked for, then `data: [DONE]`. Source: https://platform.openai.com/docs/api-reference/chat and
 * `/chat-streaming`; read 2026-11-21 as types of the npm package `openai` 6.49.
 */
export const openaiChat: Dialect = {
  api: 'chat.completions',
  readRequest: readOpenaiRequest,
  openReply: (head) => openReplyReader(head, CHAT_LANGUAGE),
  withModel: putOpenaiModel,
};

/**
 * Chat completions as Google serves them, where thinking is left out of `completion_tokens` but not of the total:
 * output is what the total leaves. Source: the native API's counts, `totalTokenCount` being the sum of all
 * (`GenerateContentResponseUsageMetadata` of the npm package `@google/genai` 2.32, read 2026-11-21).
 */
export const googleOpenaiChat: Dialect = {
  api: 'chat.completions',
  readRequest: readOpenaiRequest,
  openReply: (head) => openReplyReader(head, { ...CHAT_LANGUAGE, makeUsage: makeUsageByTotal }),
  withModel: putOpenaiModel,
};

function makeUsageByTotal(counts: TokenCounts): Usage {
  const usage = makeOpenaiUsage(counts, COMPLETION_USAGE);
  const { inputTokens, outputTokens, totalTokens } = usage;
  if (inputTokens === null || outputTokens === null || totalTokens === null) return usage;
  return { ...usage, outputTokens: Math.max(outputTokens, totalTokens - inputTokens) };
}

function readChoice(choice: JsonValue, position: number, notes: ReplyNotes): void {
  const index = readIndex(choice, position);
  noteChoiceUsage(choice, notes);
  notes.noteFinish(index, findField(choice, 'finish_reason'));
  const message = findObject(choice, 'delta') ?? findObject(choice, 'message');
  if (message !== undefined) readChatMessage(message, index, notes);
  // What Mistral's connectors were asked and said, all in one choice: https://docs.mistral.ai, "Using Connectors in Chat Completions".
  for (const each of findItems(choice, 'messages')) if (isJsonObject(each)) readChatMessage(each, index, notes);
}

function readChatMessage(message: JsonObject, index: number, notes: ReplyNotes): void {
  notes.noteChoice(index);
  const calls = findItems(message, 'tool_calls');
  for (const [at, call] of calls.entries()) readToolCall(call, { choice: index, position: at }, notes);
  const old = findText(message, 'function_call', 'name');
  if (old !== undefined) notes.noteToolCall({ choice: index, key: 'function_call' }, old);
  if (calls.length > 0 || findObject(message, 'function_call') !== undefined || hasOutput(message)) notes.noteOutput();
}

function readToolCall(call: JsonValue, place: { choice: number; position: number }, notes: ReplyNotes): void {
  const name = findText(call, 'function', 'name') ?? findText(call, 'custom', 'name');
  const key = `tool ${readIndex(call, place.position)}`;
  notes.noteToolCall({ choice: place.choice, key, id: findText(call, 'id') }, name);
}

function hasOutput(message: JsonObject): boolean {
  return (
    OUTPUT_TEXTS.some((name) => findText(message, name) !== undefined) ||
    findItems(message, 'content').length > 0 ||
    findObject(message, 'audio') !== undefined
  );
}
