import type { JsonValue } from '../core/call-record.js';
import { type Usage, unknownUsage } from '../core/usage.js';
import { findField, findItems, findObject, findText, type JsonObject, readIndex } from './json-fields.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { sumCounts, type TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

/** Names of input and output, a pair for each family that states them. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['prompt_token_count', 'generation_token_count'],
  ['inputTextTokenCount', 'totalOutputTextTokenCount'],
  ['inputTextTokenCount', 'results.tokenCount'],
  ['meta.tokens.input_tokens', 'meta.tokens.output_tokens'],
  ['meta.billed_units.input_tokens', 'meta.billed_units.output_tokens'],
];
const DETAILS: DetailNames = { searchUnits: ['meta.billed_units.search_units'], outputImages: ['images'] };
const NAMES: readonly string[] = [...new Set(PAIRS.flat()), ...listDetailNames(DETAILS)];

/**
 * How the families of Bedrock are read that have a shape of their own:
 * - Meta Llama: `generation`, `prompt_token_count`, `generation_token_count` (running in a stream), `stop_reason`
 * - Amazon Titan text: `inputTextTokenCount`, `results[].tokenCount`, `.completionReason`; in a stream
 *   `totalOutputTextTokenCount` of the last; Titan embeddings: `inputTextTokenCount`
 * - Cohere Command: `generations[].finish_reason`; Command R: `text`, `finish_reason`, `tool_calls[].name`, in a stream under
 *   `response` of the last; where it states `meta`, its tokens and search units. Embed and Rerank have nothing else
 * - Mistral text: `outputs[].stop_reason`; AI21 Jurassic: `completions[].finishReason.reason`
 * - Anthropic text completions: `completion`, `stop_reason`; images of Nova Canvas, Titan and Stability: `images`
 *
 * What states no tokens gets them of Bedrock itself (`bedrock-invoke.ts`). Sources: the pages below
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html and
 * https://docs.cohere.com/reference/chat-v1 for `meta` (read 2026-11-27).
 */
export const PLAIN_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage',
  streamHint: null,
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const reply = findObject(document, 'response') ?? document;
    notes.noteResponseId(findText(reply, 'response_id') ?? reply.id);
    notes.noteModel(reply.model);
    notes.noteUsage(readCounts(reply), NAMES);
    readEnds(reply, notes);
    for (const [index, call] of findItems(reply, 'tool_calls').entries())
      notes.noteToolCall({ choice: 0, key: `tool ${index}` }, findText(call, 'name'));
    if (hasOutput(document)) notes.noteOutput();
    notes.noteEnd(notes.isFinished);
  },
  listSources: () => ({ input: PAIRS.map(([input]) => input), output: PAIRS.map(([, output]) => output) }),
  makeUsage: makePlainUsage,
  details: DETAILS,
};

/** A reply's counts under the names above. */
function readCounts(reply: JsonObject): JsonObject {
  const tokenCount = sumCounts(findItems(reply, 'results').map((result) => findField(result, 'tokenCount')));
  const { images } = reply;
  return {
    ...reply,
    ...(tokenCount === undefined ? {} : { results: { tokenCount } }),
    ...(Array.isArray(images) ? { images: images.length } : {}),
  };
}

function readEnds(reply: JsonObject, notes: ReplyNotes): void {
  notes.noteFinish(0, reply.stop_reason ?? reply.finish_reason ?? reply.completionReason);
  for (const list of ['results', 'outputs', 'generations', 'completions'])
    for (const [position, item] of findItems(reply, list).entries())
      notes.noteFinish(readIndex(item, position), readReason(item));
}

function readReason(item: JsonValue): JsonValue | undefined {
  const reason = findText(item, 'completionReason') ?? findText(item, 'stop_reason') ?? findText(item, 'finish_reason');
  return reason ?? findText(item, 'finishReason', 'reason');
}

function hasOutput(document: JsonObject): boolean {
  return (
    ['generation', 'outputText', 'text', 'completion'].some((name) => findText(document, name) !== undefined) ||
    ['outputs', 'generations'].some((list) =>
      findItems(document, list).some((item) => findText(item, 'text') !== undefined),
    )
  );
}

function makePlainUsage(counts: TokenCounts): Usage {
  const pair = PAIRS.find((names) => names.every((name) => counts.find(name) !== null));
  const some = pair ?? PAIRS.find((names) => names.some((name) => counts.find(name) !== null));
  if (some === undefined) return unknownUsage;
  return { ...unknownUsage, inputTokens: counts.find(some[0]), outputTokens: counts.find(some[1]) };
}
