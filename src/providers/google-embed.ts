import type { Usage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import { readGoogleRequest } from './google-generate.js';
import type { JsonObject } from './json-fields.js';
import { putGoogleModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import type { TokenCounts } from './token-counts.js';

const PROMPT = 'promptTokenCount';
const TOTAL = 'totalTokenCount';

/** How replies of `embedContent` are read. */
export const EMBED_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usageMetadata.promptTokenCount',
  streamHint: null,
  noOutput: 'the embeddings API states no output tokens',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    notes.noteModel(document.modelVersion);
    notes.noteUsage(document.usageMetadata, [PROMPT, TOTAL]);
  },
  listSources: () => ({ input: [PROMPT], output: [] }),
  makeUsage: (counts: TokenCounts): Usage => ({
    inputTokens: counts.find(PROMPT),
    outputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
    totalTokens: counts.find(TOTAL),
  }),
};

/**
 * Gemini's `embedContent` and `batchEmbedContents`. Newer models state `usageMetadata.promptTokenCount`, older ones no
 * usage at all. Source: https://ai.google.dev/api/embeddings
 */
export const googleEmbed: Dialect = makeEmbedDialect('embedContent');

export const googleBatchEmbed: Dialect = makeEmbedDialect('batchEmbedContents');

function makeEmbedDialect(api: string): Dialect {
  return {
    api,
    readRequest: readGoogleRequest,
    openReply: (head) => openReplyReader(head, EMBED_LANGUAGE),
    withModel: putGoogleModel,
  };
}
