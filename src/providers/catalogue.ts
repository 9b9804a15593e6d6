// Longer than 250 lines: one list of every provider.
import type { SocketDialect } from '../core/socket.js';
import type { Dialect } from '../core/wire.js';
import { anthropicComplete } from './anthropic-complete.js';
import { anthropicMessages } from './anthropic-messages.js';
import { BEDROCK, VERTEX } from './catalogue-clouds.js';
import { googleBatchEmbed, googleEmbed } from './google-embed.js';
import { googleGenerate, googleStreamGenerate } from './google-generate.js';
import { googleLive } from './google-live.js';
import { googleOpenaiChat, openaiChat } from './openai-chat.js';
import { openaiCompletions } from './openai-completions.js';
import { openaiEmbeddings } from './openai-embeddings.js';
import { openaiRealtime } from './openai-realtime.js';
import { openaiResponses } from './openai-responses.js';
import { openaiResponsesSocket } from './openai-responses-socket.js';
import { readSegments } from './path-pattern.js';

/** One API of a provider: the dialect and the path patterns (`path-pattern.ts`) that are calls of it, all POST. */
export interface ProviderApi {
  readonly dialect: Dialect;
  readonly paths: readonly string[];
  /** Whether a request to this path may be given `stream_options.include_usage`; never when absent. */
  readonly canAskForStreamUsage?: (path: string) => boolean;
}

/** One API of a provider over a WebSocket, and the paths an upgrade asks for. */
export interface ProviderSocket {
  readonly dialect: SocketDialect;
  readonly paths: readonly string[];
}

/** A built-in provider. Its hosts are HTTPS on port 443. */
export interface CatalogueEntry {
  readonly name: string;
  /** Lower case; patterns (`host-pattern.ts`): `*.example.com` is every name below it. */
  readonly hosts: readonly string[];
  readonly apis: readonly ProviderApi[];
  /** Paths that a pattern of `apis` fits and that are no calls. */
  readonly notCalls?: readonly string[];
  readonly sockets?: readonly ProviderSocket[];
}

const always = (): boolean => true;

/**
 * Azure takes `stream_options` from api-version 2024-09-01-preview on, and on the `/openai/v1` paths. Source:
 * https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
 */
function takesStreamOptions(path: string): boolean {
  if (readSegments(path)[1] === 'v1') return true;
  const version = new URLSearchParams(path.split('?')[1] ?? '').get('api-version') ?? '';
  return /^\d{4}-\d{2}-\d{2}/.test(version) && version.slice(0, 10) >= '2024-09-01';
}

const chat = (...paths: string[]): ProviderApi => ({ dialect: openaiChat, paths });
const askedChat = (...paths: string[]): ProviderApi => ({ ...chat(...paths), canAskForStreamUsage: always });
const completions = (...paths: string[]): ProviderApi => ({ dialect: openaiCompletions, paths });
const askedCompletions = (...paths: string[]): ProviderApi => ({
  ...completions(...paths),
  canAskForStreamUsage: always,
});
const responses = (...paths: string[]): ProviderApi => ({ dialect: openaiResponses, paths });
const embeddings = (...paths: string[]): ProviderApi => ({ dialect: openaiEmbeddings, paths });
const messages = (...paths: string[]): ProviderApi => ({ dialect: anthropicMessages, paths });

const realtime = (...paths: string[]): ProviderSocket => ({ dialect: openaiRealtime, paths });
const responsesSocket = (...paths: string[]): ProviderSocket => ({ dialect: openaiResponsesSocket, paths });

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
 *   it sends usage unasked.
 * - not documented: Together (npm `together-ai` 0.52, read 2026-11-21), z.ai.
 * - Google's compatible API states usage in every frame when asked, not in one of its own that could be hidden again
 *   (https://github.com/ogx-ai/ogx/issues/5122, read 2026-11-21).
 *
 * Not calls, hence not here: model lists, token counting, batches, files, stored responses, moderation.
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
    ],
    sockets: [realtime('/v1/realtime'), responsesSocket('/v1/responses')],
  },
  {
    name: 'anthropic',
    hosts: ['api.anthropic.com'],
    apis: [
      messages('/v1/messages'),
      { dialect: anthropicComplete, paths: ['/v1/complete'] },
      askedChat('/v1/chat/completions'),
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
    ],
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
    name: 'gemini-cli-oauth',
    hosts: ['cloudcode-pa.googleapis.com'],
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
    ],
  },
  {
    name: 'mistral',
    hosts: ['api.mistral.ai', 'codestral.mistral.ai'],
    apis: [chat('/v1/chat/completions', '/v1/fim/completions', '/v1/agents/completions'), embeddings('/v1/embeddings')],
  },
  {
    name: 'groq',
    hosts: ['api.groq.com'],
    apis: [chat('/openai/v1/chat/completions'), responses('/openai/v1/responses')],
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
    ],
    sockets: [responsesSocket('/v1/responses')],
  },
  {
    name: 'together',
    hosts: ['api.together.xyz', 'api.together.ai'],
    apis: [chat('/v1/chat/completions'), completions('/v1/completions'), embeddings('/v1/embeddings')],
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
  { name: 'perplexity', hosts: ['api.perplexity.ai'], apis: [chat('/chat/completions')] },
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
    name: 'dashscope',
    hosts: ['dashscope.aliyuncs.com', 'dashscope-intl.aliyuncs.com', 'dashscope-us.aliyuncs.com'],
    apis: [
      askedChat('/compatible-mode/v1/chat/completions'),
      askedCompletions('/compatible-mode/v1/completions'),
      // https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-openai-responses (read 2026-11-21)
      responses('/compatible-mode/v1/responses', '/api/v2/apps/protocols/compatible-mode/v1/responses'),
      embeddings('/compatible-mode/v1/embeddings'),
      messages('/apps/anthropic/v1/messages'),
    ],
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
  {
    name: 'huggingface',
    hosts: ['router.huggingface.co'],
    apis: [askedChat('/v1/chat/completions', '/*/v1/chat/completions'), responses('/v1/responses')],
  },
  {
    name: 'azure-openai',
    hosts: ['*.openai.azure.com'],
    apis: [
      {
        ...chat('/openai/deployments/*/chat/completions', '/openai/v1/chat/completions'),
        canAskForStreamUsage: takesStreamOptions,
      },
      {
        ...completions('/openai/deployments/*/completions', '/openai/v1/completions'),
        canAskForStreamUsage: takesStreamOptions,
      },
      responses('/openai/responses', '/openai/v1/responses'),
      embeddings('/openai/deployments/*/embeddings', '/openai/v1/embeddings'),
    ],
    sockets: [
      realtime('/openai/realtime', '/openai/v1/realtime'),
      responsesSocket('/openai/responses', '/openai/v1/responses'),
    ],
  },
  {
    // Codex with a ChatGPT login: https://github.com/openai/codex (`codex-rs/codex-api`, read 2026-11-27).
    name: 'chatgpt-codex',
    hosts: ['chatgpt.com'],
    apis: [responses('/backend-api/codex/responses')],
    sockets: [responsesSocket('/backend-api/codex/responses')],
  },
  BEDROCK,
  VERTEX,
];
