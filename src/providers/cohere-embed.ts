import type { Dialect } from '../core/wire.js';
import { COHERE_DETAILS, listCohereSources, makeCohereUsage, noteCohereUsage } from './cohere-usage.js';
import type { JsonObject } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';

const EMBED_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage in meta.billed_units',
  streamHint: null,
  noOutput: 'the embeddings API states no output tokens',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    notes.noteResponseId(document.id);
    noteCohereUsage(document.meta, notes);
  },
  details: COHERE_DETAILS,
  listSources: listCohereSources,
  makeUsage: makeCohereUsage,
};

/**
 * Cohere's embeddings, both versions: text and image tokens in `meta.billed_units`. Source:
 * https://docs.cohere.com/reference/embed; read 2026-11-27 as types of the npm package `cohere-ai` 8.1.
 */
export const cohereEmbed: Dialect = {
  api: 'embed',
  readRequest: (body) => readBodyRequest(body),
  openReply: (head) => openReplyReader(head, EMBED_LANGUAGE),
  withModel: putBodyModel,
};
