import type { Usage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import type { JsonObject } from './json-fields.js';
import { putOpenaiModel } from './model-rewrite.js';
import { noteOpenaiDocument } from './openai-document.js';
import { COMPLETION_USAGE, listOpenaiSources, makeOpenaiUsage } from './openai-usage.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readOpenaiRequest } from './request-facts.js';
import type { TokenCounts } from './token-counts.js';

const INPUT = COMPLETION_USAGE.input;

const EMBEDDINGS_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.prompt_tokens',
  streamHint: null,
  noOutput: 'the embeddings API states no output tokens',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    noteOpenaiDocument(document, notes);
  },
  listSources: () => listOpenaiSources(COMPLETION_USAGE),
  makeUsage: makeEmbeddingsUsage,
};

/**
 * Embeddings: `usage` has `prompt_tokens` and `total_tokens`; output is 0 only where a server states so. Source:
 * https://platform.openai.com/docs/api-reference/embeddings; read 2026-11-21 as types of the npm package `openai` 6.49.
 * Voyage states the total alone, which is what went in: https://docs.voyageai.com/reference/embeddings-api (read 2026-11-27).
 */
export const openaiEmbeddings: Dialect = {
  api: 'embeddings',
  readRequest: readOpenaiRequest,
  openReply: (head) => openReplyReader(head, EMBEDDINGS_LANGUAGE),
  withModel: putOpenaiModel,
};

function makeEmbeddingsUsage(counts: TokenCounts): Usage {
  const usage = makeOpenaiUsage(counts, COMPLETION_USAGE);
  const isTotalAlone = counts.find(INPUT) === null && !counts.isBad(INPUT) && usage.outputTokens === null;
  return isTotalAlone ? { ...usage, inputTokens: usage.totalTokens } : usage;
}
