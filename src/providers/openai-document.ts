import type { JsonValue } from '../core/call-record.js';
import { findField, findItems, findObject } from './json-fields.js';
import { COMPLETION_DETAILS, COMPLETION_USAGE, listUsageNames, readReportedUsd } from './openai-usage.js';
import type { ReplyNotes } from './reply-notes.js';
import { listDetailNames } from './usage-details.js';

const USAGE_NAMES = [...listUsageNames(COMPLETION_USAGE), ...listDetailNames(COMPLETION_DETAILS)];

/**
 * Notes what every document of the OpenAI completion APIs says about itself: `id`, `model`, `service_tier` and usage,
 * which Groq puts under `x_groq.usage` of a stream's last frame (types of the npm package `groq-sdk` 1.6, read
 * 2026-11-21). Usage in a frame without choices, after all of them ended, is final. Mistral puts the tier into usage
 * (`UsageInfo` of the npm package `@mistralai/mistralai` 2.7, read 2026-11-27).
 */
export function noteOpenaiDocument(document: JsonValue, notes: ReplyNotes): void {
  notes.noteResponseId(findField(document, 'id'));
  notes.noteModel(findField(document, 'model'));
  notes.noteServiceTier(findField(document, 'service_tier'));
  notes.noteReportedUsd(readReportedUsd(findField(document, 'usage')));
  notes.noteServiceTier(findField(document, 'usage', 'service_tier'));
  notes.noteUsage(findObject(document, 'x_groq', 'usage'), USAGE_NAMES);
  notes.noteUsage(findField(document, 'usage'), USAGE_NAMES);
  const isApart = findObject(document, 'usage') !== undefined && findItems(document, 'choices').length === 0;
  if (isApart && notes.isFinished) notes.noteSettled();
}

/** Notes usage that stands in a choice, where Moonshot's streams have it. */
export function noteChoiceUsage(choice: JsonValue, notes: ReplyNotes): void {
  notes.noteUsage(findObject(choice, 'usage'), USAGE_NAMES);
}
