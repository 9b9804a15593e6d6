import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import type { Dialect, RequestFacts } from '../core/wire.js';
import { findField, findItems, findText, type JsonObject } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';
import type { TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

const INPUT = 'prompt_tokens';
const OUTPUT = 'completion_tokens';
const TOTAL = 'total_tokens';
/** Of what the provider's own tools gave the model to read. */
const TOOL_INPUT = 'connector_tokens';
const DETAILS: DetailNames = {
  toolPromptTokens: [TOOL_INPUT],
  webSearches: ['connectors.web_search', 'connectors.web_search_premium'],
};
const USAGE_NAMES: readonly string[] = [INPUT, OUTPUT, TOTAL, ...listDetailNames(DETAILS)];

const OUTPUT_EVENTS: ReadonlySet<string> = new Set(['message.output.delta', 'function.call.delta']);
/** Entries, and the events that tell of one for the first time. */
const TOOLS: ReadonlySet<string> = new Set([
  ...['function.call', 'tool.execution'],
  ...['function.call.delta', 'tool.execution.started'],
]);

const CONVERSATIONS_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.prompt_tokens and usage.completion_tokens',
  streamHint: null,
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const type = findText(document, 'type');
    notes.noteUsage(document.usage, USAGE_NAMES);
    if (type === undefined) return readOutputs(document, notes);
    readEntry(document, document.output_index, notes);
    if (OUTPUT_EVENTS.has(type)) notes.noteOutput();
    if (type === 'conversation.response.error') noteError(document, notes);
    if (type === 'conversation.response.done') notes.noteEnd();
  },
  listSources: () => ({ input: [INPUT, TOOL_INPUT], output: [OUTPUT] }),
  makeUsage: makeConversationUsage,
  details: DETAILS,
};

/**
 * Mistral's conversations, begun, continued or restarted, of a model or an agent. The JSON reply has `outputs`, entries of
 * several kinds; a stream has events by entry and ends with `conversation.response.done`, with the usage. A reply has no id
 * of its own and no finish reason: `conversation_id` names what it belongs to. What tools gave the model to read
 * (`connector_tokens`) stands outside of the prompt, and in the total. Sources:
 * https://docs.mistral.ai/api/endpoint/beta/conversations; read 2026-11-27 as types of the npm package `@mistralai/mistralai`
 * 2.7 (`ConversationResponse`, `ConversationEvents`, `ConversationUsageInfo`).
 */
export const mistralConversations: Dialect = {
  api: 'conversations',
  readRequest: readConversationRequest,
  openReply: (head) => openReplyReader(head, CONVERSATIONS_LANGUAGE),
  withModel: putBodyModel,
};

/** A request that goes on with a conversation names neither model nor agent. */
function readConversationRequest(body: JsonValue): RequestFacts {
  const facts = readBodyRequest(body);
  return { ...facts, model: facts.model ?? findText(body, 'agent_id')?.slice(0, 256) ?? null };
}

function readOutputs(document: JsonObject, notes: ReplyNotes): void {
  for (const [index, entry] of findItems(document, 'outputs').entries()) readEntry(entry, index, notes);
}

function readEntry(entry: JsonValue, place: JsonValue | undefined, notes: ReplyNotes): void {
  notes.noteModel(findField(entry, 'model'));
  if (!TOOLS.has(findText(entry, 'type') ?? '')) return;
  const key = findText(entry, 'id') ?? `entry ${typeof place === 'number' ? place : notes.toolCallCount}`;
  notes.noteToolCall({ choice: 0, key }, findText(entry, 'name'));
}

function noteError(event: JsonObject, notes: ReplyNotes): void {
  const { code } = event;
  const message = findText(event, 'message') ?? 'The stream ended with an error.';
  notes.error ??= { code: typeof code === 'number' ? String(code) : 'error', message: message.slice(0, 2000) };
}

function makeConversationUsage(counts: TokenCounts): Usage {
  return {
    inputTokens: counts.sum(INPUT, [TOOL_INPUT]),
    outputTokens: counts.find(OUTPUT),
    cacheReadTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
    totalTokens: counts.find(TOTAL),
  };
}
