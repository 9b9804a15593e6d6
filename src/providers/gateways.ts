import { dashscopeGeneration } from './dashscope-generation.js';
import { googleGenerate, googleStreamGenerate } from './google-generate.js';
import {
  AZURE_OPENAI_APIS,
  AZURE_OPENAI_SOCKETS,
  type CatalogueEntry,
  chat,
  completions,
  embeddings,
  images,
  messages,
  others,
  type ProviderApi,
  reranking,
  responses,
  responsesSocket,
} from './provider-apis.js';

/** What DashScope serves of its own, on the hosts of its compatible API. */
export const DASHSCOPE_APIS: readonly ProviderApi[] = [
  {
    dialect: dashscopeGeneration,
    paths: [
      '/api/v1/services/aigc/text-generation/generation',
      '/api/v1/services/aigc/multimodal-generation/generation',
    ],
  },
  // https://www.alibabacloud.com/help/en/model-studio/text-embedding-synchronous-api and `/text-rerank-api`
  embeddings('/api/v1/services/embeddings/text-embedding/text-embedding'),
  reranking('/api/v1/services/rerank/text-rerank/text-rerank'),
  // Paths as public clients have them; the references of them were not at hand.
  others('/api/v1/services/aigc/video-generation/video-synthesis', '/api/v1/services/aigc/text2image/image-synthesis'),
];

const GATEWAY_MODELS = ['language', 'embedding', 'image', 'video', 'reranking', 'speech', 'transcription'];
const zen = (path: string): string[] => [`/zen/v1${path}`, `/zen/go/v1${path}`];

/**
 * Hosts that serve models of others: clouds, gateways, subscriptions of agents. None is asked for the usage of a stream.
 *
 * Sources, all read 2026-11-27: where none is given, the host and its base path as https://models.dev has them
 * (https://github.com/anomalyco/models.dev, `providers/NAME/provider.toml`).
 */
