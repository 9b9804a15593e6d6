import { EMBED_LANGUAGE } from './google-embed.js';
import { GENERATE_LANGUAGE } from './google-generate.js';
import type { GrpcMethod } from './grpc-method.js';
import { readGoogleEndpoint, readGoogleModel } from './request-facts.js';
import type { ProtoField, ProtoFields } from './wire/protobuf.js';

/*
 * Messages as documents of the JSON API, whose names they share, so that both are read by the same words. Sources:
 * googleapis/googleapis, google/ai/generativelanguage/v1beta and v1, and google/cloud/aiplatform/v1 and v1beta1
 * (generative_service.proto, prediction_service.proto, content.proto, usage_metadata.proto), as in the npm packages
 * `@google-ai/generativelanguage` 4.1 and `@google-cloud/aiplatform` 7.4 (read 2026-11-27). Versions differ in what they
 * have, not in its numbers.
 */

const text = (name: string): ProtoField => ({ name, kind: 'text' });
const number = (name: string): ProtoField => ({ name, kind: 'number' });
const present = (name: string): ProtoField => ({ name, kind: 'present' });
const message = (name: string, fields: ProtoFields): ProtoField => ({ name, kind: 'message', fields });
const list = (name: string, fields: ProtoFields): ProtoField => ({ name, kind: 'message', fields, isList: true });
const choice = (name: string, names: Readonly<Record<number, string>>): ProtoField => ({ name, kind: 'enum', names });

const modality: ProtoFields = {
  1: choice('modality', { 1: 'TEXT', 2: 'IMAGE', 3: 'VIDEO', 4: 'AUDIO', 5: 'DOCUMENT' }),
  2: number('tokenCount'),
};

/** Reasons the two APIs number alike. */
const reasons = { 1: 'STOP', 2: 'MAX_TOKENS', 3: 'SAFETY', 4: 'RECITATION', 5: 'OTHER' } as const;
const blockReasons = { 1: 'SAFETY', 2: 'OTHER', 3: 'BLOCKLIST', 4: 'PROHIBITED_CONTENT' } as const;

const geminiReasons = {
  ...reasons,
  ...{ 6: 'LANGUAGE', 7: 'BLOCKLIST', 8: 'PROHIBITED_CONTENT', 9: 'SPII', 10: 'MALFORMED_FUNCTION_CALL' },
  ...{ 11: 'IMAGE_SAFETY', 12: 'UNEXPECTED_TOOL_CALL', 13: 'TOO_MANY_TOOL_CALLS', 14: 'IMAGE_PROHIBITED_CONTENT' },
  ...{ 15: 'IMAGE_OTHER', 16: 'NO_IMAGE', 17: 'IMAGE_RECITATION' },
};

const geminiPart: ProtoFields = {
  2: text('text'),
  3: present('inlineData'),
  4: message('functionCall', { 1: text('name') }),
  9: present('executableCode'),
  10: present('codeExecutionResult'),
};

const geminiReply: ProtoFields = {
  1: list('candidates', {
    1: message('content', { 1: list('parts', geminiPart) }),
    2: choice('finishReason', geminiReasons),
    3: { name: 'index', kind: 'place' },
    9: message('groundingMetadata', { 5: { name: 'webSearchQueries', kind: 'text', isList: true } }),
  }),
  2: message('promptFeedback', { 1: choice('blockReason', { ...blockReasons, 5: 'IMAGE_SAFETY' }) }),
  3: message('usageMetadata', {
    1: number('promptTokenCount'),
    2: number('candidatesTokenCount'),
    3: number('totalTokenCount'),
    4: number('cachedContentTokenCount'),
    5: list('promptTokensDetails', modality),
    6: list('cacheTokensDetails', modality),
    7: list('candidatesTokensDetails', modality),
    8: number('toolUsePromptTokenCount'),
    10: number('thoughtsTokenCount'),
  }),
  4: text('modelVersion'),
  5: text('responseId'),
};

