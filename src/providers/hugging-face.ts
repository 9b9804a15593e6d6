import { openaiImages } from './openai-images.js';
import {
  askedChat,
  type CatalogueEntry,
  chat,
  completions,
  embeddings,
  others,
  responses,
  speech,
  transcriptions,
} from './provider-apis.js';

/** Paths of resellers that keep their own below their name. */
const CHAT_PATHS = [
  '/fireworks-ai/inference/v1/chat/completions',
  '/groq/openai/v1/chat/completions',
  '/deepinfra/v1/openai/chat/completions',
  '/cohere/compatibility/v1/chat/completions',
  '/zai-org/api/paas/v4/chat/completions',
  '/novita/v3/openai/chat/completions',
];

/** Hugging Face's own models, whose names have a slash or none. */
const ownPaths = (rest: string): string[] => ['*', '*/*'].map((model) => `/hf-inference/models/${model}${rest}`);

/**
 * Hugging Face's router: chat and responses of whatever reseller it chooses, and each reseller's own paths below its name.
 * What it makes besides chat (a vector, a label, a picture) has a shape for each task and states no usage.
 *
 * Source: https://huggingface.co/docs/inference-providers/tasks/chat-completion and the npm package `@huggingface/inference`
 * 4.13 (`makeBaseUrl` and `makeRoute` of each provider), read 2026-11-27.
 */
export const HUGGING_FACE: CatalogueEntry = {
  name: 'huggingface',
  hosts: ['router.huggingface.co'],
  apis: [
    askedChat('/v1/chat/completions', '/*/v1/chat/completions'),
    chat(...CHAT_PATHS, ...ownPaths('/v1/chat/completions')),
    responses('/v1/responses'),
    completions('/*/v1/completions', '/deepinfra/v1/openai/completions', ...ownPaths('/v1/completions')),
    embeddings('/*/v1/embeddings', '/deepinfra/v1/openai/embeddings'),
    { dialect: openaiImages, paths: ['/*/v1/images/generations', '/deepinfra/v1/openai/images/generations'] },
    speech('/*/v1'),
    speech('/deepinfra/v1/openai'),
    ...transcriptions('/*/v1'),
    ...transcriptions('/deepinfra/v1/openai'),
    others(...ownPaths(''), ...ownPaths('/pipeline/*')),
    others('/replicate/v1/predictions', '/replicate/v1/models/*/*/predictions', '/together/v2/videos'),
    others('/fal-ai/*/*', '/fal-ai/*/*/*', '/fal-ai/*/*/*/*'),
  ],
};