export const GATEWAYS: readonly CatalogueEntry[] = [
  {
    // The hosts of each plan: https://docs.github.com/en/copilot/reference/copilot-allowlist-reference. The paths:
    // https://github.com/microsoft/vscode-copilot-chat/pull/477 (responses), https://github.com/zed-industries/zed/pull/40762
    // and https://github.com/caozhiyuan/copilot-api (messages).
    name: 'github-copilot',
    hosts: [
      'api.githubcopilot.com',
      'api.individual.githubcopilot.com',
      'api.business.githubcopilot.com',
      'api.enterprise.githubcopilot.com',
    ],
    apis: [chat('/chat/completions'), responses('/responses'), messages('/v1/messages'), embeddings('/embeddings')],
    // Its list of models says `ws:/responses`: https://github.com/coder/coder/pull/28486,
    // https://github.com/microsoft/vscode-copilot-chat/pull/4068 and /4125 (read 2026-11-27).
    sockets: [responsesSocket('/responses')],
  },
  {
    // Codex signed in with ChatGPT: https://github.com/openai/codex (`codex-rs/core`, base URL and `compact`). NOTE: all other
    // traffic of this host passes unrecorded. Cloudflare stands before it, and may answer a handshake it does not know with
    // 403: https://github.com/mitmproxy/mitmproxy/issues/4575, https://github.com/openclaw/openclaw/issues/67673. A record of one says so (`call/make-record.ts`).
    name: 'chatgpt-codex',
    // The second is for workspaces bound to a region: Codex goes where `/backend-api/wham/accounts/check` sends its account
    // (`workspace_backend_origin`). Source: the npm package @openai/codex 0.171.0 (read 2026-11-27), which names no other.
    hosts: ['chatgpt.com', 'gov.chatgpt.com'],
    apis: [responses('/backend-api/codex/responses', '/backend-api/codex/responses/compact')],
    // https://github.com/openai/codex (`codex-rs/codex-api`, read 2026-11-27)
    sockets: [responsesSocket('/backend-api/codex/responses')],
  },
  {
    // https://docs.github.com/en/rest/models/inference and, for the older host,
    // https://github.blog/changelog/2025-07-17-deprecation-of-azure-endpoint-for-github-models
    name: 'github-models',
    hosts: ['models.github.ai', 'models.inference.ai.azure.com'],
    apis: [
      chat('/inference/chat/completions', '/orgs/*/inference/chat/completions', '/chat/completions'),
      embeddings('/inference/embeddings', '/orgs/*/inference/embeddings', '/embeddings'),
    ],
  },
  {
    // https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/endpoints; Claude:
    // https://learn.microsoft.com/azure/ai-foundry/foundry-models/how-to/use-foundry-models-claude; the last host, of models
    // deployed alone: https://learn.microsoft.com/rest/api/aifoundry/modelinference
    name: 'azure-ai-foundry',
    hosts: [
      '*.services.ai.azure.com',
      '*.cognitiveservices.azure.com',
      '*.inference.ai.azure.com',
      '*.models.ai.azure.com',
    ],
    apis: [
      ...AZURE_OPENAI_APIS,
      messages('/anthropic/v1/messages'),
      chat('/models/chat/completions', '/chat/completions', '/v1/chat/completions'),
      embeddings('/models/embeddings', '/models/images/embeddings', '/embeddings', '/v1/embeddings'),
    ],
    sockets: AZURE_OPENAI_SOCKETS,
  },
  {
    // https://vercel.com/docs/ai-gateway/sdks-and-apis
    name: 'vercel-ai-gateway',
    hosts: ['ai-gateway.vercel.sh'],
    apis: [
      chat('/v1/chat/completions'),
      responses('/v1/responses'),
      messages('/v1/messages'),
      embeddings('/v1/embeddings'),
      images('/v1'),
      // The AI SDK's own protocol, which names the model in a header: the npm package `@ai-sdk/gateway` 3.0
      others(...GATEWAY_MODELS.map((kind) => `/*/ai/${kind}-model`)),
    ],
  },
  {
    // https://opencode.ai/docs/zen#endpoints
    name: 'opencode-zen',
    hosts: ['opencode.ai'],
    apis: [
      chat(...zen('/chat/completions')),
      responses(...zen('/responses')),
      messages(...zen('/messages')),
      { dialect: googleGenerate, paths: ['/zen/v1/models/*:generateContent'] },
      { dialect: googleStreamGenerate, paths: ['/zen/v1/models/*:streamGenerateContent'] },
    ],
  },
  {
    // https://docs.deepinfra.com/api-reference, and the npm package `@ai-sdk/deepinfra` 2.0
    name: 'deepinfra',
    hosts: ['api.deepinfra.com'],
    apis: [
      chat('/v1/openai/chat/completions', '/v1/chat/completions'),
      completions('/v1/openai/completions'),
      embeddings('/v1/openai/embeddings'),
      messages('/anthropic/v1/messages'),
      images('/v1/openai'),
      others('/v1/inference/*/*'),
    ],
  },
  // https://docs.baseten.co/reference/inference-api/chat-completions, and the npm package `@ai-sdk/baseten` 1.1
  { name: 'baseten', hosts: ['inference.baseten.co'], apis: [chat('/v1/chat/completions')] },
  // https://docs.api.nvidia.com/nim/reference/llm-apis
  {
    name: 'nvidia',
    hosts: ['integrate.api.nvidia.com'],
    apis: [chat('/v1/chat/completions'), completions('/v1/completions'), embeddings('/v1/embeddings')],
  },
  // https://docs.tokenfactory.nebius.com/api-reference
  {
    name: 'nebius',
    hosts: ['api.tokenfactory.nebius.com'],
    apis: [chat('/v1/chat/completions'), completions('/v1/completions'), embeddings('/v1/embeddings'), images('/v1')],
  },
  {
    name: 'sambanova',
    hosts: ['api.sambanova.ai'],
    apis: [chat('/v1/chat/completions'), embeddings('/v1/embeddings')],
  },
  // https://novita.ai/docs/api-reference/model-apis-llm-create-chat-completion and `…-create-rerank`; the second path is older
  {
    name: 'novita',
    hosts: ['api.novita.ai'],
    apis: [chat('/openai/v1/chat/completions', '/v3/openai/chat/completions'), reranking('/openai/v1/rerank')],
  },
  // https://platform.minimax.io/docs/api-reference/text-anthropic-api and `/text-openai-api`
  {
    name: 'minimax',
    hosts: ['api.minimax.io', 'api.minimaxi.com'],
    apis: [chat('/v1/chat/completions'), messages('/anthropic/v1/messages')],
  },
  // https://docs.inceptionlabs.ai/api-reference/chat/create-a-chat-completion
  { name: 'inception', hosts: ['api.inceptionlabs.ai'], apis: [chat('/v1/chat/completions')] },
  {
    name: 'venice',
    hosts: ['api.venice.ai'],
    apis: [chat('/api/v1/chat/completions'), embeddings('/api/v1/embeddings')],
  },
  // https://docs.voyageai.com/reference/embeddings-api and `/reranker-api`
  { name: 'voyage', hosts: ['api.voyageai.com'], apis: [embeddings('/v1/embeddings'), reranking('/v1/rerank')] },
  // https://docs.litellm.ai/docs/providers/jina_ai
  { name: 'jina', hosts: ['api.jina.ai'], apis: [embeddings('/v1/embeddings'), reranking('/v1/rerank')] },
];
