import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listInputTexts, listOutputTexts } from '../../src/call/passed-texts.js';

const sse = (...frames: readonly unknown[]): string =>
  frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join('');

describe('the texts of a request', () => {
  it.each<[string, unknown, string[]]>([
    [
      'chat completions',
      {
        model: 'gpt-4o',
        messages: [
          { role: 'system', content: 'Be brief.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Hi' },
              { type: 'image_url', image_url: { url: 'data:x' } },
            ],
          },
        ],
      },
      ['Be brief.', 'Hi'],
    ],
    ['responses', { instructions: 'Be brief.', input: [{ role: 'user', content: 'Hi' }] }, ['Be brief.', 'Hi']],
    ['messages', { system: [{ type: 'text', text: 'S' }], messages: [{ role: 'user', content: 'Hi' }] }, ['S', 'Hi']],
    [
      'generateContent',
      { systemInstruction: { parts: [{ text: 'S' }] }, contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
      ['S', 'Hi'],
    ],
    ['Code Assist', { model: 'm', request: { contents: [{ parts: [{ text: 'Hi' }] }] } }, ['Hi']],
    ['completions', { prompt: 'Once' }, ['Once']],
  ])('%s: one for each message, in order', (_, body, texts) => {
    expect(listInputTexts(JSON.stringify(body))).toEqual(texts);
  });

  it('are not known of what is no JSON, or was not kept whole', () => {
    expect(listInputTexts(null)).toBeNull();
    expect(listInputTexts('{"messages":[{"content":"Hi"\n[cut: 10 of 20 bytes kept]')).toBeNull();
    expect(listInputTexts('[1]')).toBeNull();
  });
});

describe('the texts of a stream', () => {
  it.each<[string, string, string]>([
    [
      'chat completions',
      sse(
        { id: 'c1', model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content: 'He' } }] },
        { id: 'c1', model: 'm', choices: [{ index: 0, delta: { content: 'llo' } }] },
        {
          choices: [{ delta: { tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: '{"a":1}' } }] } }],
        },
      ),
      'Hellof{"a":1}',
    ],
    [
      'responses, which tell again at the end of a part what deltas told',
      sse(
        { type: 'response.created', response: { id: 'r', output: [] } },
        { type: 'response.output_text.delta', item_id: 'i', delta: 'Hello' },
        { type: 'response.output_text.done', item_id: 'i', text: 'Hello' },
      ),
      'Hello',
    ],
    [
      'messages',
      sse(
        { type: 'message_start', message: { id: 'm', role: 'assistant', content: [], usage: { input_tokens: 1 } } },
        { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm. ' } },
        { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hello' } },
      ),
      'Hm. Hello',
    ],
    ['generateContent', sse({ candidates: [{ content: { parts: [{ text: 'Hello' }], role: 'model' } }] }), 'Hello'],
    [
      'lines of JSON',
      '{"model":"l","message":{"role":"assistant","content":"He"}}\n{"response":"llo"}\n{"mess',
      'Hello',
    ],
  ])('%s', (_, body, text) => {
    expect(listOutputTexts(body)).toEqual([text]);
  });

  it('are none where nothing came out', () => {
    expect(listOutputTexts(null)).toBeNull();
    expect(listOutputTexts(sse({ type: 'response.created', response: { id: 'r' } }))).toBeNull();
  });

  it('never make it throw', () => {
    fc.assert(fc.property(fc.string(), (text) => void [listInputTexts(text), listOutputTexts(text)]));
    fc.assert(fc.property(fc.json(), (text) => void [listInputTexts(text), listOutputTexts(`data: ${text}\n\n`)]));
  });
});
