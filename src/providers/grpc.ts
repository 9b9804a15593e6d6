import { unknownUsage } from '../core/usage.js';
import type { Dialect, ReplyFacts } from '../core/wire.js';

/**
 * Facts of a reply whose messages are not read. NOTE: xAI's and Google's shapes are public, but whether a count includes
 * the tokens of reasoning stands in none of them; a count that may be wrong by a factor is worse than none.
 */
const unreadFacts: ReplyFacts = Object.freeze({
  model: null,
  usage: unknownUsage,
  usageProblem: 'The messages of gRPC are not read by this version.',
  usageDetails: null,
  serviceTier: null,
  reportedUsd: null,
  finishReasons: [],
  toolCalls: [],
  responseId: null,
  error: null,
  firstTokenAtMs: null,
  complete: true,
  saidEnd: false,
});

/**
 * A call by gRPC, whatever its service: on record with its status, times and sizes. Source for the path, which is
 * `/SERVICE/METHOD`: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (read 2026-11-27).
 */
export const grpcCall: Dialect = {
  api: 'grpc',
  readRequest: (_body, path) => ({ model: null, stream: isStreaming(path), wireSession: null }),
  openReply: () => ({ write: () => undefined, end: () => unreadFacts }),
};

/** By its name: `StreamGenerateContent`, `GetCompletionChunk`, `SampleTextStreaming`. */
function isStreaming(path: string): boolean {
  const method = path.split('/')[2] ?? '';
  return /stream|chunk|bidi/i.test(method);
}

const generative = ['GenerateContent', 'StreamGenerateContent', 'GenerateAnswer', 'EmbedContent', 'BatchEmbedContents'];

/**
 * Methods of the Gemini API. Source: googleapis/googleapis, google/ai/generativelanguage/v1beta/generative_service.proto
 * (read 2026-11-27); the last one is the Live API's, whose name stands in its WebSocket's path.
 */
export const GEMINI_GRPC: readonly string[] = [...generative, 'BidiGenerateContent'].map(
  (method) => `/google.ai.generativelanguage.*.GenerativeService/${method}`,
);

/**
 * Methods of Vertex AI. Source: the npm package `@google-cloud/aiplatform` 6.11, protos/google/cloud/aiplatform/v1beta1/
 * prediction_service.proto (read 2026-11-27).
 */
export const VERTEX_GRPC: readonly string[] = [
  ...['GenerateContent', 'StreamGenerateContent', 'ChatCompletions', 'EmbedContent', 'Predict', 'RawPredict'],
  ...['StreamRawPredict', 'DirectPredict', 'DirectRawPredict', 'StreamDirectPredict', 'StreamDirectRawPredict'],
  ...['StreamingPredict', 'ServerStreamingPredict', 'StreamingRawPredict'],
].map((method) => `/google.cloud.aiplatform.*.PredictionService/${method}`);

/** Methods of xAI that have a model work. Source: xai-org/xai-proto, proto/xai/api/v1 (read 2026-11-27). */
export const XAI_GRPC: readonly string[] = [
  ...['GetCompletion', 'GetCompletionChunk', 'StartDeferredCompletion', 'CompactContext'].map(
    (method) => `/xai_api.Chat/${method}`,
  ),
  ...['/xai_api.Sample/SampleText', '/xai_api.Sample/SampleTextStreaming'],
  ...['/xai_api.Embedder/Embed', '/xai_api.Image/GenerateImage'],
  ...['/xai_api.Video/GenerateVideo', '/xai_api.Video/ExtendVideo'],
];
