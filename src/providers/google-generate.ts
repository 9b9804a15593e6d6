import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import type { Dialect, RequestFacts } from '../core/wire.js';
import { findField, findItems, findObject, findText, type JsonObject, readIndex } from './json-fields.js';
import { putGoogleModel } from './model-rewrite.js';
import type { ReplyLanguage, UsageSources } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest, readGoogleModel } from './request-facts.js';
import type { TokenCounts } from './token-counts.js';

const PROMPT = 'promptTokenCount';
const TOOL_PROMPT = 'toolUsePromptTokenCount';
const CACHED = 'cachedContentTokenCount';
const CANDIDATES = 'candidatesTokenCount';
const THOUGHTS = 'thoughtsTokenCount';
const TOTAL = 'totalTokenCount';
const USAGE_NAMES: readonly string[] = [PROMPT, TOOL_PROMPT, CACHED, CANDIDATES, THOUGHTS, TOTAL];

const GENERATE_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usageMetadata.promptTokenCount and usageMetadata.candidatesTokenCount',
  streamHint: null,
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const reply = findObject(document, 'response') ?? document;
    notes.noteResponseId(reply.responseId);
    notes.noteModel(reply.modelVersion);
    notes.noteUsage(reply.usageMetadata, USAGE_NAMES);
    for (const [position, candidate] of findItems(reply, 'candidates').entries())
      readCandidate(candidate, position, notes);
    notes.noteFinish(0, findField(reply, 'promptFeedback', 'blockReason'));
    notes.noteEnd(notes.isFinished);
  },
  listSources: listGenerateSources,
  makeUsage: makeGenerateUsage,
};

/**
 * Gemini's `generateContent` and `streamGenerateContent`, the latter as event stream (`?alt=sse`) or JSON array, each
 * also in the wrapping of the Gemini CLI's Code Assist API (`{ response: { … } }`, request `{ model, request }`).
 *
 * `usageMetadata` of a stream is cumulative: for each count the last frame that states it wins. `promptTokenCount`
 * includes the cached content; thinking stands outside `candidatesTokenCount`, tool results outside
 * `promptTokenCount`, and the total is the sum of the four. There is no end marker: the finish reason of the last
 * candidate is the end.
 * Sources: https://ai.google.dev/api/generate-content; read 2026-11-21 as types of the npm package `@google/genai` 2.32
 * (`GenerateContentResponseUsageMetadata`).
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

/** The model of the URL, else (Code Assist) that of the body. */
export function readGoogleRequest(body: JsonValue, path: string): RequestFacts {
  const facts = readBodyRequest(body);
  return { ...facts, model: readGoogleModel(path) ?? facts.model?.replace(/^models\//, '') ?? null, stream: false };
}

function readCandidate(candidate: JsonValue, position: number, notes: ReplyNotes): void {
  const index = readIndex(candidate, position);
  const parts = findItems(candidate, 'content', 'parts');
  for (const part of parts) {
    const name = findText(part, 'functionCall', 'name');
    if (name !== undefined) notes.noteToolCall({ choice: index, key: `call ${notes.toolCallCount}` }, name);
  }
  if (parts.some(isOutput)) notes.noteOutput();
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
