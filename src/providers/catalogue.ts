// Longer than 250 lines: one entry a provider.

import { anthropicComplete } from './anthropic-complete.js';
import { BEDROCK, CLAUDE_ON_AWS, VERTEX } from './catalogue-clouds.js';
import { cohereChat } from './cohere-chat.js';
import { cohereChatV1, cohereGenerate } from './cohere-chat-v1.js';
import { cohereEmbed } from './cohere-embed.js';
import { DASHSCOPE_APIS, GATEWAYS } from './gateways.js';
import { googleBatchEmbed, googleEmbed } from './google-embed.js';
import { googleGenerate, googleStreamGenerate } from './google-generate.js';
import { googleInteractions } from './google-interactions.js';
import { googleLive } from './google-live.js';
import { GEMINI_GRPC, XAI_GRPC } from './grpc.js';
import { HUGGING_FACE } from './hugging-face.js';
import { mistralConversations } from './mistral-conversations.js';
import { mistralOcr } from './mistral-ocr.js';
import { openaiTranscriptions } from './openai-audio.js';
import { googleOpenaiChat } from './openai-chat.js';
import { openaiImages } from './openai-images.js';
import { mistralClassifications } from './openai-moderations.js';
import {
  AZURE_OPENAI_APIS,
  AZURE_OPENAI_SOCKETS,
  askedChat,
  askedCompletions,
  type CatalogueEntry,
  chat,
  completions,
  embeddings,
  images,
  media,
  messages,
  moderations,
  OLLAMA_APIS,
  others,
  realtime,
  reranking,
  responses,
  responsesSocket,
  speech,
  transcriptions,
} from './provider-apis.js';
import { googleUnread } from './unread.js';

const GOOGLE_ROOTS = ['/v1beta', '/v1', '/v1alpha'];
const googlePaths = (kinds: readonly string[], method: string): string[] =>
  GOOGLE_ROOTS.flatMap((root) => kinds.map((kind) => `${root}/${kind}/*:${method}`));

