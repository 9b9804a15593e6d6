// Over 250 lines: one row a request, for every provider of the catalogue.
import { describe, expect, it } from 'vitest';
import type { Origin, ProviderMatch, ProviderRegistry } from '../../src/core/wire.js';
import { CATALOGUE } from '../../src/providers/catalogue.js';
import { openRegistry } from '../../src/providers/registry.js';

function makeOrigin(base: string): Origin {
  const url = new URL(base);
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { scheme, host, port: Number(url.port) || (scheme === 'http' ? 80 : 443) };
}

function recognise(registry: ProviderRegistry, url: string, method = 'POST'): ProviderMatch | undefined {
  const { pathname, search } = new URL(url);
  return registry.recognise({ origin: makeOrigin(url), method, path: `${pathname}${search}`, rawHeaders: [] });
}

const vertex = 'https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1';

/** Calls: URL, provider, api, and whether a stream may be asked for usage. */
const calls: readonly (readonly [string, string, string, boolean])[] = [
  ['https://api.openai.com/v1/chat/completions', 'openai', 'chat.completions', true],
  ['https://api.openai.com/v1/chat/completions/?debug=1', 'openai', 'chat.completions', true],
  ['https://api.openai.com/v1/completions', 'openai', 'completions', true],
  ['https://api.openai.com/v1/responses', 'openai', 'responses', false],
  ['https://api.openai.com/v1/responses/compact', 'openai', 'responses', false],
  ['https://api.openai.com/v1/embeddings', 'openai', 'embeddings', false],
  ['https://eu.api.openai.com/v1/responses', 'openai', 'responses', false],
  ['https://us.api.openai.com/v1/chat/completions', 'openai', 'chat.completions', true],
  ['https://api.anthropic.com/v1/messages', 'anthropic', 'messages', false],
  ['https://api.anthropic.com/v1/messages?beta=true', 'anthropic', 'messages', false],
  ['https://api.anthropic.com/v1/complete', 'anthropic', 'complete', false],
  ['https://aws-external-anthropic.us-west-2.api.aws/v1/messages', 'anthropic-aws', 'messages', false],
  [
    'https://daily-cloudcode-pa.sandbox.googleapis.com/v1internal:streamGenerateContent?alt=sse',
    'gemini-cli-oauth',
    'streamGenerateContent',
    false,
  ],
  ['https://api.anthropic.com/v1/chat/completions', 'anthropic', 'chat.completions', true],
  [
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent?key=x',
    'google',
    'generateContent',
    false,
  ],
  [
    'https://generativelanguage.googleapis.com/v1/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
    'google',
    'streamGenerateContent',
    false,
  ],
  [
    'https://generativelanguage.googleapis.com/v1alpha/models/gemini-2.5-pro%3AgenerateContent',
    'google',
    'generateContent',
    false,
  ],
  [
    'https://generativelanguage.googleapis.com/v1beta/tunedModels/mine:generateContent',
    'google',
    'generateContent',
    false,
  ],
  [
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:embedContent',
    'google',
    'embedContent',
    false,
  ],
  [
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents',
    'google',
    'batchEmbedContents',
    false,
  ],
  ['https://generativelanguage.googleapis.com/v1beta/openai/chat/completions', 'google', 'chat.completions', false],
  ['https://generativelanguage.googleapis.com/v1beta/openai/embeddings', 'google', 'embeddings', false],
  ['https://cloudcode-pa.googleapis.com/v1internal:generateContent', 'gemini-cli-oauth', 'generateContent', false],
  [
    'https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent?alt=sse',
    'gemini-cli-oauth',
    'streamGenerateContent',
    false,
  ],
  ['https://openrouter.ai/api/v1/chat/completions', 'openrouter', 'chat.completions', false],
  ['https://openrouter.ai/api/v1/messages', 'openrouter', 'messages', false],
  ['https://api.mistral.ai/v1/chat/completions', 'mistral', 'chat.completions', false],
  ['https://codestral.mistral.ai/v1/fim/completions', 'mistral', 'chat.completions', false],
  ['https://api.mistral.ai/v1/embeddings', 'mistral', 'embeddings', false],
  ['https://api.groq.com/openai/v1/chat/completions', 'groq', 'chat.completions', false],
  ['https://api.groq.com/openai/v1/responses', 'groq', 'responses', false],
  ['https://api.deepseek.com/chat/completions', 'deepseek', 'chat.completions', true],
  ['https://api.deepseek.com/beta/completions', 'deepseek', 'completions', true],
  ['https://api.deepseek.com/anthropic/v1/messages', 'deepseek', 'messages', false],
  ['https://api.x.ai/v1/chat/completions', 'x-ai', 'chat.completions', true],
  ['https://api.x.ai/v1/responses', 'x-ai', 'responses', false],
  ['https://api.together.xyz/v1/completions', 'together', 'completions', false],
  ['https://api.together.ai/v1/chat/completions', 'together', 'chat.completions', false],
  ['https://api.fireworks.ai/inference/v1/chat/completions', 'fireworks', 'chat.completions', false],
  ['https://api.fireworks.ai/inference/v1/messages', 'fireworks', 'messages', false],
  ['https://api.cerebras.ai/v1/chat/completions', 'cerebras', 'chat.completions', true],
  ['https://api.perplexity.ai/chat/completions', 'perplexity', 'chat.completions', false],
  ['https://openrouter.ai/api/v1/rerank', 'openrouter', 'rerank', false],
  ['https://api.novita.ai/openai/v1/rerank', 'novita', 'rerank', false],
  ['https://api.perplexity.ai/v1/responses', 'perplexity', 'responses', false],
  ['https://api.perplexity.ai/v1/agent', 'perplexity', 'responses', false],
  ['https://api.moonshot.ai/v1/chat/completions', 'moonshot', 'chat.completions', false],
  ['https://api.moonshot.cn/anthropic/v1/messages', 'moonshot', 'messages', false],
  ['https://api.kimi.com/coding/v1/chat/completions', 'kimi-code', 'chat.completions', false],
  ['https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions', 'dashscope', 'chat.completions', true],
  [
    'https://dashscope-intl.aliyuncs.com/api/v2/apps/protocols/compatible-mode/v1/responses',
    'dashscope',
    'responses',
    false,
  ],
  [
    'https://ws-1.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1/chat/completions',
    'dashscope',
    'chat.completions',
    true,
  ],
  ['https://trial.cn-beijing.maas.aliyuncs.com/apps/anthropic/v1/messages', 'dashscope', 'messages', false],
  ['https://cn-hongkong.dashscope.aliyuncs.com/compatible-mode/v1/embeddings', 'dashscope', 'embeddings', false],
  ['https://coding.dashscope.aliyuncs.com/v1/chat/completions', 'dashscope-coding', 'chat.completions', true],
  ['https://coding-intl.dashscope.aliyuncs.com/apps/anthropic/v1/messages', 'dashscope-coding', 'messages', false],
  ['https://api.z.ai/api/anthropic/v1/messages', 'z-ai', 'messages', false],
  ['https://open.bigmodel.cn/api/paas/v4/chat/completions', 'z-ai', 'chat.completions', false],
  ['https://router.huggingface.co/v1/chat/completions', 'huggingface', 'chat.completions', true],
  ['https://router.huggingface.co/together/v1/chat/completions', 'huggingface', 'chat.completions', true],
  ['https://router.huggingface.co/groq/openai/v1/chat/completions', 'huggingface', 'chat.completions', false],
  ['https://router.huggingface.co/novita/v3/openai/chat/completions', 'huggingface', 'chat.completions', false],
  ['https://router.huggingface.co/zai-org/api/paas/v4/chat/completions', 'huggingface', 'chat.completions', false],
  [
    'https://router.huggingface.co/hf-inference/models/HuggingFaceTB/SmolLM3-3B/v1/chat/completions',
    'huggingface',
    'chat.completions',
    false,
  ],
  ['https://router.huggingface.co/featherless-ai/v1/completions', 'huggingface', 'completions', false],
  ['https://router.huggingface.co/scaleway/v1/embeddings', 'huggingface', 'embeddings', false],
  ['https://router.huggingface.co/together/v1/images/generations', 'huggingface', 'images.generations', false],
  ['https://router.huggingface.co/together/v1/audio/speech', 'huggingface', 'audio.speech', false],
  [
    'https://router.huggingface.co/hf-inference/models/BAAI/bge-m3/pipeline/feature-extraction',
    'huggingface',
    'other',
    false,
  ],
  ['https://router.huggingface.co/fal-ai/fal-ai/flux/dev', 'huggingface', 'other', false],
  ['https://openrouter.ai/api/v1/images', 'openrouter', 'images.generations', false],
  ['https://openrouter.ai/api/v1/audio/speech', 'openrouter', 'audio.speech', false],
  ['https://openrouter.ai/api/v1/audio/transcriptions', 'openrouter', 'audio.transcriptions', false],
  ['https://openrouter.ai/api/v1/videos', 'openrouter', 'other', false],
  ['https://api.openai.com/v1/videos', 'openai', 'other', false],
  ['https://api.openai.com/v1/videos/video_1/remix', 'openai', 'other', false],
  ['https://api.anthropic.com/v1/complete', 'anthropic', 'complete', false],
  ['https://generativelanguage.googleapis.com/v1beta/models/veo-3.1:predictLongRunning', 'google', 'other', false],
  ['https://generativelanguage.googleapis.com/v1beta/interactions', 'google', 'interactions', false],
  [`${vertex.replace('/v1/', '/v1beta1/')}/interactions`, 'google-vertex', 'interactions', false],
  ['https://api.mistral.ai/v1/conversations', 'mistral', 'conversations', false],
  ['https://api.mistral.ai/v1/conversations/conv_1#stream', 'mistral', 'conversations', false],
  ['https://api.mistral.ai/v1/conversations/conv_1/restart', 'mistral', 'conversations', false],
  ['https://api.cohere.com/v1/classify', 'cohere', 'other', false],
  ['https://ai-gateway.vercel.sh/v3/ai/language-model', 'vercel-ai-gateway', 'other', false],
  ['https://api.deepinfra.com/v1/inference/openai/whisper-large', 'deepinfra', 'other', false],
  ['https://api.githubcopilot.com/chat/completions', 'github-copilot', 'chat.completions', false],
  ['https://api.individual.githubcopilot.com/responses', 'github-copilot', 'responses', false],
  ['https://api.business.githubcopilot.com/v1/messages?beta=true', 'github-copilot', 'messages', false],
  ['https://api.enterprise.githubcopilot.com/embeddings', 'github-copilot', 'embeddings', false],
  ['https://chatgpt.com/backend-api/codex/responses', 'chatgpt-codex', 'responses', false],
  ['https://chatgpt.com/backend-api/codex/responses/compact', 'chatgpt-codex', 'responses', false],
  ['https://gov.chatgpt.com/backend-api/codex/responses', 'chatgpt-codex', 'responses', false],
  ['https://models.github.ai/inference/chat/completions', 'github-models', 'chat.completions', false],
  ['https://models.github.ai/orgs/acme/inference/embeddings', 'github-models', 'embeddings', false],
  ['https://models.inference.ai.azure.com/chat/completions', 'github-models', 'chat.completions', false],
  [
    'https://me.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview',
    'azure-ai-foundry',
    'chat.completions',
    false,
  ],
  ['https://me.services.ai.azure.com/anthropic/v1/messages', 'azure-ai-foundry', 'messages', false],
  [
    'https://me.cognitiveservices.azure.com/openai/deployments/d/chat/completions?api-version=2025-01-01-preview',
    'azure-ai-foundry',
    'chat.completions',
    true,
  ],
  ['https://d.eastus2.inference.ai.azure.com/v1/chat/completions', 'azure-ai-foundry', 'chat.completions', false],
  ['https://d.eastus2.models.ai.azure.com/chat/completions', 'azure-ai-foundry', 'chat.completions', false],
  ['https://ai-gateway.vercel.sh/v1/chat/completions', 'vercel-ai-gateway', 'chat.completions', false],
  ['https://opencode.ai/zen/v1/messages', 'opencode-zen', 'messages', false],
  [
    'https://opencode.ai/zen/v1/models/gemini-3-pro:streamGenerateContent?alt=sse',
    'opencode-zen',
    'streamGenerateContent',
    false,
  ],
  ['https://opencode.ai/zen/go/v1/chat/completions', 'opencode-zen', 'chat.completions', false],
  ['https://api.deepinfra.com/v1/openai/chat/completions', 'deepinfra', 'chat.completions', false],
  ['https://inference.baseten.co/v1/chat/completions', 'baseten', 'chat.completions', false],
  ['https://integrate.api.nvidia.com/v1/chat/completions', 'nvidia', 'chat.completions', false],
  ['https://api.tokenfactory.nebius.com/v1/embeddings', 'nebius', 'embeddings', false],
  ['https://api.sambanova.ai/v1/chat/completions', 'sambanova', 'chat.completions', false],
  ['https://api.novita.ai/v3/openai/chat/completions', 'novita', 'chat.completions', false],
  ['https://api.minimax.io/anthropic/v1/messages', 'minimax', 'messages', false],
  ['https://api.inceptionlabs.ai/v1/chat/completions', 'inception', 'chat.completions', false],
  ['https://api.venice.ai/api/v1/chat/completions', 'venice', 'chat.completions', false],
  ['https://api.voyageai.com/v1/rerank', 'voyage', 'rerank', false],
  ['https://api.jina.ai/v1/embeddings', 'jina', 'embeddings', false],
  [
    'https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/text-generation/generation',
    'dashscope',
    'generation',
    false,
  ],
  ['https://dashscope.aliyuncs.com/api/v1/services/rerank/text-rerank/text-rerank', 'dashscope', 'rerank', false],
  ['https://api.openai.com/v1/images/generations', 'openai', 'images.generations', false],
  ['https://api.openai.com/v1/images/edits', 'openai', 'images.edits', false],
  ['https://api.openai.com/v1/images/variations', 'openai', 'images.variations', false],
  ['https://api.openai.com/v1/audio/speech', 'openai', 'audio.speech', false],
  ['https://api.openai.com/v1/audio/transcriptions', 'openai', 'audio.transcriptions', false],
  ['https://api.openai.com/v1/audio/translations', 'openai', 'audio.translations', false],
  ['https://api.openai.com/v1/moderations', 'openai', 'moderations', false],
  ['https://api.groq.com/openai/v1/audio/transcriptions', 'groq', 'audio.transcriptions', false],
  ['https://api.mistral.ai/v1/ocr', 'mistral', 'ocr', false],
  ['https://api.mistral.ai/v1/chat/moderations', 'mistral', 'moderations', false],
  ['https://api.mistral.ai/v1/classifications', 'mistral', 'classifications', false],
  ['https://api.together.xyz/v1/images/generations', 'together', 'images.generations', false],
  ['https://api.x.ai/v1/images/generations', 'x-ai', 'images.generations', false],
  [
    'https://me.openai.azure.com/openai/deployments/d/audio/transcriptions?api-version=2024-10-21',
    'azure-openai',
    'audio.transcriptions',
    false,
  ],
  ['https://me.openai.azure.com/openai/v1/images/edits', 'azure-openai', 'images.edits', false],
  ['https://api.cohere.com/v2/chat', 'cohere', 'chat', false],
  ['https://api.cohere.ai/v1/chat', 'cohere', 'chat', false],
  ['https://api.cohere.com/v1/generate', 'cohere', 'generate', false],
  ['https://api.cohere.com/v2/embed', 'cohere', 'embed', false],
  ['https://api.cohere.com/v2/rerank', 'cohere', 'rerank', false],
  ['https://api.cohere.ai/compatibility/v1/chat/completions', 'cohere', 'chat.completions', false],
  ['https://api.together.xyz/v1/rerank', 'together', 'rerank', false],
  ['https://ollama.com/api/chat', 'ollama-cloud', 'chat', false],
  ['https://ollama.com/api/generate', 'ollama-cloud', 'generate', false],
  ['https://ollama.com/api/embed', 'ollama-cloud', 'embed', false],
  ['https://ollama.com/v1/chat/completions', 'ollama-cloud', 'chat.completions', false],
  ['https://ollama.com/v1/messages', 'ollama-cloud', 'messages', false],
  [
    'https://me.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21',
    'azure-openai',
    'chat.completions',
    true,
  ],
  [
    'https://me.openai.azure.com/openai/deployments/d/chat/completions?api-version=2025-04-01-preview',
    'azure-openai',
    'chat.completions',
    true,
  ],
  [
    'https://me.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-02-01',
    'azure-openai',
    'chat.completions',
    false,
  ],
  ['https://me.openai.azure.com/openai/deployments/d/chat/completions', 'azure-openai', 'chat.completions', false],
  ['https://me.openai.azure.com/openai/v1/chat/completions', 'azure-openai', 'chat.completions', true],
  [
    'https://me.openai.azure.com/openai/deployments/d/embeddings?api-version=2024-10-21',
    'azure-openai',
    'embeddings',
    false,
  ],
  ['https://me.openai.azure.com/openai/responses?api-version=2025-04-01-preview', 'azure-openai', 'responses', false],
  ['https://chatgpt.com/backend-api/codex/responses', 'chatgpt-codex', 'responses', false],
];

