import type { JsonValue } from '../core/call-record.js';
import { findField, findItems, findObject } from './json-fields.js';
import { COMPLETION_USAGE, listUsageNames } from './openai-usage.js';
import type { ReplyNotes } from './reply-notes.js';

const USAGE_NAMES = listUsageNames(COMPLETION_USAGE);

/**
 * Notes what every document of the OpenAI completion APIs says about itself: `id`, `model` and usage, which Groq puts
 * under `x_groq.usage` of a stream's last frame (types of the npm package `groq-sdk` 1.6, read 2026-11-21). Usage in a
 * frame without choices, after all of them ended, is final.
 */
export function noteOpenaiDocument(document: JsonValue, notes: ReplyNotes): void {
  notes.noteResponseId(findField(document, 'id'));
  notes.noteModel(findField(document, 'model'));
  notes.noteUsage(findObject(document, 'x_groq', 'usage'), USAGE_NAMES);
  notes.noteUsage(findField(document, 'usage'), USAGE_NAMES);
  const isApart = findObject(document, 'usage') !== undefined && findItems(document, 'choices').length === 0;
  if (isApart && notes.isFinished) notes.noteSettled();
}

/** Notes usage that stands in a choice, where Moonshot's streams have it. */
export function noteChoiceUsage(choice: JsonValue, notes: ReplyNotes): void {
  notes.noteUsage(findObject(choice, 'usage'), USAGE_NAMES);
}
