import { unknownUsage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import { findText, type JsonObject } from './json-fields.js';
import { putBodyModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readBodyRequest } from './request-facts.js';

const COMPLETE_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage',
  streamHint: 'the text completions API states no tokens',
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    notes.noteResponseId(document.id);
    notes.noteModel(document.model);
    notes.noteFinish(0, document.stop_reason);
    if (findText(document, 'completion') !== undefined) notes.noteOutput();
    notes.noteEnd(notes.isFinished);
  },
  listSources: () => ({ input: [], output: [] }),
  makeUsage: () => unknownUsage,
};

/**
 * Anthropic's older text completions, `/v1/complete`: `completion` and `stop_reason`, in a stream piece by piece in events
 * of that name, the last with the stop reason. No tokens are stated. Source: https://docs.claude.com/en/api/complete; types
 * of the npm package `@anthropic-ai/sdk` 1.11 (`Completion`); read 2026-11-27.
 */
export const anthropicComplete: Dialect = {
  api: 'complete',
  readRequest: (body) => readBodyRequest(body),
  openReply: (head) => openReplyReader(head, COMPLETE_LANGUAGE),
  withModel: putBodyModel,
};
