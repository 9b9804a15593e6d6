import type { Usage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import { findField, findText, type JsonObject } from './json-fields.js';
import { putMediaModel, readMediaRequest } from './media-request.js';
import { readReportedUsd } from './openai-usage.js';
import type { ReplyLanguage, UsageSources } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import type { TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

/** OpenAI's names, then Mistral's. */
const SOURCES: UsageSources = {
  input: ['input_tokens', 'prompt_tokens'],
  output: ['output_tokens', 'completion_tokens'],
};
const TOTAL = 'total_tokens';
const DETAILS: DetailNames = {
  inputTextTokens: ['input_token_details.text_tokens'],
  inputAudioTokens: ['input_token_details.audio_tokens'],
};
const USAGE_NAMES = [...SOURCES.input, ...SOURCES.output, TOTAL, ...listDetailNames(DETAILS)];

const SPEECH_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.input_tokens and usage.output_tokens',
  streamHint: null,
  noOutput: null,
  readDocument: readAudioDocument,
  details: DETAILS,
  listSources: () => SOURCES,
  makeUsage: makeAudioUsage,
};

/** How text made from speech is read. */
export const TRANSCRIPT_LANGUAGE: ReplyLanguage = {
  ...SPEECH_LANGUAGE,
  noTokens: 'the reply states seconds (usageDetails.inputSeconds), and no tokens',
};

/**
 * Speech made from text. The reply is sound, which states nothing: what is billed, characters or minutes, stands in the
 * request and the sound itself. With `stream_format: "sse"` it comes as events, the last, `speech.audio.done`, with the
 * usage. Sources: https://platform.openai.com/docs/api-reference/audio/createSpeech and `speech-audio-done-event`, read
 * 2026-11-27 as types of the npm package `openai` 6.49; Mistral's events, of `@mistralai/mistralai` 2.7 (read 2026-11-27).
 */
export const openaiSpeech: Dialect = makeDialect('audio.speech', SPEECH_LANGUAGE);

/**
 * Text made from speech: usage in tokens, by modality, or in seconds, which is what Whisper bills; formats other than JSON
 * (text, srt, vtt) state none. A stream's last event is `transcript.text.done` or, at Mistral, `transcription.done`.
 * Sources: https://platform.openai.com/docs/api-reference/audio/json-object and `transcript-text-done-event`, read
 * 2026-11-27 as types of the npm packages `openai` 6.49 and `@mistralai/mistralai` 2.7 (`UsageInfo.prompt_audio_seconds`); OpenRouter
 * states its cost as well (`STTUsage` of `@openrouter/sdk` 1.3).
 */
export const openaiTranscriptions: Dialect = makeDialect('audio.transcriptions', TRANSCRIPT_LANGUAGE);
export const openaiTranslations: Dialect = makeDialect('audio.translations', TRANSCRIPT_LANGUAGE);

function makeDialect(api: string, language: ReplyLanguage): Dialect {
  return {
    api,
    readRequest: readMediaRequest,
    openReply: (head) => openReplyReader(head, language),
    withModel: putMediaModel,
  };
}

function readAudioDocument(document: JsonObject, notes: ReplyNotes): void {
  const { usage } = document;
  notes.noteResponseId(findField(document, 'x_groq', 'id'));
  notes.noteModel(document.model);
  notes.noteUsage(usage, USAGE_NAMES);
  notes.noteReportedUsd(readReportedUsd(usage));
  for (const seconds of [document.duration, findField(usage, 'prompt_audio_seconds'), findField(usage, 'seconds')])
    notes.noteAmount('inputSeconds', seconds);
  const type = findText(document, 'type') ?? '';
  if (type.endsWith('.delta') || type.endsWith('.segment')) notes.noteOutput();
  if (type.endsWith('.done')) notes.noteEnd();
}

function makeAudioUsage(counts: TokenCounts): Usage {
  return {
    inputTokens: counts.findFirst(SOURCES.input),
    outputTokens: counts.findFirst(SOURCES.output),
    cacheReadTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
    totalTokens: counts.find(TOTAL),
  };
}
