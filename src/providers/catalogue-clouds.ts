import type { Dialect } from '../core/wire.js';
import { anthropicMessages } from './anthropic-messages.js';
import { bedrockConverse, bedrockConverseStream } from './bedrock-converse.js';
import { bedrockInvoke, bedrockInvokeStream } from './bedrock-invoke.js';
import { googleEmbed } from './google-embed.js';
import { googleGenerate, googleStreamGenerate } from './google-generate.js';
import { googleInteractions } from './google-interactions.js';
import { googleLive } from './google-live.js';
import { VERTEX_GRPC } from './grpc.js';
import { googleOpenaiChat, openaiChat } from './openai-chat.js';
import { openaiResponses } from './openai-responses.js';
import type { CatalogueEntry, ProviderApi } from './provider-apis.js';
import { vertexPredict } from './vertex-predict.js';
import { vertexChat, vertexMessages } from './vertex-raw.js';

const paths = (dialect: Dialect, ...patterns: string[]): ProviderApi => ({ dialect, paths: patterns });

/**
 * Amazon Bedrock's runtime, and its newer host of compatible APIs (`bedrock-mantle`). A request may be signed, and then
 * nothing of it can be changed: streams are never asked for usage.
 *
 * Sources: endpoint rules of the npm package `@aws-sdk/client-bedrock-runtime` 3.1164 (regions, FIPS, dual stack, the
 * partitions' domains); https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html;
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html and
 * https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-mantle.html for the compatible paths; read 2026-11-27.
 * `invoke-with-bidirectional-stream` needs HTTP/2 both ways, and is not read.
 */
export const BEDROCK: CatalogueEntry = {
  name: 'aws-bedrock',
  hosts: [
    ...['bedrock-runtime', 'bedrock-runtime-fips'].flatMap((service) =>
      ['amazonaws.com', 'amazonaws.com.cn', 'amazonaws.eu', 'api.aws'].map((domain) => `${service}.*.${domain}`),
    ),
    '*.bedrock-runtime.*.vpce.amazonaws.com',
    '*.bedrock-runtime-fips.*.vpce.amazonaws.com',
    'bedrock-mantle.*.api.aws',
  ],
  apis: [
    paths(bedrockConverse, '/model/*/converse'),
    paths(bedrockConverseStream, '/model/*/converse-stream'),
    paths(bedrockInvoke, '/model/*/invoke'),
    paths(bedrockInvokeStream, '/model/*/invoke-with-response-stream'),
    paths(openaiChat, '/openai/v1/chat/completions', '/v1/chat/completions'),
    paths(openaiResponses, '/openai/v1/responses', '/v1/responses'),
    paths(anthropicMessages, '/anthropic/v1/messages'),
  ],
};

/**
 * Anthropic's own platform behind AWS's door: its API, and requests that AWS's clients sign. Source:
 * https://docs.aws.amazon.com/claude-platform/latest/userguide/making-requests.html (read 2026-11-27).
 */
export const CLAUDE_ON_AWS: CatalogueEntry = {
  name: 'anthropic-aws',
  hosts: ['aws-external-anthropic.*.api.aws'],
  apis: [paths(anthropicMessages, '/v1/messages')],
};

const PROJECT = '/projects/*/locations/*';
const ROOTS = ['/v1', '/v1beta1'];

/** Paths of a publisher's models, with a project and, in express mode, without. */
function listModelPaths(publisher: string, ...methods: string[]): string[] {
  return ROOTS.flatMap((root) =>
    [PROJECT, ''].flatMap((scope) =>
      methods.map((method) => `${root}${scope}/publishers/${publisher}/models/*:${method}`),
    ),
  );
}

const listEndpointPaths = (rest: string): string[] => ROOTS.map((root) => `${root}${PROJECT}/endpoints/${rest}`);

/**
 * Google's Vertex AI: Gemini and Google's other models, tuned ones at endpoints of their own, and the partners'.
 *
 * Sources: the npm packages `@google/genai` 2.32 (hosts of regions, multi-regions and express mode, and their paths) and
 * `@anthropic-ai/vertex-sdk` (`rawPredict`, `count-tokens`), read 2026-11-27;
 * https://cloud.google.com/vertex-ai/generative-ai/docs/start/openai for the compatible path.
 */
export const VERTEX: CatalogueEntry = {
  name: 'google-vertex',
  hosts: ['aiplatform.googleapis.com', '*-aiplatform.googleapis.com', 'aiplatform.*.rep.googleapis.com'],
  apis: [
    paths(googleGenerate, ...listModelPaths('google', 'generateContent'), ...listEndpointPaths('*:generateContent')),
    paths(
      googleStreamGenerate,
      ...listModelPaths('google', 'streamGenerateContent'),
      ...listEndpointPaths('*:streamGenerateContent'),
    ),
    paths(googleEmbed, ...listModelPaths('google', 'embedContent')),
    paths(googleInteractions, ...ROOTS.map((root) => `${root}${PROJECT}/interactions`)),
    paths(vertexPredict, ...listModelPaths('google', 'predict')),
    paths(vertexMessages, ...listModelPaths('anthropic', 'rawPredict', 'streamRawPredict')),
    paths(vertexChat, ...listModelPaths('*', 'rawPredict', 'streamRawPredict')),
    paths(googleOpenaiChat, ...listEndpointPaths('openapi/chat/completions')),
    paths(openaiChat, ...listEndpointPaths('*/chat/completions')),
  ],
  // Anthropic's token counting goes by the method of its messages.
  notCalls: listModelPaths('anthropic', 'rawPredict').map((path) => path.replace('*:', 'count-tokens:')),
  grpc: VERTEX_GRPC,
  sockets: [{ dialect: googleLive, paths: ['/ws/google.cloud.aiplatform.*.LlmBidiService/BidiGenerateContent'] }],
};
