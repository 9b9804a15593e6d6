import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PriceableCall } from '../../src/core/cost.js';
import type { Usage, UsageDetails } from '../../src/core/usage.js';
import { listVersion, loadPriceList } from '../../src/pricing/genai-prices.js';
import { findListedCall } from '../../src/pricing/list-providers.js';
import { openPricer } from '../../src/pricing/price-call.js';
import { CATALOGUE } from '../../src/providers/catalogue.js';
import { makePriceable } from './priceable.js';

const { price } = openPricer(null);

interface Case {
  readonly what: string;
  readonly model: string;
  readonly usage: Partial<Usage>;
  readonly call?: Partial<PriceableCall> & { readonly details?: UsageDetails };
  readonly usd: number;
  readonly rates: Readonly<Record<string, number>>;
}

const anthropic = { provider: 'anthropic', url: 'https://api.anthropic.com/v1/messages' };
const google = { provider: 'google', url: 'https://generativelanguage.googleapis.com/v1beta/models/m:generateContent' };

/** Prices per million tokens are those of genai-prices 0.1.8; each sum is written out as its author would do it by hand. */
const cases: readonly Case[] = [
  {
    // 600 × 2.5 + 400 × 1.25 + 100 × 10 = 1500 + 500 + 1000 millionths
    what: 'OpenAI: cached input at its own rate, reasoning within output',
    model: 'gpt-4o-2024-08-06',
    usage: { inputTokens: 1000, cacheReadTokens: 400, outputTokens: 100, reasoningTokens: 60 },
    usd: 0.003,
    rates: { inputTokens: 2.5, cacheReadTokens: 1.25, outputTokens: 10 },
  },
  {
    // 80000 × 5 + 2000 × 25 = 400,000 + 50,000 millionths
    what: 'Anthropic: a conversation summed up first, at the rates of its model',
    model: 'claude-opus-4-5',
    call: { ...anthropic, details: { compactionInputTokens: 60_000, compactionOutputTokens: 1500 } },
    usage: { inputTokens: 80_000, outputTokens: 2000 },
    usd: 0.45,
    rates: { inputTokens: 5, outputTokens: 25 },
  },
  {
    // 272,000 is the first count above a start of 271,999: 272000 × 5 + 1000 × 22.5 = 1,360,000 + 22,500
    what: 'OpenAI: a long context costs more, all of it',
    model: 'gpt-5.4',
    usage: { inputTokens: 272_000, outputTokens: 1000 },
    usd: 1.3825,
    rates: { inputTokens: 5, outputTokens: 22.5 },
  },
  {
    // 271999 × 2.5 + 1000 × 15 = 679,997.5 + 15,000
    what: 'OpenAI: one token less does not',
    model: 'gpt-5.4',
    usage: { inputTokens: 271_999, outputTokens: 1000 },
    usd: 0.6949975,
    rates: { inputTokens: 2.5, outputTokens: 15 },
  },
  {
    // 1000 × 10 + 1000 × 40
    what: 'OpenAI: the price of the day, before it fell',
    model: 'o3',
    usage: { inputTokens: 1000, outputTokens: 1000 },
    call: { startedAt: '2025-06-09T23:59:59.999Z' },
    usd: 0.05,
    rates: { inputTokens: 10, outputTokens: 40 },
  },
  {
    // 1000 × 2 + 1000 × 8
    what: 'OpenAI: the price of the day, after it fell',
    model: 'o3',
    usage: { inputTokens: 1000, outputTokens: 1000 },
    call: { startedAt: '2025-06-10T00:00:00.000Z' },
    usd: 0.01,
    rates: { inputTokens: 2, outputTokens: 8 },
  },
  {
    // half the input is sound, and 80 of the output: 50 × 2.5 + 50 × 32 + 20 × 10 + 80 × 64 = 125 + 1600 + 200 + 5120
    what: 'OpenAI: sound at its own rates',
    model: 'gpt-audio',
    usage: { inputTokens: 100, outputTokens: 100 },
    call: { details: { inputAudioTokens: 50, outputAudioTokens: 80 } },
    usd: 0.007045,
    rates: { inputTokens: 2.5, inputAudioTokens: 32, outputTokens: 10, outputAudioTokens: 64 },
  },
  {
    // text 40 + 20 cached, sound 30 + 10 cached: 40 × 4 + 20 × 0.4 + 30 × 32 + 10 × 0.4 + 50 × 16
    // = 160 + 8 + 960 + 4 + 800
    what: 'OpenAI realtime: cached sound is told from cached text',
    model: 'gpt-realtime',
    usage: { inputTokens: 100, cacheReadTokens: 30, outputTokens: 50 },
    call: { details: { inputAudioTokens: 40, cacheReadTextTokens: 20, cacheReadAudioTokens: 10 } },
    usd: 0.001932,
    rates: {
      ...{ inputTokens: 4, cacheReadTokens: 0.4, inputAudioTokens: 32, cacheReadAudioTokens: 0.4, outputTokens: 16 },
    },
  },
  {
    // 500 × 5 + 500 × 8 + 1000 × 32 = 2500 + 4000 + 32,000
    what: 'OpenAI images: by what they are made of',
    model: 'gpt-image-1.5',
    usage: { inputTokens: 1000, outputTokens: 1000 },
    call: { details: { inputImageTokens: 500, outputImageTokens: 1000 } },
    usd: 0.0385,
    rates: { inputTokens: 5, inputImageTokens: 8, outputTokens: 10, outputImageTokens: 32 },
  },
  {
    // 1000 × 0.02
    what: 'OpenAI embeddings: no output is stated, and none is charged',
    model: 'text-embedding-3-small',
    usage: { inputTokens: 1000 },
    usd: 0.00002,
    rates: { inputTokens: 0.02 },
  },
  {
    // a minute and a half at 0.36 an hour
    what: 'OpenAI transcription: by the second',
    model: 'whisper-1',
    usage: {},
    call: { details: { inputSeconds: 90 } },
    usd: 0.009,
    rates: { inputSeconds: 100 },
  },
  {
    // 5010 in all: 10 × 3 + 3000 × 0.3 + 1500 × 3.75 + 500 × 6 = 30 + 900 + 5625 + 3000
    what: 'Anthropic: cache writes by lifetime',
    model: 'claude-sonnet-4-5-20250929',
    usage: { inputTokens: 5010, cacheReadTokens: 3000, cacheWriteTokens: 2000, outputTokens: 0 },
    call: { ...anthropic, details: { cacheWrite5mTokens: 1500, cacheWrite1hTokens: 500 } },
    usd: 0.009555,
    rates: { inputTokens: 3, cacheReadTokens: 0.3, cacheWriteTokens: 3.75, cacheWrite1hTokens: 6 },
  },
  {
    // what is cached counts for the tier: 1001 × 6 + 199000 × 0.6 + 100 × 22.5 = 6006 + 119,400 + 2250
    what: 'Anthropic: a long context is reached by cached tokens, too',
    model: 'claude-sonnet-4-5',
    usage: { inputTokens: 200_001, cacheReadTokens: 199_000, outputTokens: 100 },
    call: anthropic,
    usd: 0.127656,
    rates: { inputTokens: 6, cacheReadTokens: 0.6, outputTokens: 22.5 },
  },
  {
    // 100 × 5 + 10 × 25 + 3 searches × 10,000 = 500 + 250 + 30,000
    what: 'Anthropic: searches of the web by the piece',
    model: 'claude-opus-4-5',
    usage: { inputTokens: 100, outputTokens: 10 },
    call: { ...anthropic, serviceTier: 'standard', details: { webSearches: 3 } },
    usd: 0.03075,
    rates: { inputTokens: 5, outputTokens: 25, webSearches: 10_000 },
  },
  {
    // 700 × 0.3 + 200 × 1 + 100 × 0.03 + 300 × 2.5 = 210 + 200 + 3 + 750; the cached part is text
    what: 'Gemini: thoughts within output, sound as input',
    model: 'gemini-2.5-flash',
    usage: { inputTokens: 1000, cacheReadTokens: 100, outputTokens: 300, reasoningTokens: 200 },
    call: { ...google, details: { inputAudioTokens: 200, cacheReadTextTokens: 100 } },
    usd: 0.001163,
    rates: { inputTokens: 0.3, inputAudioTokens: 1, cacheReadTokens: 0.03, outputTokens: 2.5 },
  },
  {
    // 200001 × 2.5 + 100 × 15 = 500,002.5 + 1500
    what: 'Gemini: a long context',
    model: 'models/gemini-2.5-pro',
    usage: { inputTokens: 200_001, outputTokens: 100 },
    call: google,
    usd: 0.5015025,
    rates: { inputTokens: 2.5, outputTokens: 15 },
  },
  {
    // 10 × 0.3 + 100 × 2.5 + 1290 × 30 = 3 + 250 + 38,700
    what: 'Gemini: an image as output',
    model: 'gemini-2.5-flash-image',
    usage: { inputTokens: 10, outputTokens: 1390 },
    call: { ...google, details: { outputImageTokens: 1290 } },
    usd: 0.038953,
    rates: { inputTokens: 0.3, outputTokens: 2.5, outputImageTokens: 30 },
  },
  {
    // as the API's: 100 × 0.3 + 100 × 2.5
    what: "Google's CLI, logged in",
    model: 'gemini-2.5-flash',
    usage: { inputTokens: 100, outputTokens: 100 },
    call: { provider: 'gemini-cli-oauth', url: 'https://cloudcode-pa.googleapis.com/v1internal:generateContent' },
    usd: 0.00028,
    rates: { inputTokens: 0.3, outputTokens: 2.5 },
  },
  {
    // OpenAI's price: 1000 × 2.5 + 100 × 10
    what: "Azure: what it shares with OpenAI's list, the deployment's name not being one",
    model: 'gpt-4o-2024-08-06',
    usage: { inputTokens: 1000, outputTokens: 100 },
    call: {
      provider: 'azure-openai',
      url: 'https://mine.openai.azure.com/openai/deployments/my-deployment/chat/completions',
      models: ['gpt-4o-2024-08-06', 'my-deployment'],
    },
    usd: 0.0035,
    rates: { inputTokens: 2.5, outputTokens: 10 },
  },
  {
    // in a region: 1000 × 3.3 + 100 × 16.5
    what: 'Bedrock: a regional model',
    model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    usage: { inputTokens: 1000, outputTokens: 100 },
    call: { provider: 'aws-bedrock', url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse' },
    usd: 0.00495,
    rates: { inputTokens: 3.3, outputTokens: 16.5 },
  },
  {
    // 1000 × 1.25 + 1000 × 2.5
    what: 'xAI',
    model: 'grok-4.3',
    usage: { inputTokens: 1000, outputTokens: 1000 },
    call: { provider: 'x-ai', url: 'https://api.x.ai/v1/chat/completions' },
    usd: 0.00375,
    rates: { inputTokens: 1.25, outputTokens: 2.5 },
  },
  {
    // 01:00 to 04:00 UTC costs double: 1000 × 0.44 + 1000 × 1.32
    what: 'DeepSeek: the price of the hour',
    model: 'deepseek-v4-flash',
    usage: { inputTokens: 1000, outputTokens: 1000 },
    call: {
      provider: 'deepseek',
      url: 'https://api.deepseek.com/chat/completions',
      startedAt: '2026-11-27T03:59:59.000Z',
    },
    usd: 0.00176,
    rates: { inputTokens: 0.44, outputTokens: 1.32 },
  },
  {
    // 1000 × 1.25 + 100 × 10 + 2 × 10,000 + 3 × 2,500 millionths
    what: 'OpenAI: searches of the web and of files',
    model: 'gpt-5',
    usage: { inputTokens: 1000, outputTokens: 100 },
    call: { details: { webSearches: 2, fileSearches: 3 } },
    usd: 0.02975,
    rates: { inputTokens: 1.25, outputTokens: 10, webSearches: 10_000, fileSearches: 2500 },
  },
  {
    // 100 × 1 + 100 × 1 + a request at 12 a thousand = 200 + 12,000
    what: 'Perplexity: a fee for each request',
    model: 'sonar',
    usage: { inputTokens: 100, outputTokens: 100 },
    call: { provider: 'perplexity', url: 'https://api.perplexity.ai/chat/completions' },
    usd: 0.0122,
    rates: { inputTokens: 1, outputTokens: 1, requests: 12_000 },
  },
  {
    // 100 × 0.5 + 100 × 1.5
    what: 'Mistral',
    model: 'mistral-large-2512',
    usage: { inputTokens: 100, outputTokens: 100 },
    call: { provider: 'mistral', url: 'https://api.mistral.ai/v1/chat/completions' },
    usd: 0.0002,
    rates: { inputTokens: 0.5, outputTokens: 1.5 },
  },
  {
    // 1000 × 0.75 + 100 × 0.99
    what: 'Groq: its usual tier by its name',
    model: 'deepseek-r1-distill-llama-70b',
    usage: { inputTokens: 1000, outputTokens: 100 },
    call: { provider: 'groq', url: 'https://api.groq.com/openai/v1/chat/completions', serviceTier: 'on_demand' },
    usd: 0.000849,
    rates: { inputTokens: 0.75, outputTokens: 0.99 },
  },
  {
    // 1000 × 3 + 100 × 15
    what: 'OpenRouter: by its own list',
    model: 'anthropic/claude-sonnet-4.5',
    usage: { inputTokens: 1000, outputTokens: 100 },
    call: { provider: 'openrouter', url: 'https://openrouter.ai/api/v1/chat/completions' },
    usd: 0.0045,
    rates: { inputTokens: 3, outputTokens: 15 },
  },
  {
    // 100 × 0.3 + 100 × 0.3
    what: 'Together, at its other address',
    model: 'Gryphe/MythoMax-L2-13b',
    usage: { inputTokens: 100, outputTokens: 100 },
    call: { provider: 'together', url: 'https://api.together.ai/v1/chat/completions' },
    usd: 0.00006,
    rates: { inputTokens: 0.3, outputTokens: 0.3 },
  },
  {
    // 1000 × 0.1 + 1000 × 0.1
    what: 'Hugging Face: the reseller named behind the model',
    model: 'meta-llama/Llama-3.1-8B-Instruct',
    usage: { inputTokens: 1000, outputTokens: 1000 },
    call: {
      provider: 'huggingface',
      url: 'https://router.huggingface.co/v1/chat/completions',
      models: ['llama3.1-8b', 'meta-llama/Llama-3.1-8B-Instruct:cerebras'],
    },
    usd: 0.0002,
    rates: { inputTokens: 0.1, outputTokens: 0.1 },
  },
  {
    // 1000 × 1.4 + 100 × 4.4
    what: 'z.ai, by its address',
    model: 'glm-5.2',
    usage: { inputTokens: 1000, outputTokens: 100 },
    call: { provider: 'z-ai', url: 'https://api.z.ai/api/paas/v4/chat/completions' },
    usd: 0.00184,
    rates: { inputTokens: 1.4, outputTokens: 4.4 },
  },
  {
    what: 'a server registered by the address of a provider of the list',
    model: 'gpt-4o',
    usage: { inputTokens: 1000, outputTokens: 100 },
    call: { provider: 'my-openai', url: 'https://api.openai.com/v2/chat/completions' },
    usd: 0.0035,
    rates: { inputTokens: 2.5, outputTokens: 10 },
  },
];

/** Providers genai-prices 0.1.8 knows nothing of, or only as resold by Hugging Face. */
const notListed: ReadonlySet<string> = new Set([
  ...['kimi-code', 'dashscope', 'vercel-ai-gateway', 'opencode-zen', 'deepinfra', 'nvidia', 'nebius', 'sambanova'],
  ...['inception', 'venice', 'jina', 'github-models', 'ollama-cloud', 'dashscope-coding'],
]);

describe('the price list', () => {
  it.each(cases)('prices $what', ({ model, usage, call, usd, rates }) => {
    const cost = price(makePriceable(model, usage, call));
    expect(cost.problem).toBe(null);
    expect(cost.usd).toBe(usd);
    expect(cost.basis?.rates).toEqual(rates);
    expect(cost.basis).toMatchObject({ source: 'genai-prices', version: listVersion });
  });

  it('is of the version that package.json pins', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(manifest.dependencies['@pydantic/genai-prices']).toBe(listVersion);
  });

  it('falls back on the model of the request where it does not have that of the reply', () => {
    const cost = price(makePriceable('', { inputTokens: 1000, outputTokens: 100 }, { models: ['gpt-x-1', 'gpt-4o'] }));
    expect([cost.usd, cost.basis?.model]).toEqual([0.0035, 'gpt-4o']);
  });

  it('has every built-in provider, but for those it is said not to have', () => {
    const list = loadPriceList();
    const missing = CATALOGUE.filter(({ name, hosts }) =>
      hosts.every((host) => {
        const found = findListedCall(list, { provider: name, url: `https://${host}/v1/x`, models: ['m:cerebras'] });
        return found === undefined || !list.hasProvider(found.provider);
      }),
    );
    const unlisted = CATALOGUE.filter(({ name }) => notListed.has(name));
    expect(missing.map(({ name }) => name)).toEqual(unlisted.map(({ name }) => name));
  });
});

