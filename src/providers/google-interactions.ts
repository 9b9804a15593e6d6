import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import type { Dialect, RequestFacts } from '../core/wire.js';
import { readErrorBody } from './error-body.js';
import { findItems, findObject, findText, isJsonObject, type JsonObject } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';
import { groupCounts, type TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

const INPUT = 'total_input_tokens';
const TOOL_INPUT = 'total_tool_use_tokens';
const CACHED = 'total_cached_tokens';
const OUTPUT = 'total_output_tokens';
const THOUGHTS = 'total_thought_tokens';
const TOTAL = 'total_tokens';
/** Counts by modality: lists of `{ modality, tokens }`. */
const INPUT_PARTS = 'input_tokens_by_modality';
const CACHED_PARTS = 'cached_tokens_by_modality';
const OUTPUT_PARTS = 'output_tokens_by_modality';
/** A list of `{ type, count }`. */
const SEARCHES = 'grounding_tool_count';
const DETAILS: DetailNames = {
  inputTextTokens: [`${INPUT_PARTS}.text`],
  inputAudioTokens: [`${INPUT_PARTS}.audio`],
  inputImageTokens: [`${INPUT_PARTS}.image`],
  inputVideoTokens: [`${INPUT_PARTS}.video`],
  cacheReadTextTokens: [`${CACHED_PARTS}.text`],
  cacheReadAudioTokens: [`${CACHED_PARTS}.audio`],
  cacheReadImageTokens: [`${CACHED_PARTS}.image`],
  outputTextTokens: [`${OUTPUT_PARTS}.text`],
  outputAudioTokens: [`${OUTPUT_PARTS}.audio`],
  outputImageTokens: [`${OUTPUT_PARTS}.image`],
  toolPromptTokens: [TOOL_INPUT],
  webSearches: [`${SEARCHES}.google_search`],
};
const USAGE_NAMES: readonly string[] = [INPUT, CACHED, OUTPUT, THOUGHTS, TOTAL, ...listDetailNames(DETAILS)];

const UNDER_WAY: ReadonlySet<string> = new Set(['in_progress', 'queued']);
const LAST_EVENTS: ReadonlySet<string> = new Set(['interaction.completed', 'interaction.complete']);
const CALL = '_call';

const INTERACTIONS_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.total_input_tokens and usage.total_output_tokens',
  streamHint: null,
  noOutput: null,
  readDocument(given: JsonObject, notes: ReplyNotes): void {
    const document = renameKeys(given);
    const type = findText(document, 'event_type');
    if (type === undefined) return readInteraction(document, notes);
    const interaction = findObject(document, 'interaction');
    if (interaction !== undefined) readInteraction(renameKeys(interaction), notes);
    if (type === 'interaction.status_update') readInteraction(document, notes);
    const metadata = findObject(document, 'metadata');
    if (metadata !== undefined) readUsage(renameKeys(metadata).total_usage, notes);
    if (type === 'step.start') readStep(document.step, document.index, notes);
    if (isOutput(type, document.delta)) notes.noteOutput();
    if (LAST_EVENTS.has(type)) notes.noteEnd();
  },
  listSources: () => ({ input: [INPUT, TOOL_INPUT], output: [OUTPUT, THOUGHTS] }),
  makeUsage: makeInteractionUsage,
  details: DETAILS,
};

/**
 * Google's Interactions, of a model or of an agent: the JSON reply is an interaction, with its `steps`; a stream has events
 * by step and ends with `interaction.completed`, which has the usage. An older shape has `outputs` and `content.delta`.
 *
 * As with `generateContent`, thinking stands outside of the output and tool results outside of the input. The status
 * stands for the finish reason. One that runs in the background says so, and no usage. Sources:
 * https://ai.google.dev/gemini-api/docs/interactions; read 2026-11-27 as types of the npm package `@google/genai` 2.32
 * (`Interaction`, `InteractionSSEEvent`, `Usage`); Vertex AI's names,
 * https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/rest/v1beta1/Usage (read 2026-11-27).
 */
export const googleInteractions: Dialect = {
  api: 'interactions',
  readRequest: readInteractionRequest,
  openReply: (head) => openReplyReader(head, INTERACTIONS_LANGUAGE),
  withModel: putBodyModel,
};

/** What answers is a model or, where none is named, an agent. */
function readInteractionRequest(body: JsonValue): RequestFacts {
  const facts = readBodyRequest(body);
  return { ...facts, model: facts.model ?? findText(body, 'agent')?.slice(0, 256) ?? null };
}

function readInteraction(interaction: JsonObject, notes: ReplyNotes): void {
  notes.noteResponseId(interaction.id);
  notes.noteModel(interaction.model ?? interaction.agent);
  notes.noteServiceTier(interaction.service_tier);
  readUsage(interaction.usage, notes);
  const [error] = findItems(interaction, 'errors');
  if (error !== undefined) notes.error ??= readErrorBody({ error }, true) ?? null;
  const status = findText(interaction, 'status');
  if (status !== undefined) noteStatus(status, notes);
  for (const [index, step] of findItems(interaction, 'steps').entries()) readStep(step, index, notes);
}

function noteStatus(status: string, notes: ReplyNotes): void {
  const isUnderWay = UNDER_WAY.has(status.toLowerCase());
  notes.pending = isUnderWay ? status : null;
  if (!isUnderWay) notes.noteFinish(0, status);
}

/** A step has the same id wherever it is told of, and not always the same place. */
function readStep(step: JsonValue | undefined, place: JsonValue | undefined, notes: ReplyNotes): void {
  const type = findText(step, 'type');
  if (type?.endsWith(CALL) !== true) return;
  const key = findText(step, 'id') ?? `step ${typeof place === 'number' ? place : notes.toolCallCount}`;
  notes.noteToolCall({ choice: 0, key }, findText(step, 'name') ?? type.slice(0, -CALL.length));
  notes.noteOutput();
}

/** A signature of thoughts is for the next request, and no output. */
function isOutput(type: string, delta: JsonValue | undefined): boolean {
  return (type === 'step.delta' || type === 'content.delta') && findText(delta, 'type') !== 'thought_signature';
}

function readUsage(given: JsonValue | undefined, notes: ReplyNotes): void {
  if (!isJsonObject(given)) return notes.noteUsage(given, []);
  const usage = renameKeys(given);
  const lists = [INPUT_PARTS, CACHED_PARTS, OUTPUT_PARTS].filter((name) => usage[name] !== undefined);
  const parts = lists.map((name) => [name, lowerKeys(groupCounts(findItems(usage, name), 'modality', 'tokens'))]);
  const searches = groupCounts(findItems(usage, SEARCHES), 'type', 'count');
  notes.noteUsage({ ...usage, ...Object.fromEntries(parts), [SEARCHES]: searches }, USAGE_NAMES);
}

/** Vertex AI writes `totalInputTokens` where Gemini's own API writes `total_input_tokens`. */
function renameKeys(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

/** Modalities are written in either case. */
function lowerKeys(counts: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name.toLowerCase(), count]));
}

function makeInteractionUsage(counts: TokenCounts): Usage {
  return {
    inputTokens: counts.sum(INPUT, [TOOL_INPUT]),
    outputTokens: counts.sum(OUTPUT, [THOUGHTS]),
    cacheReadTokens: counts.find(CACHED),
    cacheWriteTokens: null,
    reasoningTokens: counts.find(THOUGHTS),
    totalTokens: counts.find(TOTAL),
  };
}
