/**
 * Names of OpenTelemetry's conventions for generative AI.
 *
 * Sources: https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai/client-inference.md,
 * gen-ai-token-metrics.md, as of October 2026) for `latest`; https://opentelemetry.io/docs/specs/semconv/gen-ai/ of
 * semantic conventions 1.41 for `legacy`; both through `field/peers.md` section 5 (read 2026-11-27).
 */
export const latestSchemaUrl = 'https://opentelemetry.io/schemas/1.44.0';
export const legacySchemaUrl = 'https://opentelemetry.io/schemas/1.41.0';

/** What `gen_ai.provider.name` calls those that have another name there; others keep ours. */
const providerNames: Readonly<Record<string, string>> = {
  'azure-openai': 'azure.ai.openai',
  'azure-ai-foundry': 'azure.ai.inference',
  'aws-bedrock': 'aws.bedrock',
  'anthropic-aws': 'anthropic',
  'dashscope-coding': 'dashscope',
  google: 'gcp.gemini',
  'gemini-cli-oauth': 'gcp.gen_ai',
  'google-vertex': 'gcp.vertex_ai',
  mistral: 'mistral_ai',
  moonshot: 'moonshot_ai',
  'kimi-code': 'moonshot_ai',
  'x-ai': 'x_ai',
  'chatgpt-codex': 'openai',
};

/** What the `gen_ai.system` of older conventions called them. Source: semantic conventions 1.36 (read 2026-11-27). */
const systemNames: Readonly<Record<string, string>> = {
  ...providerNames,
  'azure-openai': 'az.ai.openai',
  'azure-ai-foundry': 'az.ai.inference',
  'x-ai': 'xai',
  moonshot: 'moonshot_ai',
};

export function nameProvider(provider: string): string {
  return providerNames[provider] ?? provider;
}

export function nameSystem(provider: string): string {
  return systemNames[provider] ?? provider;
}

/** `gen_ai.operation.name` by the record's `api`. */
const operations: Readonly<Record<string, string>> = {
  completions: 'text_completion',
  complete: 'text_completion',
  generate: 'text_completion',
  embeddings: 'embeddings',
  embed: 'embeddings',
  embedContent: 'embeddings',
  batchEmbedContents: 'embeddings',
  generateContent: 'generate_content',
  streamGenerateContent: 'generate_content',
  live: 'generate_content',
};
/** Those that are no operation of the conventions: a custom value may stand there, and says more than a wrong one. */
const ownOperations = /^(images|audio|realtime\.transcription|moderations|rerank|ocr|predict|other|grpc)/;

export function nameOperation(api: string): string {
  return operations[api] ?? (ownOperations.test(api) ? api : 'chat');
}
