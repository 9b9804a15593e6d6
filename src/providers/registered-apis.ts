import { anthropicComplete } from './anthropic-complete.js';
import { anthropicMessages } from './anthropic-messages.js';
import { googleBatchEmbed, googleEmbed } from './google-embed.js';
import { googleGenerate, googleStreamGenerate } from './google-generate.js';
import { googleLive } from './google-live.js';
import { openaiChat } from './openai-chat.js';
import { openaiCompletions } from './openai-completions.js';
import { openaiEmbeddings } from './openai-embeddings.js';
import { openaiRealtime } from './openai-realtime.js';
import { openaiResponses } from './openai-responses.js';
import { openaiResponsesSocket } from './openai-responses-socket.js';
import { media, moderations, OLLAMA_APIS, type ProviderApi, type ProviderSocket, reranking } from './provider-apis.js';
import type { CheckedRegistration } from './registration.js';

const canAsk = (): boolean => true;
const GOOGLE_ROOTS = ['/v1beta', '/v1', '/v1alpha', ''];

/** What a registered host of a dialect serves, with and without the version in front; user patterns join the first. */
export const USUAL_APIS: Readonly<Record<CheckedRegistration['dialect'], readonly [ProviderApi, ...ProviderApi[]]>> = {
  openai: [
    { dialect: openaiChat, paths: ['/v1/chat/completions', '/chat/completions'], canAskForStreamUsage: canAsk },
    { dialect: openaiCompletions, paths: ['/v1/completions', '/completions'], canAskForStreamUsage: canAsk },
    { dialect: openaiResponses, paths: ['/v1/responses', '/responses', '/v1/responses/compact', '/responses/compact'] },
    { dialect: openaiEmbeddings, paths: ['/v1/embeddings', '/embeddings'] },
    ...media('/v1'),
    ...media(''),
    moderations('/v1/moderations', '/moderations'),
    // vLLM's and llama.cpp's: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html (read 2026-11-27)
    reranking('/v1/rerank', '/v2/rerank', '/rerank'),
  ],
  anthropic: [
    { dialect: anthropicMessages, paths: ['/v1/messages', '/messages'] },
    { dialect: anthropicComplete, paths: ['/v1/complete', '/complete'] },
  ],
  google: [
    { dialect: googleGenerate, paths: listGooglePaths('generateContent') },
    { dialect: googleStreamGenerate, paths: listGooglePaths('streamGenerateContent') },
    { dialect: googleEmbed, paths: listGooglePaths('embedContent') },
    { dialect: googleBatchEmbed, paths: listGooglePaths('batchEmbedContents') },
  ],
};

/**
 * What a registered server of OpenAI's dialect may speak besides, beside its prefix when that ends with `/v1`: ollama its
 * own (https://docs.ollama.com/api) and Anthropic's (https://docs.ollama.com/api/anthropic-compatibility); read 2026-11-27.
 */
export const OTHER_APIS: readonly ProviderApi[] = [
  { dialect: anthropicMessages, paths: ['/v1/messages'] },
  ...OLLAMA_APIS,
];

/** The same for WebSockets. */
export const USUAL_SOCKETS: Readonly<Record<CheckedRegistration['dialect'], readonly ProviderSocket[]>> = {
  openai: [
    { dialect: openaiRealtime, paths: ['/v1/realtime', '/realtime'] },
    { dialect: openaiResponsesSocket, paths: ['/v1/responses', '/responses'] },
  ],
  anthropic: [],
  google: [
    { dialect: googleLive, paths: ['/ws/google.ai.generativelanguage.*.GenerativeService.BidiGenerateContent'] },
  ],
};

function listGooglePaths(method: string): string[] {
  return GOOGLE_ROOTS.map((root) => `${root}/models/*:${method}`);
}
