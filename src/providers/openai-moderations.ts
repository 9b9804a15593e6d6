import type { Dialect } from '../core/wire.js';
import type { JsonObject } from './json-fields.js';
import { putOpenaiModel } from './model-rewrite.js';
import { noteOpenaiDocument } from './openai-document.js';
import { COMPLETION_USAGE, listOpenaiSources, makeOpenaiUsage } from './openai-usage.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readOpenaiRequest } from './request-facts.js';

const MODERATIONS_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage, which OpenAI does not state for moderation',
  streamHint: null,
  noOutput: 'the moderation API states no output tokens',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    noteOpenaiDocument(document, notes);
  },
  listSources: () => listOpenaiSources(COMPLETION_USAGE),
  makeUsage: (counts) => makeOpenaiUsage(counts, COMPLETION_USAGE),
};

/**
 * Moderation. OpenAI's states no usage, and is free of charge; Mistral's, which also classifies, states tokens. Sources:
 * https://platform.openai.com/docs/guides/moderation and https://docs.mistral.ai/api/endpoint/classifiers; read 2026-11-27
 * as types of the npm packages `openai` 6.49 and `@mistralai/mistralai` 2.7.
 */
export const openaiModerations: Dialect = makeDialect('moderations');
export const mistralClassifications: Dialect = makeDialect('classifications');

function makeDialect(api: string): Dialect {
  return {
    api,
    readRequest: readOpenaiRequest,
    openReply: (head) => openReplyReader(head, MODERATIONS_LANGUAGE),
    withModel: putOpenaiModel,
  };
}
