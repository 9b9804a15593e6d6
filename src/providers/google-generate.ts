import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import type { Dialect, RequestFacts } from '../core/wire.js';
import { findField, findItems, findObject, findText, isJsonObject, type JsonObject, readIndex } from './json-fields.js';
import { putGoogleModel } from './model-rewrite.js';
import type { ReplyLanguage, UsageSources } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest, readGoogleEndpoint, readGoogleModel } from './request-facts.js';
import { groupCounts, type TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

const PROMPT = 'promptTokenCount';
const TOOL_PROMPT = 'toolUsePromptTokenCount';
const CACHED = 'cachedContentTokenCount';
const CANDIDATES = 'candidatesTokenCount';
const THOUGHTS = 'thoughtsTokenCount';
const TOTAL = 'totalTokenCount';
/** Counts by modality: lists of `{ modality, tokenCount }`. */
const PROMPT_DETAILS = 'promptTokensDetails';
const CACHE_DETAILS = 'cacheTokensDetails';
const CANDIDATES_DETAILS = 'candidatesTokensDetails';
const MODALITY_LISTS = [PROMPT_DETAILS, CACHE_DETAILS, CANDIDATES_DETAILS] as const;
const DETAILS: DetailNames = {
  inputTextTokens: [`${PROMPT_DETAILS}.TEXT`],
  inputAudioTokens: [`${PROMPT_DETAILS}.AUDIO`],
  inputImageTokens: [`${PROMPT_DETAILS}.IMAGE`],
  inputVideoTokens: [`${PROMPT_DETAILS}.VIDEO`],
  cacheReadTextTokens: [`${CACHE_DETAILS}.TEXT`],
  cacheReadAudioTokens: [`${CACHE_DETAILS}.AUDIO`],
  cacheReadImageTokens: [`${CACHE_DETAILS}.IMAGE`],
  outputTextTokens: [`${CANDIDATES_DETAILS}.TEXT`],
  outputAudioTokens: [`${CANDIDATES_DETAILS}.AUDIO`],
  outputImageTokens: [`${CANDIDATES_DETAILS}.IMAGE`],
  toolPromptTokens: [TOOL_PROMPT],
};
const USAGE_NAMES: readonly string[] = [PROMPT, CACHED, CANDIDATES, THOUGHTS, TOTAL, ...listDetailNames(DETAILS)];

/** How replies of `generateContent` are read. */
export const GENERATE_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usageMetadata.promptTokenCount and usageMetadata.candidatesTokenCount',
  streamHint: null,
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const reply = findObject(document, 'response') ?? document;
    notes.noteResponseId(reply.responseId);
    notes.noteModel(reply.modelVersion);
    readUsage(reply.usageMetadata, notes);
    for (const [position, candidate] of findItems(reply, 'candidates').entries())
      readCandidate(candidate, position, notes);
    notes.noteFinish(0, findField(reply, 'promptFeedback', 'blockReason'));
    notes.noteEnd(notes.isFinished);
  },
  listSources: listGenerateSources,
  makeUsage: makeGenerateUsage,
  details: DETAILS,
};

/**
 * Gemini's `generateContent` and `streamGenerateContent`, the latter as event stream (`?alt=sse`) or JSON array, each
 * also in the wrapping of the Gemini CLI's Code Assist API (`{ response: { … } }`, request `{ model, request }`).
 *
 * `usageMetadata` of a stream is cumulative: for each count the last frame that states it wins. `promptTokenCount`
 * includes the cached content; thinking stands outside `candidatesTokenCount`, tool results outside
 * `promptTokenCount`, and the total is the sum of the four. There is no end marker: the finish reason of the last
 * candidate is the end. What it searched the web for (grounding) stands with the candidate. Vertex AI names what traffic it was billed as (`trafficType`), Gemini's own API the `serviceTier`.
 * Sources: https://ai.google.dev/api/generate-content; read 2026-11-21 as types of the npm package `@google/genai` 2.32
 * (`GenerateContentResponseUsageMetadata`, `ModalityTokenCount`, `TrafficType`).
 */
export const googleGenerate: Dialect = makeGoogleDialect('generateContent', false);

/** The streaming method; its replies are read as those of `generateContent`. */
export const googleStreamGenerate: Dialect = makeGoogleDialect('streamGenerateContent', true);

function makeGoogleDialect(api: string, stream: boolean): Dialect {
  return {
    api,
    readRequest: (body, path) => ({ ...readGoogleRequest(body, path), stream }),
    openReply: (head) => openReplyReader(head, GENERATE_LANGUAGE),
    withModel: putGoogleModel,
  };
}

/** The model of the URL, else (Code Assist) that of the body, else the endpoint a tuned model of Vertex AI is deployed to. */
export function readGoogleRequest(body: JsonValue, path: string): RequestFacts {
  const facts = readBodyRequest(body);
  const model = readGoogleModel(path) ?? facts.model?.replace(/^models\//, '') ?? readGoogleEndpoint(path);
  return { ...facts, model, stream: false };
}

function readUsage(usage: JsonValue | undefined, notes: ReplyNotes): void {
  notes.noteServiceTier(findField(usage, 'serviceTier') ?? findField(usage, 'trafficType'));
  if (!isJsonObject(usage)) {
    notes.noteUsage(usage, []);
    return;
  }
  const lists = MODALITY_LISTS.filter((name) => usage[name] !== undefined);
  const byModality = lists.map((name) => [name, groupCounts(findItems(usage, name), 'modality', 'tokenCount')]);
  notes.noteUsage({ ...usage, ...Object.fromEntries(byModality) }, USAGE_NAMES);
}

function readCandidate(candidate: JsonValue, position: number, notes: ReplyNotes): void {
  const index = readIndex(candidate, position);
  const parts = findItems(candidate, 'content', 'parts');
  for (const part of parts) {
    const name = findText(part, 'functionCall', 'name');
    if (name !== undefined) notes.noteToolCall({ choice: index, key: `call ${notes.toolCallCount}` }, name);
  }
  if (parts.some(isOutput)) notes.noteOutput();
  const searches = findItems(candidate, 'groundingMetadata', 'webSearchQueries').length;
  if (searches > 0) notes.noteAmount('webSearches', searches);
  notes.noteChoice(index);
  notes.noteFinish(index, findField(candidate, 'finishReason'));
}

/** An empty text, as the last frame may have, is no output. */
function isOutput(part: JsonValue): boolean {
  return findField(part, 'text') !== '';
}

function isCandidatesLeftOut(counts: TokenCounts): boolean {
  return counts.find(CANDIDATES) === null && !counts.isBad(CANDIDATES);
}

function listGenerateSources(counts: TokenCounts): UsageSources {
  const input = [PROMPT, TOOL_PROMPT];
  return { input, output: isCandidatesLeftOut(counts) ? [TOTAL, ...input] : [CANDIDATES, THOUGHTS] };
}

/**
 * NOTE: a count of zero may be left out (a reply that was all thinking has no `candidatesTokenCount`). The total then
 * tells the output, since it is the sum of everything.
 */
function makeGenerateUsage(counts: TokenCounts): Usage {
  const input = counts.sum(PROMPT, [TOOL_PROMPT]);
  const total = counts.find(TOTAL);
  const rest = input === null || total === null || total < input ? null : total - input;
  return {
    inputTokens: input,
    outputTokens: isCandidatesLeftOut(counts) ? rest : counts.sum(CANDIDATES, [THOUGHTS]),
    cacheReadTokens: counts.find(CACHED),
    cacheWriteTokens: null,
    reasoningTokens: counts.find(THOUGHTS),
    totalTokens: total,
  };
}