const known = { inputTokens: 100, outputTokens: 100 };

const unpriced: readonly (readonly [what: string, problem: RegExp, call: PriceableCall])[] = [
  ['a model it does not have', /does not have gpt-nine/, makePriceable('gpt-nine', known)],
  ['a reply without a model', /a model that is not named/, makePriceable('', known, { models: [] })],
  [
    'a server of the user',
    /no provider mine/,
    makePriceable('gpt-4o', known, { provider: 'mine', url: 'http://x/v1' }),
  ],
  [
    'a server named as a provider of the list, at an address of its own',
    /no provider novita/,
    makePriceable('gpt-4o', known, { provider: 'novita', url: 'http://localhost:1/v1' }),
  ],
  ['flex', /service tier flex/, makePriceable('gpt-5', known, { serviceTier: 'flex' })],
  ['priority', /service tier priority/, makePriceable('gpt-5', known, { serviceTier: 'priority' })],
  ['a batch', /service tier batch/, makePriceable('claude-opus-4-5', known, { ...anthropic, serviceTier: 'batch' })],
  [
    'the advice of another model',
    /Another model was asked/,
    makePriceable('claude-opus-4-5', known, {
      ...anthropic,
      details: { advisorInputTokens: 9, advisorOutputTokens: 9 },
    }),
  ],
  [
    'a conversation summed up first, where the size of a request decides its rates',
    /this call was more than one/,
    makePriceable(
      'claude-sonnet-4-5',
      { inputTokens: 210_000, outputTokens: 9 },
      { ...anthropic, details: { compactionInputTokens: 190_000, compactionOutputTokens: 5 } },
    ),
  ],
  ['unknown output', /output tokens of the call are not known/, makePriceable('gpt-4o', { inputTokens: 5 })],
  ['unknown input', /input tokens of the call are not known/, makePriceable('gpt-4o', { outputTokens: 5 })],
  ['a model without a price', /without a price/, makePriceable('gemma-3', known, google)],
  [
    'pages',
    /charges mistral-ocr-2512 by input_document_kpages/,
    makePriceable('mistral-ocr-2512', {}, { provider: 'mistral' }),
  ],
  [
    'citations, which it charges and no record counts',
    /output_citation_mtok/,
    makePriceable('sonar-deep-research', known, { provider: 'perplexity' }),
  ],
  [
    'searches where it has no price for them',
    /searches of the web/,
    makePriceable('gpt-4o-search-preview', known, { details: { webSearches: 1 } }),
  ],
  [
    'searches of files where it has no price for them',
    /searches of files/,
    makePriceable('gpt-4o-search-preview', known, { details: { fileSearches: 1 } }),
  ],
  [
    'what Gemini searched the web for, which the list does not price',
    /searches of the web/,
    makePriceable('gemini-2.5-flash', known, { ...google, details: { webSearches: 2 } }),
  ],
  [
    'sound where it has the price of text alone',
    /sound as output/,
    makePriceable('gpt-4o-audio-preview', known, { details: { outputAudioTokens: 50 } }),
  ],
  [
    "writes of an hour where it has five minutes' alone",
    /last an hour/,
    makePriceable('us.anthropic.claude-sonnet-4-5-20250929-v1:0', known, {
      ...{ provider: 'aws-bedrock', details: { cacheWrite1hTokens: 50 } },
    }),
  ],
  [
    'cached input of which it is not said how much is sound',
    /cache_audio_read_tokens/,
    makePriceable(
      'gemini-2.5-flash',
      { ...known, cacheReadTokens: 10 },
      { ...google, details: { inputAudioTokens: 5 } },
    ),
  ],
  [
    'more cached than read',
    /more tokens read from and written to a cache/,
    makePriceable('gpt-4o', { ...known, cacheReadTokens: 101 }),
  ],
  ['more reasoning than output', /more reasoning/, makePriceable('gpt-5', { ...known, reasoningTokens: 101 })],
  ['a name that has no end', /does not have/, makePriceable('gpt-4o'.repeat(1000), known)],
];