const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2';

/** The same of Bedrock and Vertex AI, whose streams are never asked. */
const cloudCalls: typeof calls = [
  ...[
    [
      'https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse',
      'converse',
    ],
    [
      `https://bedrock-runtime.us-east-1.amazonaws.com/model/${encodeURIComponent(arn)}/converse-stream`,
      'converseStream',
    ],
    ['https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/m/invoke', 'invokeModel'],
    [
      'https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/model/m/invoke-with-response-stream',
      'invokeModelWithResponseStream',
    ],
    ['https://bedrock-runtime.eu-central-1.api.aws/model/m/converse', 'converse'],
    ['https://vpce-0a1b-c2d3.bedrock-runtime.us-east-1.vpce.amazonaws.com/model/m/converse', 'converse'],
    ['https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/chat/completions', 'chat.completions'],
    ['https://bedrock-mantle.us-west-2.api.aws/v1/responses', 'responses'],
    ['https://bedrock-mantle.us-west-2.api.aws/anthropic/v1/messages', 'messages'],
  ].map(([url = '', api = '']) => [url, 'aws-bedrock', api, false] as const),
  ...[
    [`${vertex}/publishers/google/models/gemini-2.5-pro:generateContent`, 'generateContent'],
    [`${vertex}/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse`, 'streamGenerateContent'],
    [`${vertex}/publishers/google/models/text-embedding-005:predict`, 'predict'],
    [`${vertex}/publishers/google/models/gemini-embedding-2:embedContent`, 'embedContent'],
    [`${vertex}/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict`, 'messages'],
    [`${vertex}/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict`, 'messages'],
    [`${vertex}/publishers/mistralai/models/mistral-small-2503:rawPredict`, 'chat.completions'],
    [`${vertex}/endpoints/openapi/chat/completions`, 'chat.completions'],
    [`${vertex}/endpoints/4711/chat/completions`, 'chat.completions'],
    [`${vertex}/endpoints/4711:generateContent`, 'generateContent'],
    [
      'https://aiplatform.googleapis.com/v1beta1/publishers/google/models/gemini-2.5-flash:streamGenerateContent?key=x',
      'streamGenerateContent',
    ],
    [
      'https://aiplatform.us.rep.googleapis.com/v1/projects/p/locations/us/publishers/google/models/m:generateContent',
      'generateContent',
    ],
  ].map(([url = '', api = '']) => [url, 'google-vertex', api, false] as const),
];

