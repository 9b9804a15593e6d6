import { describe, expect, it } from 'vitest';
import { countTokens } from '../../src/estimate/tokenizer.js';

describe('an estimate', () => {
  it('counts text as OpenAI’s models do, and what marks off the messages', async () => {
    // "tiktoken is great!" is six tokens in both encodings: OpenAI's cookbook, "How to count tokens with tiktoken".
    const question = { input: ['tiktoken is great!', 'tiktoken is great!'], output: ['tiktoken is great!'] };
    expect(await countTokens({ ...question, model: 'gpt-4o' })).toEqual({
      inputTokens: 6 + 6 + 2 * 3 + 3,
      outputTokens: 6,
      tokenizer: 'o200k_base (gpt-tokenizer)',
    });
    expect(await countTokens({ ...question, model: 'gpt-4-0613' })).toMatchObject({
      outputTokens: 6,
      tokenizer: 'cl100k_base (gpt-tokenizer)',
    });
  });

  it('says where the tokenizer is not the model’s own', async () => {
    const { tokenizer } = await countTokens({ model: 'claude-sonnet-4-5', input: null, output: ['Hi'] });
    expect(tokenizer).toBe('o200k_base (gpt-tokenizer), not this model’s own');
  });

  it('is unknown on the side of which nothing is known', async () => {
    expect(await countTokens({ model: 'gpt-4o', input: null, output: ['Hi'] })).toMatchObject({ inputTokens: null });
    expect(await countTokens({ model: 'gpt-4o', input: ['Hi'], output: null })).toMatchObject({ outputTokens: null });
  });

  it('takes what marks messages for text, where text spells it', async () => {
    const { outputTokens } = await countTokens({ model: 'gpt-4o', input: null, output: ['a <|endoftext|> b'] });
    expect(outputTokens).toBeGreaterThan(5);
  });

  it('counts a run of letters without end part by part', async () => {
    const run = 'a'.repeat(200_000);
    const { outputTokens } = await countTokens({ model: 'gpt-4o', input: null, output: [run] });
    expect(outputTokens).toBeGreaterThan(20_000);
  });
});
