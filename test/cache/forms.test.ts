import { describe, expect, it } from 'vitest';
import { readFrames } from '../../src/cache/forms/frames.js';
import { listSources, makeOtherForm } from '../../src/cache/forms/other-form.js';
import type { Dialect } from '../../src/core/wire.js';
import { anthropicMessages } from '../../src/providers/anthropic-messages.js';
import { openaiChat } from '../../src/providers/openai-chat.js';
import { openaiResponses } from '../../src/providers/openai-responses.js';
import { readFixture, readReply } from '../contract/provider-fixtures.js';
import { makeEntry } from '../storage/cache-entries.js';

const counted = 'stream {"options":{"include_usage":true}}';

/** A reply in another form; `null` where there is none. */
function convert(api: string, body: Buffer | string, to: string) {
  const from = to === 'json' ? 'stream' : 'json';
  const rawHeaders = ['Content-Type', from === 'json' ? 'application/json' : 'text/event-stream', 'x-kept', '1'];
  return makeOtherForm(makeEntry('x', { api, variant: from, body: Buffer.from(body), rawHeaders }), to);
}

/** Facts of a reply without when they came, nor whether its own end was said: whole replies say none. */
function read(dialect: Dialect, body: Buffer | undefined, contentType: string) {
  return { ...readReply(dialect, body ?? Buffer.alloc(0), { contentType }), firstTokenAtMs: null, saidEnd: null };
}

const both: readonly (readonly [api: string, dialect: Dialect, answers: readonly string[]])[] = [
  ['chat.completions', openaiChat, ['answer', 'tools', 'two-choices', 'deepseek'].map((name) => `openai-chat/${name}`)],
  ['messages', anthropicMessages, ['anthropic-messages/answer', 'anthropic-messages/tools']],
];

describe.each(both.flatMap(([api, dialect, answers]) => answers.map((answer) => ({ api, dialect, answer }))))(
  '$answer',
  ({ api, dialect, answer }) => {
    const json = readFixture(`${answer}.json`);
    const stream = readFixture(`${answer}.sse`);
    const variant = api === 'messages' ? 'stream' : counted;

    it('made into a stream says all that the whole reply does', () => {
      const made = convert(api, json, variant);
      if (made === null) throw new Error('it was not made');
      expect(made.rawHeaders).toEqual(['Content-Type', 'text/event-stream; charset=utf-8', 'x-kept', '1']);
      expect(made.pieces.reduce((sum, [bytes]) => sum + bytes, 0)).toBe(made.body.length);
      expect(read(dialect, made.body, 'text/event-stream')).toEqual(read(dialect, json, 'application/json'));
    });

    it('made whole says all that the stream does', () => {
      const made = convert(api, stream, 'json');
      if (made === null) throw new Error('it was not made');
      expect(made.rawHeaders[1]).toBe('application/json');
      expect(read(dialect, made.body, 'application/json')).toEqual(read(dialect, stream, 'text/event-stream'));
    });

    it('is the same again when it is made there and back', () => {
      const made = convert(api, json, variant);
      if (made === null) throw new Error('it was not made');
      const value = (body: Buffer): unknown => JSON.parse(body.toString());
      const back = value(convert(api, made.body, 'json')?.body ?? Buffer.alloc(0));
      // An empty list of annotations says nothing, and no stream says it.
      const expected: unknown = JSON.parse(json.toString().replace(/,\s*"annotations": \[\]/, ''));
      expect(back).toEqual(expected);
    });
  },
);

describe('a whole reply of the responses API', () => {
  it('is what the last event of its stream says', () => {
    const stream = readFixture('openai-responses/answer.sse');
    const made = convert('responses', stream, 'json');
    const last = JSON.parse(readFrames(stream.toString()).at(-1) ?? '') as { readonly response: unknown };
    expect(JSON.parse(made?.body.toString() ?? '')).toEqual(last.response);
    expect(read(openaiResponses, made?.body, 'application/json').usage).toEqual(
      read(openaiResponses, stream, 'text/event-stream').usage,
    );
  });
});

describe('another form', () => {
  it('is looked for only where there is one', () => {
    expect(listSources('chat.completions', 'stream')).toEqual(['json']);
    expect(listSources('chat.completions', 'json')).toContain(counted);
    expect(listSources('chat.completions', 'stream {"framing":"sse"}')).toEqual([]);
    expect(listSources('chat.completions', 'stream {"options":{"include_obfuscation":true}}')).toEqual([]);
    expect(listSources('responses', 'stream')).toEqual([]);
    expect(listSources('generateContent', 'json')).toEqual([]);
  });

  it('is not made where a provider says more than others do', () => {
    expect(convert('chat.completions', readFixture('openai-chat/groq.json'), counted)).toBeNull();
    expect(convert('chat.completions', readFixture('openai-chat/groq.sse'), 'json')).toBeNull();
  });

  it('is not made of a stream that does not state its usage, for a whole reply would lose it', () => {
    expect(convert('chat.completions', readFixture('openai-chat/no-usage.sse'), 'json')).toBeNull();
  });

  it.each([
    ['a part nobody knows', '{"id":"x","choices":[],"usage":{},"surprise":1}'],
    [
      'probabilities of tokens',
      '{"choices":[{"index":0,"message":{"role":"a","content":"x"},"logprobs":{"content":[]},"finish_reason":"stop"}],"usage":{}}',
    ],
    ['sound', '{"choices":[{"index":0,"message":{"role":"a","audio":{"id":"x"}},"finish_reason":"stop"}],"usage":{}}'],
    ['no end', '{"choices":[{"index":0,"message":{"role":"a","content":"x"},"finish_reason":null}],"usage":{}}'],
    ['no usage', '{"choices":[{"index":0,"message":{"role":"a","content":"x"},"finish_reason":"stop"}]}'],
    ['a number no double holds', '{"choices":[],"usage":{"total_tokens":9007199254740993}}'],
    ['no JSON', 'hello'],
  ])('is not made of %s', (_what, body) => {
    expect(convert('chat.completions', body, counted)).toBeNull();
  });

  it('is not made of arguments whose numbers no double holds', () => {
    const events = [
      { type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', content: [], usage: {} } },
      { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'n', input: {} } },
      {
        ...{ type: 'content_block_delta', index: 0 },
        delta: { type: 'input_json_delta', partial_json: '{"id":9007199254740993}' },
      },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ];
    const text = (list: readonly object[]) => list.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
    expect(convert('messages', text(events), 'json')).toBeNull();
    expect(convert('messages', text(events).replace('9007199254740993', '7'), 'json')).not.toBeNull();
    expect(convert('messages', text(events.slice(0, -1)), 'json')).toBeNull();
  });

  it('never throws, whatever is cut out of it', () => {
    for (const [api, file] of [
      ['chat.completions', 'openai-chat/tools.sse'],
      ['messages', 'anthropic-messages/tools.sse'],
      ['responses', 'openai-responses/answer.sse'],
    ] as const) {
      const bytes = readFixture(file);
      for (let at = 0; at < bytes.length; at += 13) {
        convert(api, bytes.subarray(0, at), 'json');
        convert(api, Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 7)]), 'json');
      }
    }
  });

  it('reads frames as the standard has them', () => {
    expect(readFrames('\ufeff: hi\r\ndata:a\r\ndata: b\r\rdata:  c\n\nevent: x\n\ndata: d')).toEqual([
      'a\nb',
      ' c',
      'd',
    ]);
  });
});
