import { expect, it } from 'vitest';
import { readRequestSize } from '../../src/call/request-size.js';
import type { JsonValue } from '../../src/core/call-record.js';

it.each<readonly [string, JsonValue, number | null]>([
  ["OpenAI's chat", { max_completion_tokens: 7 }, 7],
  ["OpenAI's chat of before, Anthropic's messages", { max_tokens: 7 }, 7],
  ["OpenAI's chat, three answers at once", { max_tokens: 7, n: 3 }, 21],
  ["OpenAI's responses", { max_output_tokens: 7 }, 7],
  ["Anthropic's text completions", { max_tokens_to_sample: 7 }, 7],
  ['Gemini', { generationConfig: { maxOutputTokens: 7, candidateCount: 2 } }, 14],
  ["the Gemini CLI's wrapping", { request: { generationConfig: { maxOutputTokens: 7 } } }, 7],
  ["Bedrock's Converse", { inferenceConfig: { maxTokens: 7 } }, 7],
  ['Titan', { textGenerationConfig: { maxTokenCount: 7 } }, 7],
  ['Llama', { max_gen_len: 7 }, 7],
  ['ollama', { options: { num_predict: 7 } }, 7],
  ['DashScope', { parameters: { max_tokens: 7 } }, 7],
  ['ollama without a limit', { options: { num_predict: -1 } }, null],
  ['a request that sets none', { messages: [] }, null],
  ['one that no number holds', { max_tokens: 1e308, n: 1e10 }, 1_000_000_000],
  ['nonsense', { max_tokens: 'many', generationConfig: [] }, null],
  ['no object', null, null],
])('the limit of %s', (_, request, limit) => {
  expect(readRequestSize(request).maxOutputTokens).toBe(limit);
});

it('the input is a token for four characters of its text, media left out', () => {
  const picture = `data:image/png;base64,${'A'.repeat(100_000)}`;
  const request = { messages: [{ content: 'x'.repeat(400) }, { content: picture }] };
  expect(readRequestSize(request).inputTokens).toBe(100);
});
