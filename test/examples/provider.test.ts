import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExampleProvider, openExampleProvider, type SeenRequest } from '../../examples/provider/provider.js';

let provider: ExampleProvider;
let openai: OpenAI;
let anthropic: Anthropic;
let gemini: GoogleGenAI;

beforeAll(async () => {
  provider = await openExampleProvider({ requiresKey: true });
  openai = new OpenAI({ baseURL: `${provider.url}/v1`, apiKey: 'key', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: provider.url, apiKey: 'key', maxRetries: 0 });
  gemini = new GoogleGenAI({ apiKey: 'key', httpOptions: { baseUrl: provider.url } });
});

afterAll(async () => provider.close());

function requireLast(): SeenRequest {
  const seen = provider.requests.at(-1);
  if (seen === undefined) throw new Error('The provider has seen no request.');
  return seen;
}

async function collect<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

const weather = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] };

describe('the official openai package', () => {
  const messages = [
    { role: 'system' as const, content: 'Be brief.' },
    { role: 'user' as const, content: 'How is Lisbon?' },
  ];

  it('gets the same text and the same usage from a chat completion streamed and not', async () => {
    const plain = await openai.chat.completions.create({ model: 'gpt-4o', messages });
    const frames = await collect(
      await openai.chat.completions.create({
        model: 'gpt-4o',
        messages,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    const text = frames.map((frame) => frame.choices[0]?.delta.content ?? '').join('');
    expect(text).toBe(plain.choices[0]?.message.content);
    expect(frames.at(-1)).toMatchObject({ choices: [], usage: plain.usage });
    expect(plain).toMatchObject({ model: 'gpt-4o-2024-08-06', usage: { prompt_tokens: 5, completion_tokens: 15 } });
    expect(requireLast()).toMatchObject({ asksForUsage: true, stream: true, end: 'whole', bill: { totalTokens: 20 } });
  });

  it('sees no usage in a stream it did not ask for it, though the call is billed', async () => {
    const frames = await collect(await openai.chat.completions.create({ model: 'gpt-4o', messages, stream: true }));
    expect(frames.some((frame) => 'usage' in frame || frame.choices.length === 0)).toBe(false);
    expect(requireLast()).toMatchObject({ asksForUsage: false, tellsBill: false, bill: { inputTokens: 5 } });
  });

  it('puts a streamed tool call together', async () => {
    const tools = [{ type: 'function' as const, function: { name: 'get_weather', parameters: weather } }];
    const runner = openai.chat.completions.stream({ model: 'gpt-4o', messages, tools });
    const { choices } = await runner.finalChatCompletion();
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"Lisbon"}' } }] },
    });
  });

  it('reads a response streamed and not, reasoning included', async () => {
    const plain = await openai.responses.create({ model: 'gpt-5', instructions: 'Be brief.', input: 'How is Lisbon?' });
    const streamed = await openai.responses
      .stream({ model: 'gpt-5', instructions: 'Be brief.', input: 'How is Lisbon?' })
      .finalResponse();
    expect(streamed.output_text).toBe(plain.output_text);
    expect(streamed.usage).toEqual(plain.usage);
    expect(plain.usage?.output_tokens_details.reasoning_tokens).toBe(12);
    expect(requireLast()).toMatchObject({ api: 'responses', responseId: streamed.id, bill: { reasoningTokens: 12 } });
  });

  it('puts a function call of a streamed response together', async () => {
    const tools = [{ type: 'function' as const, name: 'get_weather', parameters: weather, strict: false }];
    const stream = openai.responses.stream({ model: 'gpt-4o', input: 'How is Lisbon?', tools });
    const { output } = await stream.finalResponse();
    expect(output).toMatchObject([{ type: 'function_call', name: 'get_weather', arguments: '{"city":"Lisbon"}' }]);
  });

  it('reads completions, embeddings in base64 and the list of models', async () => {
    const frames = await collect(await openai.completions.create({ model: 'gpt-4o', prompt: 'Say it', stream: true }));
    const plain = await openai.completions.create({ model: 'gpt-4o', prompt: 'Say it' });
    expect(frames.map((frame) => frame.choices[0]?.text ?? '').join('')).toBe(plain.choices[0]?.text);
    const embeddings = await openai.embeddings.create({ model: 'text-embedding-3-small', input: ['one', 'two words'] });
    expect(embeddings.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    const norm = Math.hypot(...(embeddings.data[1]?.embedding ?? []));
    expect(norm).toBeCloseTo(1, 4);
    expect((await openai.models.list()).data.map((model) => model.id)).toContain('gpt-4o');
    expect(requireLast().bill).toBeNull();
  });

  it.each([
    [429, OpenAI.RateLimitError],
    [400, OpenAI.BadRequestError],
    [500, OpenAI.InternalServerError],
  ])('throws its own error for a model that fails with %i', async (status, kind) => {
    const call = openai.chat.completions.create({ model: `fail-${status}`, messages });
    await expect(call).rejects.toBeInstanceOf(kind);
    expect(requireLast()).toMatchObject({ status, bill: null, end: 'whole' });
  });
});

describe('the official @anthropic-ai/sdk package', () => {
  const system = [{ type: 'text' as const, text: 'Be brief.', cache_control: { type: 'ephemeral' as const } }];
  const ask = { model: 'claude-haiku-4-5', max_tokens: 100, system };
  const question = { role: 'user' as const, content: 'How is Lisbon?' };

  it('gets the same message and the same usage streamed and not', async () => {
    const plain = await anthropic.messages.create({ ...ask, messages: [question] });
    const streamed = await anthropic.messages.stream({ ...ask, messages: [question] }).finalMessage();
    expect(streamed.content).toEqual(plain.content);
    expect(streamed.usage).toMatchObject({ input_tokens: 3, cache_creation_input_tokens: 2, output_tokens: 15 });
    expect(plain.usage).toEqual(streamed.usage);
    expect(requireLast()).toMatchObject({ responseId: streamed.id, bill: { inputTokens: 5, cacheWriteTokens: 2 } });
  });

  it('reads the cache from the second turn on', async () => {
    const turns = [question, { role: 'assistant' as const, content: 'Sunny.' }, question];
    const { usage } = await anthropic.messages.create({ ...ask, messages: turns });
    expect(usage).toMatchObject({ input_tokens: 7, cache_read_input_tokens: 2, cache_creation_input_tokens: 0 });
  });

  it('reads a streamed tool call and streamed thinking', async () => {
    const tools = [{ name: 'get_weather', input_schema: weather }];
    const thinking = { type: 'enabled' as const, budget_tokens: 1024 };
    const stream = anthropic.messages.stream({ ...ask, max_tokens: 2000, thinking, tools, messages: [question] });
    const message = await stream.finalMessage();
    expect(message.content).toMatchObject([
      { type: 'thinking', thinking: 'The last message has 3 words, so a short reply will do.' },
      { type: 'tool_use', name: 'get_weather', input: { city: 'Lisbon' } },
    ]);
    expect(message).toMatchObject({
      stop_reason: 'tool_use',
      usage: { output_tokens_details: { thinking_tokens: 12 } },
    });
  });

  it('counts the tokens that the call is then billed', async () => {
    const count = await anthropic.messages.countTokens({ model: ask.model, system, messages: [question] });
    await anthropic.messages.create({ ...ask, messages: [question] });
    expect(requireLast().bill?.inputTokens).toBe(count.input_tokens);
  });

  it.each([
    [429, Anthropic.RateLimitError],
    [529, Anthropic.InternalServerError],
  ])('throws its own error for a model that fails with %i', async (status, kind) => {
    const call = anthropic.messages.create({ ...ask, model: `fail-${status}`, messages: [question] });
    await expect(call).rejects.toBeInstanceOf(kind);
    await expect(call).rejects.toMatchObject({ status, requestID: expect.stringMatching(/^req_011C/) });
  });
});

describe('the official @google/genai package', () => {
  const ask = { model: 'gemini-2.5-flash', contents: 'How is Lisbon?', config: { systemInstruction: 'Be brief.' } };

  it('gets the same text and the same usage streamed and not', async () => {
    const plain = await gemini.models.generateContent(ask);
    const chunks = await collect(await gemini.models.generateContentStream(ask));
    expect(chunks.map((chunk) => chunk.text ?? '').join('')).toBe(plain.text);
    expect(chunks.at(-1)?.usageMetadata).toEqual(plain.usageMetadata);
    expect(plain.usageMetadata).toMatchObject({
      promptTokenCount: 5,
      candidatesTokenCount: 15,
      thoughtsTokenCount: 12,
    });
    expect(requireLast().bill).toMatchObject({
      inputTokens: 5,
      outputTokens: 27,
      reasoningTokens: 12,
      totalTokens: 32,
    });
  });

  it('reads usage that grows from chunk to chunk', async () => {
    const chunks = await collect(await gemini.models.generateContentStream(ask));
    const counts = chunks.map((chunk) => chunk.usageMetadata?.candidatesTokenCount ?? 0);
    expect(counts).toEqual(counts.map((_, index) => index + 1));
  });

  it('reads a tool call and counts tokens', async () => {
    const tools = [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: weather }] }];
    const called = await gemini.models.generateContent({ ...ask, config: { tools } });
    expect(called.functionCalls).toMatchObject([{ name: 'get_weather', args: { city: 'Lisbon' } }]);
    expect((await gemini.models.countTokens({ model: ask.model, contents: ask.contents })).totalTokens).toBe(3);
  });

  it('throws its own error for a model that fails', async () => {
    const call = gemini.models.generateContent({ ...ask, model: 'fail-429' });
    await expect(call).rejects.toMatchObject({ status: 429, message: expect.stringContaining('RESOURCE_EXHAUSTED') });
  });
});