/**
 * Every provider known without registration, the most used first.
 *
 * A stream is asked for usage only where the provider documents `stream_options` and sends none unasked:
 * - asked: OpenAI (https://platform.openai.com/docs/api-reference/chat/create), Azure, Anthropic's compatible API
 *   (https://docs.claude.com/en/api/openai-sdk), Cerebras (npm `@cerebras/cerebras_cloud_sdk` 1.91, read 2026-11-21), xAI
 *   (npm `@ai-sdk/xai` 3.0 always asks, read 2026-11-21), DeepSeek (https://api-docs.deepseek.com/api/create-chat-completion), DashScope
 *   (https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope), Hugging Face
 *   (https://huggingface.co/docs/inference-providers/tasks/chat-completion).
 * - sends it unasked: Fireworks, in the frame with the finish reason (https://docs.fireworks.ai/tools-sdks/openai-compatibility,
 *   read 2026-11-21); OpenRouter, where the option has no effect (https://openrouter.ai/docs/client-sdks/typescript/models/chatstreamoptions,
 *   read 2026-11-21); Groq, as `x_groq.usage` (npm `groq-sdk` 1.6, which has no such option, read 2026-11-21); Perplexity; Moonshot,
 *   in the last choice.
 * - refuses it: Mistral, with 422 `extra_forbidden` (https://github.com/openai/openai-agents-python/issues/442, read 2026-11-21);
 *   it sends usage unasked; Cohere's compatible API (https://strandsagents.com/docs/user-guide/concepts/model-providers/cohere/,
 *   read 2026-11-27).
 * - not documented: Together (npm `together-ai` 0.52, read 2026-11-21), z.ai.
 * - Google's compatible API states usage in every frame when asked, not in one of its own that could be hidden again
 *   (https://github.com/ogx-ai/ogx/issues/5122, read 2026-11-21).
 *
 * Calls whose replies nobody reads yet are listed by `others`. Not calls, hence not here: model lists, token counting, batches, files, stored responses.
 */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    name: 'openai',
    // Regional hosts (`eu.`, `us.` …): https://platform.openai.com/docs/guides/your-data#data-residency-controls
    hosts: ['api.openai.com', '*.api.openai.com'],
    apis: [
      askedChat('/v1/chat/completions'),
      askedCompletions('/v1/completions'),
      responses('/v1/responses', '/v1/responses/compact'),
      embeddings('/v1/embeddings'),
      ...media('/v1'),
      moderations('/v1/moderations'),
      // Paths of the npm package `openai` 6.49 (read 2026-11-27).
      others('/v1/videos', '/v1/videos/edits', '/v1/videos/extensions', '/v1/videos/*/remix'),
    ],
    sockets: [realtime('/v1/realtime'), responsesSocket('/v1/responses')],
  },
  {
    name: 'anthropic',
    hosts: ['api.anthropic.com'],
    apis: [
      messages('/v1/messages'),
      askedChat('/v1/chat/completions'),
      { dialect: anthropicComplete, paths: ['/v1/complete'] },
    ],
  },
  {
    name: 'google',
    hosts: ['generativelanguage.googleapis.com'],
    apis: [
      { dialect: googleGenerate, paths: googlePaths(['models', 'tunedModels'], 'generateContent') },
      { dialect: googleStreamGenerate, paths: googlePaths(['models', 'tunedModels'], 'streamGenerateContent') },
      { dialect: googleEmbed, paths: googlePaths(['models'], 'embedContent') },
      { dialect: googleBatchEmbed, paths: googlePaths(['models'], 'batchEmbedContents') },
      { dialect: googleOpenaiChat, paths: ['/v1beta/openai/chat/completions'] },
      embeddings('/v1beta/openai/embeddings'),
      // https://ai.google.dev/gemini-api/docs/openai#image-generation
      images('/v1beta/openai'),
      // Imagen and Veo: paths of the npm package `@google/genai` 2.32 (read 2026-11-27).
      { dialect: googleUnread, paths: googlePaths(['models'], 'predict') },
      { dialect: googleUnread, paths: googlePaths(['models'], 'predictLongRunning') },
      { dialect: googleInteractions, paths: GOOGLE_ROOTS.map((root) => `${root}/interactions`) },
    ],
    grpc: GEMINI_GRPC,
    sockets: [
      {
        dialect: googleLive,
        paths: [
          '/ws/google.ai.generativelanguage.*.GenerativeService.BidiGenerateContent',
          '/ws/google.ai.generativelanguage.*.GenerativeService.BidiGenerateContentConstrained',
        ],
      },
    ],
  },
  {
    // The others are Antigravity's, which speaks the same: https://github.com/soilSpoon/llmux
    // (`packages/auth/src/providers/antigravity-constants.ts`, read 2026-11-27).
    name: 'gemini-cli-oauth',
    hosts: [
      'cloudcode-pa.googleapis.com',
      'daily-cloudcode-pa.sandbox.googleapis.com',
      'autopush-cloudcode-pa.sandbox.googleapis.com',
    ],
    apis: [
      { dialect: googleGenerate, paths: ['/v1internal:generateContent'] },
      { dialect: googleStreamGenerate, paths: ['/v1internal:streamGenerateContent'] },
    ],
  },
  {
    name: 'openrouter',
    hosts: ['openrouter.ai', 'eu.openrouter.ai'],
    apis: [
      chat('/api/v1/chat/completions'),
      completions('/api/v1/completions'),
      responses('/api/v1/responses'),
      embeddings('/api/v1/embeddings'),
      messages('/api/v1/messages'),
      reranking('/api/v1/rerank'),
      // Paths of the npm package `@openrouter/sdk` 1.3 (read 2026-11-27).
      { dialect: openaiImages, paths: ['/api/v1/images'] },
      speech('/api/v1'),
      { dialect: openaiTranscriptions, paths: ['/api/v1/audio/transcriptions'] },
      others('/api/v1/videos'),
    ],
  },
  {
    name: 'mistral',
    hosts: ['api.mistral.ai', 'codestral.mistral.ai'],
    // Paths of the npm package `@mistralai/mistralai` 2.7 (read 2026-11-27).
    apis: [
      chat('/v1/chat/completions', '/v1/fim/completions', '/v1/agents/completions'),
      embeddings('/v1/embeddings'),
      moderations('/v1/moderations', '/v1/chat/moderations'),
      { dialect: mistralClassifications, paths: ['/v1/classifications', '/v1/chat/classifications'] },
      { dialect: mistralOcr, paths: ['/v1/ocr'] },
      {
        dialect: mistralConversations,
        paths: ['/v1/conversations', '/v1/conversations/*', '/v1/conversations/*/restart'],
      },
      speech('/v1'),
      ...transcriptions('/v1'),
    ],
  },
  {
    name: 'groq',
    hosts: ['api.groq.com'],
    // Paths of the npm package `groq-sdk` 1.6 (read 2026-11-27).
    apis: [
      chat('/openai/v1/chat/completions'),
      responses('/openai/v1/responses'),
      embeddings('/openai/v1/embeddings'),
      speech('/openai/v1'),
      ...transcriptions('/openai/v1'),
    ],
  },
  {
    name: 'deepseek',
    hosts: ['api.deepseek.com'],
    apis: [
      askedChat('/chat/completions', '/v1/chat/completions', '/beta/chat/completions', '/beta/v1/chat/completions'),
      askedCompletions('/beta/completions', '/beta/v1/completions'),
      messages('/anthropic/v1/messages'),
    ],
  },
  {
    name: 'x-ai',
    hosts: ['api.x.ai', 'us-east-1.api.x.ai', 'eu-west-1.api.x.ai'],
    apis: [
      askedChat('/v1/chat/completions'),
      askedCompletions('/v1/completions'),
      responses('/v1/responses'),
      embeddings('/v1/embeddings'),
      messages('/v1/messages'),
      // https://docs.x.ai/docs/guides/image-generations (read 2026-11-27)
      images('/v1'),
    ],
    grpc: XAI_GRPC,
    sockets: [responsesSocket('/v1/responses')],
  },
  {
    name: 'together',
    hosts: ['api.together.xyz', 'api.together.ai'],
    apis: [
      chat('/v1/chat/completions'),
      completions('/v1/completions'),
      embeddings('/v1/embeddings'),
      // These and the ones above: paths of the npm package `together-ai` 0.52 (read 2026-11-27).
      reranking('/v1/rerank'),
      images('/v1'),
      speech('/v1'),
      ...transcriptions('/v1'),
      others('/v2/videos'),
    ],
  },
  {
    name: 'fireworks',
    hosts: ['api.fireworks.ai'],
    apis: [
      chat('/inference/v1/chat/completions'),
      completions('/inference/v1/completions'),
      responses('/inference/v1/responses'),
      embeddings('/inference/v1/embeddings'),
      messages('/inference/v1/messages'),
    ],
  },
  {
    name: 'cerebras',
    hosts: ['api.cerebras.ai'],
    apis: [askedChat('/v1/chat/completions'), askedCompletions('/v1/completions')],
  },
  // Its Agent API is made like OpenAI's responses: https://docs.perplexity.ai/docs/agent-api/openai-compatibility (read 2026-11-27)
  {
    name: 'perplexity',
    hosts: ['api.perplexity.ai'],
    apis: [chat('/chat/completions'), responses('/v1/responses', '/v1/agent')],
  },
  {
    name: 'moonshot',
    hosts: ['api.moonshot.ai', 'api.moonshot.cn'],
    apis: [chat('/v1/chat/completions'), messages('/anthropic/v1/messages')],
  },
  {
    name: 'kimi-code',
    hosts: ['api.kimi.com'],
    apis: [chat('/coding/v1/chat/completions'), messages('/coding/v1/messages')],
  },
  {
    // Hosts of regions, and of workspaces and plans: https://www.alibabacloud.com/help/en/model-studio/base-url (read 2026-11-27)
    name: 'dashscope',
    hosts: [
      'dashscope.aliyuncs.com',
      'dashscope-intl.aliyuncs.com',
      'dashscope-us.aliyuncs.com',
      'cn-hongkong.dashscope.aliyuncs.com',
      '*.maas.aliyuncs.com',
    ],
    apis: [
      askedChat('/compatible-mode/v1/chat/completions'),
      askedCompletions('/compatible-mode/v1/completions'),
      // https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-openai-responses (read 2026-11-21)
      responses('/compatible-mode/v1/responses', '/api/v2/apps/protocols/compatible-mode/v1/responses'),
      embeddings('/compatible-mode/v1/embeddings'),
      messages('/apps/anthropic/v1/messages'),
      ...DASHSCOPE_APIS,
    ],
  },
  {
    // The plan for agents: https://help.aliyun.com/zh/model-studio/other-tools-coding-plan and, for the second host,
    // https://docs.openclaw.ai/providers/modelstudio (read 2026-11-27)
    name: 'dashscope-coding',
    hosts: ['coding.dashscope.aliyuncs.com', 'coding-intl.dashscope.aliyuncs.com'],
    apis: [askedChat('/v1/chat/completions'), messages('/apps/anthropic/v1/messages')],
  },
  {
    name: 'z-ai',
    hosts: ['api.z.ai', 'open.bigmodel.cn'],
    apis: [
      chat('/api/paas/v4/chat/completions', '/api/coding/paas/v4/chat/completions'),
      embeddings('/api/paas/v4/embeddings'),
      messages('/api/anthropic/v1/messages'),
    ],
  },
  HUGGING_FACE,
  {
    name: 'cohere',
    hosts: ['api.cohere.com', 'api.cohere.ai'],
    apis: [
      { dialect: cohereChat, paths: ['/v2/chat'] },
      { dialect: cohereChatV1, paths: ['/v1/chat'] },
      { dialect: cohereGenerate, paths: ['/v1/generate'] },
      { dialect: cohereEmbed, paths: ['/v2/embed', '/v1/embed'] },
      reranking('/v2/rerank', '/v1/rerank'),
      // Paths of the npm package `cohere-ai` 8.1 (read 2026-11-27).
      others('/v1/classify', '/v1/summarize', '/v2/parse'),
      chat('/compatibility/v1/chat/completions'),
      embeddings('/compatibility/v1/embeddings'),
    ],
  },
  {
    // https://docs.ollama.com/cloud, /api/openai-compatibility and /api/anthropic-compatibility (read 2026-11-27)
    name: 'ollama-cloud',
    hosts: ['ollama.com'],
    apis: [
      ...OLLAMA_APIS,
      chat('/v1/chat/completions'),
      completions('/v1/completions'),
      responses('/v1/responses'),
      embeddings('/v1/embeddings'),
      messages('/v1/messages'),
    ],
  },
  {
    name: 'azure-openai',
    hosts: ['*.openai.azure.com'],
    apis: AZURE_OPENAI_APIS,
    sockets: AZURE_OPENAI_SOCKETS,
  },
  BEDROCK,
  CLAUDE_ON_AWS,
  VERTEX,
  ...GATEWAYS,
];
