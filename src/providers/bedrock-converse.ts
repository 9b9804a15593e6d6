import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import { rememberShape } from './chunk-shape.js';
import { findField, findItems, findObject, findText, type JsonObject } from './json-fields.js';
import { putBedrockModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBedrockRequest } from './request-facts.js';
import { groupCounts, type TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

const INPUT = 'inputTokens';
const OUTPUT = 'outputTokens';
const TOTAL = 'totalTokens';
/** The second name is Nova's own, in its replies to InvokeModel. */
const CACHE_READ: readonly [string, string] = ['cacheReadInputTokens', 'cacheReadInputTokenCount'];
const CACHE_WRITE: readonly [string, string] = ['cacheWriteInputTokens', 'cacheWriteInputTokenCount'];
const CACHE_DETAILS = 'cacheDetails';
const DETAILS: DetailNames = {
  cacheWrite5mTokens: [`${CACHE_DETAILS}.5m`],
  cacheWrite1hTokens: [`${CACHE_DETAILS}.1h`],
};
const USAGE_NAMES: readonly string[] = [INPUT, OUTPUT, TOTAL, ...CACHE_READ, ...CACHE_WRITE];

/** What a piece of output begins with: the name of its event, as `aws-event.ts` writes it, stands before its payload. */
const DELTA = '{"contentBlockDelta":';
/** What else a document may say, and letters by number, which could spell it. */
const NOTED = /"(?:metadata|messageStop|contentBlockStart|usage|stopReason|output|error)"|\\u00/;

/** How Converse's replies are read, and those of Amazon Nova, which are alike. */
export const CONVERSE_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.inputTokens and usage.outputTokens',
  streamHint: null,
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const last = findObject(document, 'metadata');
    readMetadata(last ?? document, notes);
    for (const [index, block] of findItems(document, 'output', 'message', 'content').entries())
      noteTool(block, index, notes);
    if (document.contentBlockStart !== undefined) readBlockStart(document.contentBlockStart, notes);
    if (document.contentBlockDelta !== undefined) notes.noteOutput();
    notes.noteFinish(0, document.stopReason);
    notes.noteFinish(0, findField(document, 'messageStop', 'stopReason'));
    if (last !== undefined) notes.noteSettled();
    notes.noteEnd(notes.isFinished && !notes.counts.isEmpty);
  },
  isFurtherOutput: rememberShape((data) => data.startsWith(DELTA) && !NOTED.test(data)),
  listSources: () => ({ input: [INPUT, ...CACHE_READ, ...CACHE_WRITE], output: [OUTPUT] }),
  makeUsage: makeConverseUsage,
  details: DETAILS,
};

/**
 * Bedrock's Converse: one shape for every model. The model is in the URL (`/model/{modelId}/converse`: an id, or the
 * percent-encoded ARN of an inference profile, a prompt router …); only a prompt router names the model it chose.
 *
 * `inputTokens` leaves out what was read from and written to the cache, so the three are summed; `cacheDetails` divides
 * the writes by how long they are kept.
 * Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
 * https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html; types of the npm package
 * `@aws-sdk/client-bedrock-runtime` 3.1164 (`ConverseResponse`, `TokenUsage`, `CacheDetail`); read 2026-11-27.
 *
 * NOTE: streams of OpenAI's models have been seen to count what they wrote to the cache in `inputTokens` as well, total
 * included (https://github.com/maximhq/bifrost/pull/6942, read 2026-11-27): nothing in the reply tells, and it stays so.
 */
export const bedrockConverse: Dialect = {
  api: 'converse',
  readRequest: (body, path) => readBedrockRequest(body, path, false),
  openReply: (head) => openReplyReader(head, CONVERSE_LANGUAGE),
  withModel: putBedrockModel,
};

/**
 * The streaming method, an AWS event stream: `messageStart`, `contentBlockStart` (of tools), `contentBlockDelta`,
 * `contentBlockStop`, `messageStop` with the stop reason, and last `metadata` with the usage. Source: `ConverseStreamOutput`
 * of the npm package `@aws-sdk/client-bedrock-runtime` 3.1164 (read 2026-11-27).
 */
export const bedrockConverseStream: Dialect = {
  ...bedrockConverse,
  api: 'converseStream',
  readRequest: (body, path) => readBedrockRequest(body, path, true),
};

function readMetadata(metadata: JsonObject, notes: ReplyNotes): void {
  notes.noteUsage(metadata.usage, USAGE_NAMES);
  const details = groupCounts(findItems(metadata, 'usage', CACHE_DETAILS), 'ttl', INPUT);
  notes.noteUsage({ [CACHE_DETAILS]: details }, listDetailNames(DETAILS));
  notes.noteServiceTier(findField(metadata, 'serviceTier', 'type'));
  notes.noteModel(findField(metadata, 'trace', 'promptRouter', 'invokedModelId'));
}

function readBlockStart(start: JsonValue, notes: ReplyNotes): void {
  const index = findField(start, 'contentBlockIndex');
  const place = typeof index === 'number' ? index : notes.toolCallCount;
  if (noteTool(findField(start, 'start'), place, notes)) notes.noteOutput();
}

function noteTool(block: JsonValue | undefined, index: number, notes: ReplyNotes): boolean {
  const tool = findObject(block, 'toolUse');
  if (tool !== undefined) notes.noteToolCall({ choice: 0, key: `block ${index}` }, findText(tool, 'name'));
  return tool !== undefined;
}

function makeConverseUsage(counts: TokenCounts): Usage {
  return {
    inputTokens: counts.sum(INPUT, [findStated(counts, CACHE_READ), findStated(counts, CACHE_WRITE)]),
    outputTokens: counts.find(OUTPUT),
    cacheReadTokens: counts.findFirst(CACHE_READ),
    cacheWriteTokens: counts.findFirst(CACHE_WRITE),
    reasoningTokens: null,
    totalTokens: counts.find(TOTAL),
  };
}

/** The name under which a count was stated, if only as something that is none. */
function findStated(counts: TokenCounts, names: readonly [string, ...string[]]): string {
  return names.find((name) => counts.find(name) !== null || counts.isBad(name)) ?? names[0];
}
