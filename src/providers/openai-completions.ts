import type { Dialect } from '../core/wire.js';
import { findField, findItems, findText, type JsonObject, readIndex } from './json-fields.js';
import { putOpenaiModel } from './model-rewrite.js';
import { noteChoiceUsage, noteOpenaiDocument } from './openai-document.js';
import { COMPLETION_DETAILS, COMPLETION_USAGE, listOpenaiSources, makeOpenaiUsage } from './openai-usage.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { readOpenaiRequest } from './request-facts.js';

/** How completions are read. */
export const COMPLETIONS_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.prompt_tokens and usage.completion_tokens',
  streamHint: 'it comes only when the request asks for it by stream_options.include_usage',
  noOutput: null,
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    noteOpenaiDocument(document, notes);
    for (const [position, choice] of findItems(document, 'choices').entries()) {
      noteChoiceUsage(choice, notes);
      const index = readIndex(choice, position);
      notes.noteChoice(index);
      notes.noteFinish(index, findField(choice, 'finish_reason'));
      if (findText(choice, 'text') !== undefined) notes.noteOutput();
    }
  },
  details: COMPLETION_DETAILS,
  listSources: () => listOpenaiSources(COMPLETION_USAGE),
  makeUsage: (counts) => makeOpenaiUsage(counts, COMPLETION_USAGE),
};

/**
 * The older completions API: `choices[].text` in the JSON reply and in every frame of a stream, usage as in chat
 * completions. Source: https://platform.openai.com/docs/api-reference/completions; read 2026-11-21 as types of the npm
 * package `openai` 6.49.
 */
export const openaiCompletions: Dialect = {
  api: 'completions',
  readRequest: readOpenaiRequest,
  openReply: (head) => openReplyReader(head, COMPLETIONS_LANGUAGE),
  withModel: putOpenaiModel,
};
