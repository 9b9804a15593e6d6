import type { JsonValue } from '../core/call-record.js';
import { type Usage, unknownUsage } from '../core/usage.js';
import type { Dialect, ReplyHead } from '../core/wire.js';
import { isFurtherDelta, MESSAGES_LANGUAGE } from './anthropic-messages.js';
import { CONVERSE_LANGUAGE } from './bedrock-converse.js';
import { PLAIN_LANGUAGE } from './bedrock-families.js';
import { rememberShape } from './chunk-shape.js';
import { findField, findItems, findText, type JsonObject, readIndex } from './json-fields.js';
import { putBedrockModel } from './model-rewrite.js';
import { CHAT_LANGUAGE } from './openai-chat.js';
import type { ReplyLanguage, UsageSources } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBedrockRequest } from './request-facts.js';
import type { TokenCounts } from './token-counts.js';
import { joinDetailNames } from './usage-details.js';

const FAMILIES: readonly ReplyLanguage[] = [MESSAGES_LANGUAGE, CHAT_LANGUAGE, CONVERSE_LANGUAGE, PLAIN_LANGUAGE];
const MESSAGES_TYPE = /^(?:message|message_(?:start|delta|stop)|content_block_(?:start|delta|stop)|ping|error)$/;
const CONVERSE_KEY = /^(?:output|metadata|message(?:Start|Stop)|contentBlock(?:Start|Delta|Stop))$/;

const METRICS = 'amazon-bedrock-invocationMetrics';
/** Input, output, cache read, cache write: Bedrock's own counts, which it states for any family. */
const METRIC_NAMES = [
  'inputTokenCount',
  'outputTokenCount',
  'cacheReadInputTokenCount',
  'cacheWriteInputTokenCount',
].map((name) => `${METRICS}.${name}`);
const HEADER_NAMES = ['input', 'output', 'cache-read-input', 'cache-write-input'].map(
  (name) => `x-amzn-bedrock-${name}-token-count`,
);
const TIER_HEADER = 'x-amzn-bedrock-service-tier';

const INVOKE_LANGUAGE: ReplyLanguage = {
  lookedFor: `usage as the model states it, ${METRICS} and ${HEADER_NAMES[0]}`,
  streamHint: null,
  noOutput: null,
  readHead: readInvokeHead,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const family = findFamily(document);
    family.readDocument(document, notes);
    if (family === CHAT_LANGUAGE) readChoices(document, notes);
    const metrics = document[METRICS];
    if (metrics === undefined) return;
    notes.counts.note(document, METRIC_NAMES);
    notes.noteSettled();
    notes.noteEnd();
  },
  isFurtherOutput: rememberShape((data) => isFurtherDelta(data) && !data.includes(`"${METRICS}"`)),
  listSources: listInvokeSources,
  makeUsage: makeInvokeUsage,
  details: joinDetailNames(FAMILIES.map(({ details = {} }) => details)),
};

/**
 * Bedrock's InvokeModel, which passes on what the model's family says: Anthropic's messages, chat completions as OpenAI
 * writes them (gpt-oss, Qwen, DeepSeek, Mistral, AI21 Jamba, imported models), Amazon Nova as Converse does, and those of
 * `bedrock-families.ts`. A model's id may be an ARN that tells nothing, so the family is found in each document's shape.
 *
 * What a family does not state Bedrock does: in the reply's headers (`x-amzn-bedrock-input-token-count` …), in a stream
 * in its last document (`amazon-bedrock-invocationMetrics`); like Converse's, these counts leave out the cache.
 *
 * Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html and
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html; headers and metrics, which no reference
 * names, as https://github.com/traceloop/openllmetry (`prompt_caching.py`) and https://github.com/run-llama/LlamaIndexTS
 * (`bedrock/types.ts`) read them; read 2026-11-27.
 */
export const bedrockInvoke: Dialect = {
  api: 'invokeModel',
  readRequest: (body, path) => readBedrockRequest(body, path, false),
  openReply: (head) => openReplyReader(head, INVOKE_LANGUAGE),
  withModel: putBedrockModel,
};

/**
 * The streaming method, an AWS event stream of `chunk` events, each a document of the family's in base64. Source:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html (read 2026-11-27).
 */
export const bedrockInvokeStream: Dialect = {
  ...bedrockInvoke,
  api: 'invokeModelWithResponseStream',
  readRequest: (body, path) => readBedrockRequest(body, path, true),
};

function findFamily(document: JsonObject): ReplyLanguage {
  if (MESSAGES_TYPE.test(findText(document, 'type') ?? '')) return MESSAGES_LANGUAGE;
  if (Array.isArray(document.choices)) return CHAT_LANGUAGE;
  return Object.keys(document).some((key) => CONVERSE_KEY.test(key)) ? CONVERSE_LANGUAGE : PLAIN_LANGUAGE;
}

/** What choices have on Bedrock that OpenAI's do not: Mistral's `stop_reason`, DeepSeek R1's `text`. No `[DONE]` ends them. */
function readChoices(document: JsonObject, notes: ReplyNotes): void {
  for (const [position, choice] of findItems(document, 'choices').entries()) {
    notes.noteFinish(readIndex(choice, position), findField(choice, 'stop_reason'));
    if (findText(choice, 'text') !== undefined) notes.noteOutput();
  }
  notes.noteEnd(notes.isFinished);
}

function readInvokeHead(head: ReplyHead, notes: ReplyNotes): void {
  notes.noteServiceTier(head.findHeader?.(TIER_HEADER));
  const counts: Record<string, JsonValue> = {};
  for (const name of HEADER_NAMES) {
    const value = head.findHeader?.(name)?.trim() ?? '';
    if (value !== '') counts[name] = /^\d{1,15}$/.test(value) ? Number(value) : value;
  }
  notes.counts.note(counts, HEADER_NAMES);
}

/** The counts of the family, and where it leaves one out, those of Bedrock. */
function makeInvokeUsage(counts: TokenCounts): Usage {
  const stated = FAMILIES.map((family) => family.makeUsage(counts)).find(isKnown) ?? unknownUsage;
  return [makeBedrockUsage(counts, METRIC_NAMES), makeBedrockUsage(counts, HEADER_NAMES)].reduce(fillUsage, stated);
}

function makeBedrockUsage(counts: TokenCounts, names: readonly string[]): Usage {
  const [input = '', output = '', cacheRead = '', cacheWrite = ''] = names;
  return {
    ...unknownUsage,
    inputTokens: counts.sum(input, [cacheRead, cacheWrite]),
    outputTokens: counts.find(output),
    cacheReadTokens: counts.find(cacheRead),
    cacheWriteTokens: counts.find(cacheWrite),
  };
}

/** Input with its parts, and output, each of the first that knows it. */
function fillUsage(usage: Usage, other: Usage): Usage {
  const { inputTokens, cacheReadTokens, cacheWriteTokens } = usage.inputTokens === null ? other : usage;
  const outputTokens = usage.outputTokens ?? other.outputTokens;
  return { ...usage, inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens };
}

function isKnown({ inputTokens, outputTokens }: Usage): boolean {
  return inputTokens !== null || outputTokens !== null;
}

function listInvokeSources(counts: TokenCounts): UsageSources {
  const sources = FAMILIES.map((family) => family.listSources(counts));
  return {
    input: [...sources.flatMap(({ input }) => input), ...METRIC_NAMES, ...HEADER_NAMES],
    output: [...sources.flatMap(({ output }) => output), ...METRIC_NAMES, ...HEADER_NAMES],
  };
}
