import type { Usage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import { findField, type JsonObject } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import { readReportedUsd } from './openai-usage.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';
import type { TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

const TOTAL = 'total_tokens';
/** All a reranker counts is read by it, so that a total alone says what went in. */
const INPUT: readonly string[] = ['prompt_tokens', TOTAL, 'tokens.input_tokens'];
const OUTPUT: readonly string[] = ['completion_tokens', 'tokens.output_tokens'];
const DETAILS: DetailNames = { searchUnits: ['billed_units.search_units', 'search_units'] };
const NAMES: readonly string[] = [...INPUT, ...OUTPUT, ...listDetailNames(DETAILS)];

const RERANK_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage or meta.billed_units',
  streamHint: null,
  noOutput: 'a reranker states no output tokens',
  noTokens: 'the reply counts searches (usageDetails.searchUnits), and no tokens',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    notes.noteResponseId(document.id);
    notes.noteModel(document.model);
    notes.noteReportedUsd(readReportedUsd(document.usage));
    notes.noteUsage(document.usage, NAMES);
    notes.noteUsage(findField(document, 'meta'), NAMES);
  },
  details: DETAILS,
  listSources: () => ({ input: INPUT, output: OUTPUT }),
  makeUsage: (counts: TokenCounts): Usage => ({
    inputTokens: counts.findFirst(INPUT),
    outputTokens: counts.findFirst(OUTPUT),
    cacheReadTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
    totalTokens: counts.find(TOTAL),
  }),
};

/**
 * Rerankers: Cohere's, which bills searches (`meta.billed_units.search_units`), and those made like it, which count tokens
 * in `usage`. Sources: https://docs.cohere.com/reference/rerank, read 2026-11-27 as `V2RerankResponse` and `ApiMeta` of the
 * npm package `cohere-ai` 8.1; Together, `RerankCreateResponse` of the npm package `together-ai` 0.52 (read 2026-11-27);
 * OpenRouter, https://openrouter.ai/docs/api/api-reference/rerank/create-rerank (read 2026-11-27).
 */
export const rerank: Dialect = {
  api: 'rerank',
  readRequest: (body) => readBodyRequest(body),
  openReply: (head) => openReplyReader(head, RERANK_LANGUAGE),
  withModel: putBodyModel,
};