/** Requests to a provider's host that are no calls. */
const others: readonly (readonly [provider: string, url: string])[] = [
  ['openai', 'https://api.openai.com/v1/models'],
  ['openai', 'https://api.openai.com/chat/completions'],
  ['openai', 'https://api.openai.com/v1/chat/completions/chatcmpl-1'],
  ['openai', 'https://api.openai.com/v1/responses/resp_1/cancel'],
  ['openai', 'https://api.openai.com/v1/responses/input_tokens'],
  ['openai', 'https://api.openai.com/v1/batches'],
  ['openai', 'https://api.openai.com/v1/files'],
  ['openai', 'https://api.openai.com/v1/videos/characters'],
  ['openai', 'https://api.openai.com/x?next=/v1/chat/completions'],
  ['openai', 'https://api.openai.com/V1/chat/completions'],
  ['anthropic', 'https://api.anthropic.com/v1/messages/count_tokens?beta=true'],
  ['anthropic', 'https://api.anthropic.com/v1/messages/batches'],
  ['anthropic', 'https://api.anthropic.com/api/event_logging/v2/batch'],
  ['google', 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:countTokens'],
  ['google', 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro'],
  ['google', 'https://generativelanguage.googleapis.com/v1beta/models/:generateContent'],
  ['google', 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:batchGenerateContent'],
  ['gemini-cli-oauth', 'https://cloudcode-pa.googleapis.com/v1internal:countTokens'],
  ['gemini-cli-oauth', 'https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist'],
  ['openrouter', 'https://openrouter.ai/v1/chat/completions'],
  ['mistral', 'https://api.mistral.ai/v1/files'],
  ['groq', 'https://api.groq.com/v1/chat/completions'],
  ['deepseek', 'https://api.deepseek.com/user/balance'],
  ['x-ai', 'https://api.x.ai/v1/tokenize-text'],
  ['together', 'https://api.together.xyz/v1/files'],
  ['fireworks', 'https://api.fireworks.ai/v1/chat/completions'],
  ['cerebras', 'https://api.cerebras.ai/v1/embeddings'],
  ['perplexity', 'https://api.perplexity.ai/search'],
  ['moonshot', 'https://api.moonshot.ai/v1/tokenizers/estimate-token-count'],
  ['kimi-code', 'https://api.kimi.com/v1/chat/completions'],
  ['dashscope', 'https://dashscope.aliyuncs.com/v1/chat/completions'],
  ['z-ai', 'https://api.z.ai/api/paas/v4/files'],
  ['anthropic-aws', 'https://aws-external-anthropic.us-west-2.api.aws/v1/messages/count_tokens'],
  ['dashscope-coding', 'https://coding.dashscope.aliyuncs.com/compatible-mode/v1/chat/completions'],
  ['huggingface', 'https://router.huggingface.co/v1/models'],
  ['azure-openai', 'https://me.openai.azure.com/v1/chat/completions'],
  ['aws-bedrock', 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/count-tokens'],
  ['aws-bedrock', 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke-with-bidirectional-stream'],
  ['aws-bedrock', 'https://bedrock-runtime.us-east-1.amazonaws.com/guardrail/g/version/1/apply'],
  ['aws-bedrock', 'https://bedrock-runtime.us-east-1.amazonaws.com/async-invoke'],
  ['aws-bedrock', 'https://bedrock-runtime.us-east-1.amazonaws.com/model/a/b/converse'],
  ['google-vertex', `${vertex}/publishers/google/models/gemini-2.5-pro:countTokens`],
  ['google-vertex', `${vertex}/publishers/anthropic/models/count-tokens:rawPredict`],
  ['google-vertex', `${vertex}/batchPredictionJobs`],
  ['google-vertex', `${vertex}/publishers/google/models/veo-3:predictLongRunning`],
  ['github-copilot', 'https://api.githubcopilot.com/models/session'],
  ['chatgpt-codex', 'https://chatgpt.com/backend-api/conversation'],
  ['chatgpt-codex', 'https://chatgpt.com/backend-api/wham/accounts/check'],
  ['chatgpt-codex', 'https://chatgpt.com/backend-api/codex/models'],
  ['chatgpt-codex', 'https://chatgpt.com/ces/v1/t'],
  ['github-models', 'https://models.github.ai/catalog/models'],
  ['azure-ai-foundry', 'https://me.cognitiveservices.azure.com/speechtotext/v3.2/transcriptions'],
  ['vercel-ai-gateway', 'https://ai-gateway.vercel.sh/v1/credits'],
  ['opencode-zen', 'https://opencode.ai/auth'],
  ['deepinfra', 'https://api.deepinfra.com/v1/me'],
  ['baseten', 'https://inference.baseten.co/v1/models'],
  ['nvidia', 'https://integrate.api.nvidia.com/v1/models'],
  ['nebius', 'https://api.tokenfactory.nebius.com/v1/files'],
  ['sambanova', 'https://api.sambanova.ai/v1/models'],
  ['novita', 'https://api.novita.ai/v3/user'],
  ['minimax', 'https://api.minimax.io/v1/files/upload'],
  ['inception', 'https://api.inceptionlabs.ai/v1/models'],
  ['venice', 'https://api.venice.ai/api/v1/api_keys'],
  ['voyage', 'https://api.voyageai.com/v1/files'],
  ['jina', 'https://api.jina.ai/v1/segment'],
  ['cohere', 'https://api.cohere.com/v1/tokenize'],
  ['cohere', 'https://api.cohere.com/v1/check-api-key'],
  ['ollama-cloud', 'https://ollama.com/api/web_search'],
  ['ollama-cloud', 'https://ollama.com/api/show'],
];

/** Hosts that are nobody's provider. */
const strangers = [
  'https://example.com/v1/chat/completions',
  'https://api.openai.com.example.com/v1/chat/completions',
  'https://xapi.openai.com/v1/chat/completions',
  'https://openai.azure.com/openai/v1/chat/completions',
  'https://bedrock-agent-runtime.us-east-1.amazonaws.com/model/m/converse',
  'https://bedrock-runtime.amazonaws.com/model/m/converse',
  'https://bedrock-runtime.us-east-1.evil.amazonaws.com/model/m/converse',
  'https://bedrock-runtime.us-east-1.amazonaws.com.evil.com/model/m/converse',
  'https://bedrock-runtime.us-east-1.vpce.amazonaws.com/model/m/converse',
  'https://.bedrock-runtime.us-east-1.vpce.amazonaws.com/model/m/converse',
  'https://xaiplatform.googleapis.com/v1/publishers/google/models/m:generateContent',
  'https://aiplatform.us-east5.evil.rep.googleapis.com/v1/publishers/google/models/m:generateContent',
  'https://api.openai.com:8443/v1/chat/completions',
  'http://api.openai.com/v1/chat/completions',
  'http://localhost:11434/v1/chat/completions',
];

describe('the built-in providers', () => {
  const registry = openRegistry();

  it.each([...calls, ...cloudCalls])('takes POST %s for a call of %s %s', (url, provider, api, canAsk) => {
    expect(registry.isProvider(makeOrigin(url))).toBe(true);
    const match = recognise(registry, url);
    expect([match?.provider, match?.dialect.api, match?.canAskForStreamUsage]).toEqual([provider, api, canAsk]);
  });

  it.each([...calls, ...cloudCalls])('does not take GET %s for a call', (url) => {
    expect(recognise(registry, url, 'GET')).toBeUndefined();
  });

  it.each(others)('knows the host of %s, but takes no call in %s', (_, url) => {
    expect(registry.isProvider(makeOrigin(url))).toBe(true);
    expect(recognise(registry, url)).toBeUndefined();
  });

  it.each(strangers)('leaves %s alone', (url) => {
    expect(registry.isProvider(makeOrigin(url))).toBe(false);
    expect(recognise(registry, url)).toBeUndefined();
  });

  it('are each told apart from other traffic by a row above', () => {
    const names = CATALOGUE.map(({ name }) => name).sort();
    expect([...new Set([...calls, ...cloudCalls].map(([, provider]) => provider))].sort()).toEqual(names);
    expect([...new Set(others.map(([provider]) => provider))].sort()).toEqual(names);
  });

  it('are found whatever the case of the host, and with a trailing dot', () => {
    expect(registry.isProvider({ scheme: 'https', host: 'API.OpenAI.com.', port: 443 })).toBe(true);
  });

  it('survive a path that is no encoding', () => {
    const origin = makeOrigin('https://api.openai.com');
    for (const path of ['', '/', '//', '/%', '/v1/%E0%A4%A/x', '*', '/v1/chat/completions%2F'])
      expect(registry.recognise({ origin, method: 'POST', path, rawHeaders: [] })).toBeUndefined();
  });

  it('have host names whose leaves can be made ahead, the most used first', () => {
    expect(registry.knownHosts.slice(0, 3)).toEqual([
      'api.openai.com',
      'api.anthropic.com',
      'generativelanguage.googleapis.com',
    ]);
    expect(registry.knownHosts.filter((host) => host.includes('*'))).toEqual([]);
  });
});

describe('a registered provider', () => {
  it('is recognised at once, and not before', () => {
    const registry = openRegistry();
    const url = 'http://localhost:11434/v1/chat/completions';
    expect(recognise(registry, url)).toBeUndefined();
    registry.register({ name: 'ollama', baseUrl: 'http://localhost:11434' });
    const match = recognise(registry, url);
    expect([match?.provider, match?.dialect.api, match?.canAskForStreamUsage]).toEqual([
      'ollama',
      'chat.completions',
      true,
    ]);
  });

  it.each(['localhost', '127.0.0.1', '[::1]'])('on localhost is also found as %s', (host) => {
    const registry = openRegistry();
    registry.register({ name: 'ollama', baseUrl: 'http://localhost:11434/v1' });
    expect(recognise(registry, `http://${host}:11434/v1/chat/completions`)?.provider).toBe('ollama');
    expect(registry.isProvider(makeOrigin(`http://${host}:11435`))).toBe(false);
    expect(registry.isProvider(makeOrigin(`https://${host}:11434`))).toBe(false);
  });

  it.each(['http://localhost:11434', 'http://localhost:11434/v1/'])('at %s also speaks as ollama does', (baseUrl) => {
    const registry = openRegistry();
    registry.register({ name: 'ollama', baseUrl });
    const apis = [
      '/api/chat',
      '/api/generate',
      '/api/embed',
      '/api/embeddings',
      '/v1/messages',
      '/v1/chat/completions',
    ];
    const found = apis.map((path) => recognise(registry, `http://localhost:11434${path}`)?.dialect.api);
    expect(found).toEqual(['chat', 'generate', 'embed', 'embeddings', 'messages', 'chat.completions']);
    for (const path of ['/api/tags', '/api/show', '/api/pull'])
      expect(recognise(registry, `http://localhost:11434${path}`)).toBeUndefined();
  });

  it('is known to its own registry only', () => {
    openRegistry().register({ name: 'ollama', baseUrl: 'http://localhost:11434' });
    expect(openRegistry().isProvider(makeOrigin('http://localhost:11434'))).toBe(false);
  });

  it.each([
    ['openai', ['/v1/chat/completions', '/chat/completions', '/v1/completions', '/v1/responses', '/embeddings']],
    ['anthropic', ['/v1/messages', '/messages']],
    ['google', ['/v1beta/models/m:generateContent', '/models/m:streamGenerateContent', '/v1/models/m:embedContent']],
  ] as const)('of the dialect %s answers its usual paths below its prefix', (dialect, paths) => {
    const registry = openRegistry();
    registry.register({ name: 'gateway', baseUrl: 'https://llm.example/proxy/', dialect });
    for (const path of paths) {
      expect(recognise(registry, `https://llm.example/proxy${path}`)?.provider).toBe('gateway');
      expect(recognise(registry, `https://llm.example${path}`)).toBeUndefined();
    }
    expect(recognise(registry, 'https://llm.example/proxy/v1/messages/count_tokens')).toBeUndefined();
  });

  it.each(['//v1/chat/completions', '/v1//chat/completions', '/v1/chat/completions//', '//v1//responses?x=//'])(
    'takes %s for a call, as a base URL with a trailing slash makes it; a built-in does not',
    (path) => {
      const registry = openRegistry();
      registry.register({ name: 'ollama', baseUrl: 'http://localhost:11434' });
      registry.register({ name: 'gateway', baseUrl: 'https://llm.example/proxy' });
      expect(recognise(registry, `http://localhost:11434${path}`)?.provider).toBe('ollama');
      expect(recognise(registry, `https://llm.example/proxy${path}`)?.provider).toBe('gateway');
      expect(recognise(registry, `https://api.openai.com${path}`)).toBeUndefined();
      expect(recognise(registry, `http://localhost:11434/more${path}`)).toBeUndefined();
    },
  );

  it('has further paths, exact or with a star for one segment, with or without its prefix', () => {
    const registry = openRegistry();
    registry.register({ name: 'own', baseUrl: 'https://llm.example/a', pathPatterns: ['/ask', '/team/*/chat'] });
    expect(recognise(registry, 'https://llm.example/a/ask')?.dialect.api).toBe('chat.completions');
    expect(recognise(registry, 'https://llm.example/ask')?.provider).toBe('own');
    expect(recognise(registry, 'https://llm.example/a/team/red/chat')?.provider).toBe('own');
    expect(recognise(registry, 'https://llm.example/a/team/red/blue/chat')).toBeUndefined();
    expect(recognise(registry, 'https://llm.example/a/asked')).toBeUndefined();
  });

  it('gives up its old host when its name is registered anew', () => {
    const registry = openRegistry();
    registry.register({ name: 'local', baseUrl: 'http://127.0.0.1:1234' });
    registry.register({ name: 'local', baseUrl: 'http://127.0.0.1:8000' });
    expect(registry.isProvider(makeOrigin('http://127.0.0.1:1234'))).toBe(false);
    expect(registry.registered).toEqual([{ scheme: 'http', host: '127.0.0.1', port: 8000 }]);
  });

  it('leaves the built-in hosts in place, under a built-in name too', () => {
    const registry = openRegistry();
    registry.register({ name: 'openai', baseUrl: 'https://llm.example/v1' });
    expect(recognise(registry, 'https://api.openai.com/v1/responses')?.provider).toBe('openai');
    for (const host of ['api.openai.com', 'api.anthropic.com', 'generativelanguage.googleapis.com'])
      expect(registry.isProvider(makeOrigin(`https://${host}`))).toBe(true);
  });

  it('shares a host with another by path', () => {
    const registry = openRegistry();
    registry.register({ name: 'blue', baseUrl: 'https://llm.example/blue' });
    registry.register({ name: 'red', baseUrl: 'https://llm.example/red', dialect: 'anthropic' });
    expect(recognise(registry, 'https://llm.example/blue/v1/chat/completions')?.provider).toBe('blue');
    expect(recognise(registry, 'https://llm.example/red/v1/messages')?.provider).toBe('red');
  });
});

/** URL of the upgrade, provider, API. */
const sockets: readonly (readonly [string, string, string])[] = [
  ['https://api.openai.com/v1/realtime?model=gpt-realtime', 'openai', 'realtime'],
  ['https://eu.api.openai.com/v1/realtime?call_id=rtc_1', 'openai', 'realtime'],
  ['https://api.openai.com/v1/responses', 'openai', 'responses'],
  ['https://chatgpt.com/backend-api/codex/responses', 'chatgpt-codex', 'responses'],
  ['https://api.x.ai/v1/responses', 'x-ai', 'responses'],
  [
    'https://me.openai.azure.com/openai/realtime?api-version=2024-10-01-preview&deployment=d',
    'azure-openai',
    'realtime',
  ],
  ['https://me.openai.azure.com/openai/v1/realtime?model=d', 'azure-openai', 'realtime'],
  ['https://me.cognitiveservices.azure.com/openai/v1/realtime?model=d', 'azure-ai-foundry', 'realtime'],
  ['https://me.services.ai.azure.com/openai/v1/responses', 'azure-ai-foundry', 'responses'],
  ['https://api.enterprise.githubcopilot.com/responses', 'github-copilot', 'responses'],
  [
    'https://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k',
    'google',
    'live',
  ],
  [
    'https://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained?access_token=t',
    'google',
    'live',
  ],
  [
    'https://generativelanguage.googleapis.com//ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent',
    'google',
    'live',
  ],
  [
    'https://us-central1-aiplatform.googleapis.com/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent',
    'google-vertex',
    'live',
  ],
  [
    'https://aiplatform.googleapis.com/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent',
    'google-vertex',
    'live',
  ],
];

describe('WebSockets', () => {
  const registry = openRegistry();
  const recogniseSocket = (url: string, method = 'GET') =>
    registry.recogniseSocket({
      origin: makeOrigin(url),
      method,
      path: url.slice(new URL(url).origin.length),
      rawHeaders: [],
    });

  it.each(sockets)('of %s carry calls', (url, provider, api) => {
    expect(recogniseSocket(url)).toMatchObject({ provider, dialect: { api } });
    expect(recogniseSocket(url, 'POST')).toBeUndefined();
  });

  it.each([
    'https://api.openai.com/v1/realtime/other',
    'https://api.openai.com/v1/chat/completions',
    'https://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta.OtherService.Stream',
    'https://example.com/v1/realtime',
  ])('of %s are left alone', (url) => {
    expect(recogniseSocket(url)).toBeUndefined();
  });

  it('of a registered server are those of its dialect, behind its prefix', () => {
    const own = openRegistry();
    own.register({ name: 'mine', baseUrl: 'http://localhost:9000/gateway' });
    const origin = { scheme: 'http', host: 'localhost', port: 9000 } as const;
    const find = (path: string) => own.recogniseSocket({ origin, method: 'GET', path, rawHeaders: [] });
    expect(find('/gateway/v1/realtime?model=m')).toMatchObject({ provider: 'mine', dialect: { api: 'realtime' } });
    expect(find('/gateway/v1/responses')).toMatchObject({ provider: 'mine', dialect: { api: 'responses' } });
    expect(find('/v1/realtime')).toBeUndefined();
  });
});
