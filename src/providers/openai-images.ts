import type { Dialect } from '../core/wire.js';
import { findItems, findText, type JsonObject } from './json-fields.js';
import { putMediaModel, readMediaRequest } from './media-request.js';
import {
  COMPLETION_USAGE,
  listOpenaiSources,
  listUsageNames,
  makeOpenaiUsage,
  RESPONSES_USAGE,
  readReportedUsd,
} from './openai-usage.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import type { TokenCounts } from './token-counts.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

const DETAILS: DetailNames = {
  inputTextTokens: ['input_tokens_details.text_tokens'],
  inputImageTokens: ['input_tokens_details.image_tokens'],
  outputTextTokens: ['output_tokens_details.text_tokens'],
  outputImageTokens: ['output_tokens_details.image_tokens', 'completion_tokens_details.image_tokens'],
};
/** OpenAI's names, then OpenRouter's. */
const USAGES = [RESPONSES_USAGE, COMPLETION_USAGE] as const;
const USAGE_NAMES = [...USAGES.flatMap(listUsageNames), ...listDetailNames(DETAILS)];

/** The names a reply states its usage by. */
function findNames(counts: TokenCounts): (typeof USAGES)[number] {
  return USAGES.find(({ input }) => counts.find(input) !== null || counts.isBad(input)) ?? RESPONSES_USAGE;
}

/** What a piece of output begins with, as OpenAI writes it. The rest of it is a picture. */
const PARTIAL = /^\{"type": ?"image_(?:generation|edit)\.partial_image",/;

const IMAGES_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage.input_tokens and usage.output_tokens',
  streamHint: null,
  noOutput: null,
  noTokens: 'the reply has images (usageDetails.outputImages), and states no tokens',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    notes.noteResponseId(document.id);
    notes.noteModel(document.model);
    notes.noteUsage(document.usage, USAGE_NAMES);
    notes.noteReportedUsd(readReportedUsd(document.usage));
    const type = findText(document, 'type') ?? '';
    const images = findItems(document, 'data').length;
    if (images > 0) notes.noteAmount('outputImages', images);
    if (type.endsWith('.partial_image') || type.endsWith('.completed')) notes.noteOutput();
    if (!type.endsWith('.completed')) return;
    notes.noteAmount('outputImages', notes.findAmount('outputImages') + 1);
    notes.noteEnd();
  },
  isFurtherOutput: (data) =>
    PARTIAL.test(data) && data.endsWith('}') && !data.includes('"error"') && !data.includes('\\u00'),
  details: DETAILS,
  listSources: (counts) => listOpenaiSources(findNames(counts)),
  makeUsage: (counts) => makeOpenaiUsage(counts, findNames(counts)),
};

/**
 * Images of OpenAI and of those who copy it: made from a prompt, edited, varied. Edits and variations, and only they, come
 * as forms. GPT Image models state tokens by modality; DALL·E and most other providers state none, and bill pictures.
 * A stream has pictures in the making (`….partial_image`) and ends with `image_generation.completed` or
 * `image_edit.completed`, with the usage. Source: https://platform.openai.com/docs/api-reference/images and
 * `/images-streaming`; read 2026-11-27 as types of the npm package `openai` 6.49; OpenRouter's `ImageGenerationUsage` of
 * `@openrouter/sdk` 1.3 (read 2026-11-27).
 */
export const openaiImages: Dialect = makeDialect('images.generations');
export const openaiImageEdits: Dialect = makeDialect('images.edits');
export const openaiImageVariations: Dialect = makeDialect('images.variations');

function makeDialect(api: string): Dialect {
  return {
    api,
    readRequest: readMediaRequest,
    openReply: (head) => openReplyReader(head, IMAGES_LANGUAGE),
    withModel: putMediaModel,
  };
}
