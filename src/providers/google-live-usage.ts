import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import { findField, findItems, findText, isJsonObject, type JsonObject } from './json-fields.js';
import type { UsageSources } from './reply-language.js';
import type { TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

const PROMPT = 'promptTokenCount';
const TOOL_PROMPT = 'toolUsePromptTokenCount';
const CACHED = 'cachedContentTokenCount';
const RESPONSE = 'responseTokenCount';
const THOUGHTS = 'thoughtsTokenCount';
const TOTAL = 'totalTokenCount';
/** Vertex AI's word for `responseTokenCount` and its details. */
const CANDIDATES = 'candidatesTokenCount';
const COUNTS = [PROMPT, TOOL_PROMPT, CACHED, RESPONSE, THOUGHTS, TOTAL] as const;

/** Lists by modality, and under which name their counts are noted: `prompt.AUDIO`. */
const LISTS: Readonly<Record<string, string>> = {
  promptTokensDetails: 'prompt',
  cacheTokensDetails: 'cache',
  responseTokensDetails: 'response',
  candidatesTokensDetails: 'response',
};

export const LIVE_DETAILS: DetailNames = {
  inputTextTokens: ['prompt.TEXT'],
  inputAudioTokens: ['prompt.AUDIO'],
  inputImageTokens: ['prompt.IMAGE'],
  inputVideoTokens: ['prompt.VIDEO'],
  cacheReadTextTokens: ['cache.TEXT'],
  cacheReadAudioTokens: ['cache.AUDIO'],
  cacheReadImageTokens: ['cache.IMAGE'],
  outputTextTokens: ['response.TEXT'],
  outputAudioTokens: ['response.AUDIO'],
  outputImageTokens: ['response.IMAGE'],
  toolPromptTokens: [TOOL_PROMPT],
};

export const LIVE_USAGE_NAMES: readonly string[] = [...COUNTS, ...listDetailNames(LIVE_DETAILS)];

type Counts = ReadonlyMap<string, number>;

/**
 * Makes one usage of what a turn states in several messages.
 *
 * `usageMetadata` is of one request to the model, its prompt being all the session holds by then; it is not summed up over
 * the session. So say its types ("for the entire request", `UsageMetadata` of the npm package `@google/genai` 2.32) and three
 * turns measured at two models, whose `responseTokenCount` was 19, 24, 24 and 23, 22, 24
 * (https://github.com/pydantic/pydantic-ai/pull/7269); both read 2026-11-27. Others take it for a running total of the
 * session, which those numbers exclude.
 *
 * Within a turn the model is asked again where it called a tool: these requests are added up. Counts stated again for the
 * same prompt are running ones, of which the last holds. Two prompts without a tool call between them are neither, and
 * then nothing is said.
 */
export class LiveUsage {
  #before: Counts = new Map();
  #current: Counts | null = null;
  #wasToolCalled = false;
  #isUnclear = false;

  /** Whether two statements could not be told apart. */
  get isUnclear(): boolean {
    return this.#isUnclear;
  }

  get isStated(): boolean {
    return this.#current !== null;
  }

  noteToolCall(): void {
    this.#wasToolCalled = true;
  }

  /** Notes a `usageMetadata`. Gives the turn's usage so far, in the shape `LIVE_USAGE_NAMES` names. */
  note(usage: JsonObject): JsonObject {
    const counts = readCounts(usage);
    const isRunning = this.#current?.get(PROMPT) === counts.get(PROMPT);
    if (this.#current !== null && !isRunning) {
      if (!this.#wasToolCalled) this.#isUnclear = true;
      this.#before = add(this.#before, this.#current);
      this.#wasToolCalled = false;
    }
    this.#current = counts;
    return makeNested(add(this.#before, counts));
  }
}

/** Thinking stands outside `responseTokenCount`, tool results outside `promptTokenCount`; a count of zero may be left out. */
export function makeLiveUsage(counts: TokenCounts): Usage {
  const input = counts.sum(PROMPT, [TOOL_PROMPT]);
  const total = counts.find(TOTAL);
  const isLeftOut = counts.find(RESPONSE) === null && !counts.isBad(RESPONSE);
  const thoughts = counts.find(THOUGHTS);
  // The total has the thinking in it at some models only.
  const rest = input === null || total === null || thoughts !== null || total < input ? null : total - input;
  return {
    inputTokens: input,
    outputTokens: isLeftOut ? rest : counts.sum(RESPONSE, [THOUGHTS]),
    cacheReadTokens: counts.find(CACHED),
    cacheWriteTokens: null,
    reasoningTokens: thoughts,
    totalTokens: total,
  };
}

export function listLiveSources(): UsageSources {
  return { input: [PROMPT, TOOL_PROMPT], output: [RESPONSE, THOUGHTS] };
}

function readCounts(usage: JsonObject): Counts {
  const counts = new Map<string, number>();
  const note = (name: string, value: JsonValue | undefined): void => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) counts.set(name, value);
  };
  for (const name of COUNTS) note(name, findField(usage, name));
  if (!counts.has(RESPONSE)) note(RESPONSE, findField(usage, CANDIDATES));
  for (const [list, name] of Object.entries(LISTS))
    for (const item of findItems(usage, list)) {
      const modality = findText(item, 'modality');
      if (modality !== undefined && isJsonObject(item)) note(`${name}.${modality}`, item.tokenCount);
    }
  return counts;
}

function add(a: Counts, b: Counts): Counts {
  const sum = new Map(a);
  for (const [name, count] of b) sum.set(name, (sum.get(name) ?? 0) + count);
  return sum;
}

function makeNested(counts: Counts): JsonObject {
  const nested: Record<string, JsonValue> = {};
  const groups = new Map<string, Record<string, number>>();
  for (const [name, count] of counts) {
    const [group = '', modality] = name.split('.');
    if (modality === undefined) nested[name] = count;
    else groups.set(group, { ...groups.get(group), [modality]: count });
  }
  return { ...nested, ...Object.fromEntries(groups) };
}
