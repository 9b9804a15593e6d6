import type { JsonValue } from '../core/call-record.js';
import type { Usage } from '../core/usage.js';
import { findField, findItems, findText, type JsonObject } from './json-fields.js';
import { readReportedUsd } from './openai-usage.js';
import type { UsageSources } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { sumCounts, type TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

const INPUT = 'input_tokens';
const OUTPUT = 'output_tokens';
const CACHE_READ = 'cache_read_input_tokens';
const CACHE_WRITE = 'cache_creation_input_tokens';
const THINKING = 'output_tokens_details.thinking_tokens';
const WRITES = {
  cacheWrite5mTokens: ['cache_creation', 'ephemeral_5m_input_tokens'],
  cacheWrite1hTokens: ['cache_creation', 'ephemeral_1h_input_tokens'],
} as const;

/** Requests the provider made within this one, by their type; `all_input` is of our own. */
const COMPACTION = 'compaction';
const ADVISOR = 'advisor_message';
const ALL_INPUT = 'all_input';
const inCompaction = (name: string): string => `${COMPACTION}.${name}`;

export const MESSAGES_DETAILS: DetailNames = {
  cacheWrite5mTokens: [WRITES.cacheWrite5mTokens.join('.')],
  cacheWrite1hTokens: [WRITES.cacheWrite1hTokens.join('.')],
  webSearches: ['server_tool_use.web_search_requests'],
  compactionInputTokens: [inCompaction(ALL_INPUT)],
  compactionOutputTokens: [inCompaction(OUTPUT)],
  advisorInputTokens: [`${ADVISOR}.${ALL_INPUT}`],
  advisorOutputTokens: [`${ADVISOR}.${OUTPUT}`],
};

const WITHIN = [INPUT, CACHE_READ, CACHE_WRITE, OUTPUT];
const NAMES: readonly string[] = [
  ...[INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, THINKING],
  ...WITHIN.map(inCompaction),
  ...Object.values(WRITES).map((keys) => inCompaction(keys.join('.'))),
  ...listDetailNames(MESSAGES_DETAILS),
];

/**
 * Notes a usage object of Anthropic's messages, and what it says of requests within this one (`iterations`). Summing the
 * conversation up (`compaction`) and asking another model for advice (`advisor_message`) are billed, and not in the other
 * counts; what else stands in the list (`message`, `fallback_message`) is.
 *
 * Sources: `BetaUsage`, `BetaIterationsUsage` of the npm package `@anthropic-ai/sdk` 1.14;
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool (read 2026-11-27).
 */
export function noteMessagesUsage(usage: JsonValue | undefined, notes: ReplyNotes): void {
  notes.noteReportedUsd(readReportedUsd(usage));
  notes.noteUsage(usage, NAMES);
  const iterations = findItems(usage, 'iterations');
  if (iterations.length === 0) return;
  const within = { [COMPACTION]: addUp(iterations, COMPACTION), [ADVISOR]: addUp(iterations, ADVISOR) };
  notes.noteUsage(within, NAMES);
  for (const detail of ['cacheWrite5mTokens', 'cacheWrite1hTokens'] as const) {
    const name = WRITES[detail].join('.');
    const more = notes.counts.find(inCompaction(name));
    if (more !== null) notes.noteAmount(detail, (notes.counts.find(name) ?? 0) + more);
  }
}

/** The counts of all requests of a type, each under the name it has in a usage object. */
function addUp(iterations: readonly JsonValue[], type: string): JsonObject {
  const ofType = iterations.filter((iteration) => findText(iteration, 'type') === type);
  const sum = (...keys: readonly string[]): JsonValue =>
    sumCounts(ofType.map((iteration) => findField(iteration, ...keys))) ?? null;
  const inputs = { [INPUT]: sum(INPUT), [CACHE_READ]: sum(CACHE_READ), [CACHE_WRITE]: sum(CACHE_WRITE) };
  const [of5m, of1h] = [WRITES.cacheWrite5mTokens, WRITES.cacheWrite1hTokens];
  return {
    ...inputs,
    [ALL_INPUT]: sumCounts(Object.values(inputs)) ?? null,
    [OUTPUT]: sum(OUTPUT),
    [of5m[0]]: { [of5m[1]]: sum(...of5m), [of1h[1]]: sum(...of1h) },
  };
}

/** The counts without which input or output is unknown. */
export function listMessagesSources(): UsageSources {
  return {
    input: [INPUT, CACHE_READ, CACHE_WRITE, ...[INPUT, CACHE_READ, CACHE_WRITE].map(inCompaction)],
    output: [OUTPUT, inCompaction(OUTPUT)],
  };
}

/** `input_tokens` leaves the cache out, so that all of it is summed; the advice of another model is in none of these. */
export function makeMessagesUsage(counts: TokenCounts): Usage {
  return {
    inputTokens: counts.sum(INPUT, [CACHE_READ, CACHE_WRITE, inCompaction(ALL_INPUT)]),
    outputTokens: counts.sum(OUTPUT, [inCompaction(OUTPUT)]),
    cacheReadTokens: addStated(counts, CACHE_READ),
    cacheWriteTokens: addStated(counts, CACHE_WRITE),
    reasoningTokens: counts.find(THINKING),
    totalTokens: null,
  };
}

function addStated(counts: TokenCounts, name: string): number | null {
  const [own, more] = [counts.find(name), counts.find(inCompaction(name))];
  return own === null && more === null ? null : (own ?? 0) + (more ?? 0);
}