const vertexReasons = {
  ...reasons,
  ...{ 6: 'BLOCKLIST', 7: 'PROHIBITED_CONTENT', 8: 'SPII', 9: 'MALFORMED_FUNCTION_CALL', 10: 'MODEL_ARMOR' },
};

const vertexPart: ProtoFields = {
  1: text('text'),
  2: present('inlineData'),
  5: message('functionCall', { 1: text('name') }),
  8: present('executableCode'),
  9: present('codeExecutionResult'),
};

const vertexUsage = message('usageMetadata', {
  1: number('promptTokenCount'),
  2: number('candidatesTokenCount'),
  3: number('totalTokenCount'),
  5: number('cachedContentTokenCount'),
  8: choice('trafficType', {
    ...{ 1: 'ON_DEMAND', 2: 'PROVISIONED_THROUGHPUT', 3: 'ON_DEMAND_PRIORITY', 4: 'ON_DEMAND_FLEX' },
  }),
  9: list('promptTokensDetails', modality),
  10: list('cacheTokensDetails', modality),
  11: list('candidatesTokensDetails', modality),
  13: number('toolUsePromptTokenCount'),
  14: number('thoughtsTokenCount'),
});

const vertexReply: ProtoFields = {
  2: list('candidates', {
    1: { name: 'index', kind: 'place' },
    2: message('content', { 2: list('parts', vertexPart) }),
    3: choice('finishReason', vertexReasons),
    7: message('groundingMetadata', { 1: { name: 'webSearchQueries', kind: 'text', isList: true } }),
  }),
  3: message('promptFeedback', { 1: choice('blockReason', { ...blockReasons, 5: 'MODEL_ARMOR', 6: 'JAILBREAK' }) }),
  4: vertexUsage,
  11: text('modelVersion'),
  13: text('responseId'),
};

/** `projects/…/models/gemini-2.5-pro`, `models/gemini-2.5-pro`, or an endpoint a model is deployed to. */
function readModel(name: string): string | null {
  return readGoogleModel(`/${name}`) ?? readGoogleEndpoint(`/${name}`) ?? name;
}

const gemini: GrpcMethod = {
  request: { 1: text('model') },
  reply: geminiReply,
  language: GENERATE_LANGUAGE,
  stream: false,
  readModel,
};
const vertex: GrpcMethod = { ...gemini, request: { 5: text('model') }, reply: vertexReply };
/** Gemini's API states no usage of embeddings and answers by gRPC; of Vertex AI's predictions the format is the model's. */
const named = { request: { 1: text('model') }, reply: null, language: null, readModel } as const;

/** Methods of `GenerativeService`, the Live API's among them, whose name stands in its WebSocket's path, too. */
export const GEMINI_METHODS: Readonly<Record<string, GrpcMethod>> = {
  GenerateContent: gemini,
  StreamGenerateContent: { ...gemini, stream: true },
  GenerateAnswer: { ...named, stream: false },
  EmbedContent: { ...named, stream: false },
  BatchEmbedContents: { ...named, stream: false },
  BidiGenerateContent: { ...named, request: {}, stream: true },
};

const predict = (stream: boolean): GrpcMethod => ({ ...named, stream });

/** Methods of `PredictionService`. */
export const VERTEX_METHODS: Readonly<Record<string, GrpcMethod>> = {
  GenerateContent: vertex,
  StreamGenerateContent: { ...vertex, stream: true },
  EmbedContent: { ...vertex, request: { 1: text('model') }, reply: { 2: vertexUsage }, language: EMBED_LANGUAGE },
  ChatCompletions: predict(true),
  Predict: predict(false),
  RawPredict: predict(false),
  StreamRawPredict: predict(true),
  DirectPredict: predict(false),
  DirectRawPredict: predict(false),
  StreamDirectPredict: predict(true),
  StreamDirectRawPredict: predict(true),
  StreamingPredict: predict(true),
  ServerStreamingPredict: predict(true),
  StreamingRawPredict: predict(true),
};
