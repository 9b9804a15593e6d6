import type { PriceableCall } from '../core/cost.js';
import type { PriceList } from './genai-prices.js';

/**
 * The list's ids of built-in providers. One that is not here is looked up by its URL, as are servers of the user's, whose
 * names say nothing.
 */
const idOfName: ReadonlyMap<string, string> = new Map(
  Object.entries({
    openai: 'openai',
    anthropic: 'anthropic',
    'anthropic-aws': 'anthropic',
    google: 'google',
    // Logins to the CLIs of Google and OpenAI: what their tokens cost over the API.
    'gemini-cli-oauth': 'google',
    'chatgpt-codex': 'openai',
    'google-vertex': 'google',
    'aws-bedrock': 'aws',
    openrouter: 'openrouter',
    mistral: 'mistral',
    groq: 'groq',
    deepseek: 'deepseek',
    'x-ai': 'x-ai',
    together: 'together',
    fireworks: 'fireworks',
    cerebras: 'cerebras',
    cohere: 'cohere',
    perplexity: 'perplexity',
    moonshot: 'moonshotai',
    'azure-openai': 'azure',
    'azure-ai-foundry': 'azure',
    'github-copilot': 'github-copilot',
    voyage: 'voyageai',
  }),
);

/** What to ask the list for: a provider, and the names the model may go by there, the likeliest first. */
export interface ListedCall {
  readonly provider: string;
  readonly models: readonly string[];
}

/** `undefined` where the list knows no such provider, as no server of the user's own. */
export function findListedCall(
  list: PriceList,
  { provider, url, models }: Pick<PriceableCall, 'provider' | 'url' | 'models'>,
): ListedCall | undefined {
  const id = idOfName.get(provider) ?? list.findProviderByUrl(url);
  if (id === undefined && provider === 'huggingface') return findHuggingFace(list, models);
  return id === undefined ? undefined : { provider: id, models: models.flatMap((model) => listNames(id, model)) };
}

/**
 * Hugging Face's router resells others, each at its own price: named in the path, which the list knows, or behind the
 * model, `meta-llama/Llama-3.1-8B-Instruct:cerebras`. Source: https://huggingface.co/docs/inference-providers (read
 * 2026-11-27).
 */
function findHuggingFace(list: PriceList, models: readonly string[]): ListedCall | undefined {
  for (const model of models) {
    const [, name, reseller] = /^(.+):([\w-]+)$/.exec(model) ?? [];
    const provider = `huggingface_${reseller}`;
    if (name !== undefined && list.hasProvider(provider)) return { provider, models: [name] };
  }
  return undefined;
}

/** Google's resource names (`models/x`, `publishers/google/models/x`) stand in the list by their last part. */
function listNames(provider: string, model: string): readonly string[] {
  const [, last] = /(?:^|\/)models\/([^/]+)$/.exec(model) ?? [];
  return last === undefined || provider === 'fireworks' ? [model] : [last, model];
}
