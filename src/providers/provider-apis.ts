import type { SocketDialect } from '../core/socket.js';
import type { Dialect } from '../core/wire.js';
import { anthropicMessages } from './anthropic-messages.js';
import type { GrpcApi } from './grpc.js';
import { ollamaChat, ollamaEmbed, ollamaEmbeddings, ollamaGenerate } from './ollama.js';
import { openaiSpeech, openaiTranscriptions, openaiTranslations } from './openai-audio.js';
import { openaiChat } from './openai-chat.js';
import { openaiCompletions } from './openai-completions.js';
import { openaiEmbeddings } from './openai-embeddings.js';
import { openaiImageEdits, openaiImages, openaiImageVariations } from './openai-images.js';
import { openaiModerations } from './openai-moderations.js';
import { openaiRealtime } from './openai-realtime.js';
import { openaiResponses } from './openai-responses.js';
import { openaiResponsesSocket } from './openai-responses-socket.js';
import { readSegments } from './path-pattern.js';
import { rerank } from './rerank.js';
import { unread } from './unread.js';

/** One API of a provider: the dialect and the path patterns (`path-pattern.ts`) that are calls of it, all POST. */
export interface ProviderApi {
  readonly dialect: Dialect;
  readonly paths: readonly string[];
  /** Whether a request to this path may be given `stream_options.include_usage`; never when absent. */
  readonly canAskForStreamUsage?: (path: string) => boolean;
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
  /** What is called by gRPC. */
  readonly grpc?: readonly GrpcApi[];
}

/** One API of a provider over a WebSocket, and the paths an upgrade asks for. */
export interface ProviderSocket {
  readonly dialect: SocketDialect;
  readonly paths: readonly string[];
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

export const chat = (...paths: string[]): ProviderApi => ({ dialect: openaiChat, paths });
export const askedChat = (...paths: string[]): ProviderApi => ({ ...chat(...paths), canAskForStreamUsage: always });
export const completions = (...paths: string[]): ProviderApi => ({ dialect: openaiCompletions, paths });
export const askedCompletions = (...paths: string[]): ProviderApi => ({
  ...completions(...paths),
  canAskForStreamUsage: always,
});
export const responses = (...paths: string[]): ProviderApi => ({ dialect: openaiResponses, paths });
export const embeddings = (...paths: string[]): ProviderApi => ({ dialect: openaiEmbeddings, paths });
export const messages = (...paths: string[]): ProviderApi => ({ dialect: anthropicMessages, paths });

export const reranking = (...paths: string[]): ProviderApi => ({ dialect: rerank, paths });

/** What ollama serves of its own. */
export const OLLAMA_APIS: readonly ProviderApi[] = [
  { dialect: ollamaChat, paths: ['/api/chat'] },
  { dialect: ollamaGenerate, paths: ['/api/generate'] },
  { dialect: ollamaEmbed, paths: ['/api/embed'] },
  { dialect: ollamaEmbeddings, paths: ['/api/embeddings'] },
];

/** OpenAI's sounds, pictures and moderation, below a path. */
export const speech = (root: string): ProviderApi => ({ dialect: openaiSpeech, paths: [`${root}/audio/speech`] });
export const transcriptions = (root: string): readonly ProviderApi[] => [
  { dialect: openaiTranscriptions, paths: [`${root}/audio/transcriptions`] },
  { dialect: openaiTranslations, paths: [`${root}/audio/translations`] },
];
export const images = (root: string): ProviderApi => ({ dialect: openaiImages, paths: [`${root}/images/generations`] });
const imageChanges = (root: string): readonly ProviderApi[] => [
  { dialect: openaiImageEdits, paths: [`${root}/images/edits`] },
  { dialect: openaiImageVariations, paths: [`${root}/images/variations`] },
];
export const moderations = (...paths: string[]): ProviderApi => ({ dialect: openaiModerations, paths });
/** All of them. */
export const media = (root: string): readonly ProviderApi[] => [
  images(root),
  ...imageChanges(root),
  speech(root),
  ...transcriptions(root),
];

/**
 * OpenAI's APIs as Azure serves them, of a deployment or under `/openai/v1`. Source:
 * https://learn.microsoft.com/azure/ai-foundry/openai/reference (read 2026-11-27).
 */
export const AZURE_OPENAI_APIS: readonly ProviderApi[] = [
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
  ...media('/openai/deployments/*'),
  ...media('/openai/v1'),
];

/** Calls whose replies nobody reads yet. */
export const others = (...paths: string[]): ProviderApi => ({ dialect: unread, paths });

export const realtime = (...paths: string[]): ProviderSocket => ({ dialect: openaiRealtime, paths });
export const responsesSocket = (...paths: string[]): ProviderSocket => ({ dialect: openaiResponsesSocket, paths });

/** The same over WebSockets. Source: https://learn.microsoft.com/azure/foundry/openai/how-to/realtime-audio-websockets (read 2026-11-27). */
export const AZURE_OPENAI_SOCKETS: readonly ProviderSocket[] = [
  realtime('/openai/realtime', '/openai/v1/realtime'),
  responsesSocket('/openai/responses', '/openai/v1/responses'),
];