describe('a call that cannot be priced', () => {
  it.each(unpriced)('says so, and costs null: %s', (_what, problem, call) => {
    const cost = price(call);
    expect(cost).toMatchObject({ usd: null, basis: null, savedUsd: null });
    expect(cost.problem).toMatch(problem);
    expect(cost.problem?.length).toBeLessThan(400);
  });
});

describe('any call', () => {
  const count = fc.option(fc.integer({ min: 0, max: 2_000_000 }), { nil: null });
  const part = fc.option(fc.integer({ min: 0, max: 300_000 }), { nil: undefined });
  const anyUsage = fc.record({
    ...{ inputTokens: count, outputTokens: count, cacheReadTokens: count },
    ...{ cacheWriteTokens: count, reasoningTokens: count, totalTokens: count },
  });
  const anyDetails = fc.record({
    ...{ cacheWrite5mTokens: part, cacheWrite1hTokens: part, inputAudioTokens: part, inputImageTokens: part },
    ...{ cacheReadAudioTokens: part, outputAudioTokens: part, webSearches: part, inputSeconds: part },
  }) as fc.Arbitrary<UsageDetails>;
  const named: readonly (readonly [string, string])[] = [
    ...(['gpt-4o', 'gpt-5.4', 'gpt-realtime', 'whisper-1', 'o3', 'toString', '__proto__'] as const).map(
      (model) => ['openai', model] as const,
    ),
    ['anthropic', 'claude-sonnet-4-5'],
    ['google', 'gemini-2.5-flash'],
    ['perplexity', 'sonar'],
    ['constructor', 'gpt-4o'],
  ];

  it('costs null, with the reason, or a finite amount of at least 0, with its basis', () => {
    const tier = fc.constantFrom(null, 'default', 'flex', '__proto__');
    const at = fc.constantFrom('2020-01-01T00:00:00.000Z', '2026-11-27T12:00:00.000Z', 'never');
    fc.assert(
      fc.property(
        fc.constantFrom(...named),
        anyUsage,
        anyDetails,
        tier,
        at,
        (name, usage, details, tier, startedAt) => {
          const [provider, model] = name;
          const cost = price(makePriceable(model, usage, { provider, details, serviceTier: tier, startedAt }));
          if (cost.usd === null) {
            expect([cost.problem !== null, cost.basis]).toEqual([true, null]);
          } else {
            expect(Number.isFinite(cost.usd) && cost.usd >= 0).toBe(true);
            expect([cost.problem, cost.basis === null]).toEqual([null, false]);
          }
        },
      ),
    );
  });

  it('never costs less for more tokens', () => {
    const more = fc.integer({ min: 0, max: 500_000 });
    const models = fc.constantFrom('gpt-4o', 'gpt-5.4', 'gpt-5.6-sol', 'o3');
    fc.assert(
      fc.property(models, more, more, more, more, more, (model, read, input, output, addedInput, addedOutput) => {
        const usage = { inputTokens: read + input, cacheReadTokens: read, outputTokens: output };
        const { usd: less } = price(makePriceable(model, usage));
        const grown = { ...usage, inputTokens: usage.inputTokens + addedInput, outputTokens: output + addedOutput };
        const { usd: greater } = price(makePriceable(model, grown));
        expect(less !== null && greater !== null && greater >= less).toBe(true);
      }),
    );
  });

  it('costs nothing when it was answered from a cache, and shows what that saved', () => {
    const usage = { inputTokens: 1000, outputTokens: 100 };
    const paid = price(makePriceable('gpt-4o', usage));
    const cached = price(makePriceable('gpt-4o', usage, { cached: true }));
    expect(cached).toEqual({ ...paid, usd: 0, savedUsd: paid.usd });
    expect(price(makePriceable('gpt-nine', usage, { cached: true }))).toMatchObject({ usd: 0, savedUsd: null });
  });

  it('keeps what the reply itself says it cost, beside', () => {
    const cost = price(makePriceable('gpt-4o', { inputTokens: 1000, outputTokens: 0 }, { reportedUsd: 0.002 }));
    expect([cost.usd, cost.reportedUsd]).toEqual([0.0025, 0.002]);
  });
});
