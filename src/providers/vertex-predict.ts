import { unknownUsage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import { readGoogleRequest } from './google-generate.js';
import { findField, findItems, findText, type JsonObject } from './json-fields.js';
import { putGoogleModel } from './model-rewrite.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';
import { sumCounts } from './token-counts.js';

const TOKENS = 'predictions.embeddings.statistics.token_count';
const CHARACTERS = 'metadata.billableCharacterCount';
const IMAGES = 'predictions.images';

const PREDICT_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usage as embeddings.statistics.token_count of the predictions',
  streamHint: null,
  noOutput: 'the predict API states no output tokens',
  readDocument(document: JsonObject, notes: ReplyNotes): void {
    const predictions = findItems(document, 'predictions');
    const tokens = predictions.map((each) => findField(each, 'embeddings', 'statistics', 'token_count'));
    const images = predictions.filter((each) => findText(each, 'mimeType')?.startsWith('image/')).length;
    const counts = {
      predictions: { embeddings: { statistics: { token_count: sumCounts(tokens) ?? null } }, images: images || null },
      metadata: { billableCharacterCount: findField(document, 'metadata', 'billableCharacterCount') ?? null },
    };
    notes.noteModel(document.model);
    notes.noteUsage(counts, [TOKENS, CHARACTERS, IMAGES]);
  },
  listSources: () => ({ input: [TOKENS], output: [] }),
  makeUsage: (counts) => ({ ...unknownUsage, inputTokens: counts.find(TOKENS) }),
  details: { inputCharacters: [CHARACTERS], outputImages: [IMAGES] },
};

/**
 * Vertex AI's `predict` of Google's own models: text embeddings, each with its `statistics.token_count`, and the characters
 * that are billed; images, which are counted. Sources: `VertexEmbeddingsResponsePrediction` of
 * https://v03.api.js.langchain.com (read 2026-11-27);
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api and `/imagen-api`.
 */
export const vertexPredict: Dialect = {
  api: 'predict',
  readRequest: readGoogleRequest,
  openReply: (head) => openReplyReader(head, PREDICT_LANGUAGE),
  withModel: putGoogleModel,
};
