import { describe, expect, it } from 'vitest';
import { readUsage } from '../../src/trackers/read-usage.js';
import { listVectors } from '../fixtures/tracker-vectors.js';

describe('the usage of a reply', () => {
  /** What the SDK that was run takes for 0, where nothing is known or it knows fewer names. */
  const ours: Readonly<Record<string, unknown>> = {
    'usage.parse.unknown-shape': null,
    'usage.parse.openai-chat-shape-not-recognised': { total: 15, input: 10, output: 5 },
  };

  it.each(listVectors<object, object>('usage-parse'))('$id', ({ id, input, expected }) => {
    expect(readUsage(input)).toEqual(id in ours ? ours[id] : expected);
  });

  it.each([
    ['the AI SDK', { inputTokens: 9, outputTokens: 2, cachedInputTokens: 5 }, { total: 11, input: 9, output: 2 }],
    ['an older AI SDK', { promptTokens: 9, completionTokens: 2 }, { total: 11, input: 9, output: 2 }],
    ['OpenAI', { input_tokens: 9, output_tokens: 2, input_tokens_details: { cached_tokens: 5 } }, { input: 9 }],
    [
      'Bedrock',
      { inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 3, cacheWriteInputTokens: 4 },
      { input: 8, total: 10 },
    ],
  ])('by %s', (_, usage, wanted) => {
    expect(readUsage(usage)).toMatchObject(wanted);
  });

  it.each([
    [null],
    [5],
    [[]],
    [{ input_tokens: 1 }],
    [{ input_tokens: '1', output_tokens: 2 }],
    [{ input: -1, output: 2 }],
    [{ input: Number.NaN, output: 2 }],
  ])('is not known of %j', (usage) => {
    expect(readUsage(usage)).toBeNull();
  });

  it('that is half there in one spelling is read by another', () => {
    expect(readUsage({ input_tokens: 1, prompt_tokens: 3, completion_tokens: 4 })).toEqual({
      total: 7,
      input: 3,
      output: 4,
    });
  });
});
