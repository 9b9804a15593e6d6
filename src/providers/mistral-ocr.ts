import { unknownUsage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import { findField, type JsonObject } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';

const OCR_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage in usage_info.pages_processed',
  streamHint: null,
  noOutput: null,
  noTokens: 'the reply states pages (usageDetails.inputPages), and no tokens',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    notes.noteModel(document.model);
    notes.noteAmount('inputPages', findField(document, 'usage_info', 'pages_processed'));
  },
  listSources: () => ({ input: [], output: [] }),
  makeUsage: () => unknownUsage,
};

/**
 * Mistral's reading of documents, which bills pages. Source: https://docs.mistral.ai/api/endpoint/ocr, read 2026-11-27 as
 * `OCRResponse` and `OCRUsageInfo` of the npm package `@mistralai/mistralai` 2.7.
 */
export const mistralOcr: Dialect = {
  api: 'ocr',
  readRequest: (body) => readBodyRequest(body),
  openReply: (head) => openReplyReader(head, OCR_LANGUAGE),
  withModel: putBodyModel,
};
