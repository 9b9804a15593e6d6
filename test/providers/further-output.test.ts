import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputTimes, ReplyFacts } from '../../src/core/wire.js';
import { MESSAGES_LANGUAGE } from '../../src/providers/anthropic-messages.js';
import { CHAT_LANGUAGE } from '../../src/providers/openai-chat.js';
import { RESPONSES_LANGUAGE } from '../../src/providers/openai-responses.js';
import type { ReplyLanguage } from '../../src/providers/reply-language.js';
import { openReplyReader } from '../../src/providers/reply-reader.js';
import { listFixtures, readFixture } from '../contract/provider-fixtures.js';

const languages: Readonly<Record<string, ReplyLanguage>> = {
  'openai-chat': CHAT_LANGUAGE,
  'openai-responses': RESPONSES_LANGUAGE,
  'anthropic-messages': MESSAGES_LANGUAGE,
};
const fixtures = listFixtures().flatMap((file) => {
  const language = languages[file.split('/')[0] ?? ''];
  return language !== undefined && file.endsWith('.sse') ? [{ file, language }] : [];
});

function read(
  language: ReplyLanguage,
  body: string,
  status = 200,
): ReplyFacts & { readonly times: OutputTimes | null } {
  const reader = openReplyReader({ status, contentType: 'text/event-stream' }, language);
  // One event a millisecond, so that the first token's time tells which event had it.
  for (const [at, frame] of body.split(/(?<=\n\n)/).entries()) reader.write(Buffer.from(frame), at + 1);
  return { ...reader.end(), times: reader.outputTimes?.() ?? null };
}

/** What the stream says with and without skipping, and how many events were skipped. */
function readBoth(language: ReplyLanguage, body: string, status?: number) {
  const { isFurtherOutput, ...parsing } = language;
  let skipped = 0;
  const skipping: ReplyLanguage = {
    ...parsing,
    isFurtherOutput: (data, notes) => {
      const isFurther = isFurtherOutput?.(data, notes) ?? false;
      if (isFurther) skipped++;
      return isFurther;
    },
  };
  return { facts: read(skipping, body, status), parsed: read(parsing, body, status), skipped };
}

function makeFrames(...texts: readonly string[]): string {
  return texts.map((text) => `data: ${text}\n\n`).join('');
}

describe.each(fixtures)('$file', ({ file, language }) => {
  it('says the same when further output is not parsed, written tight or with spaces', () => {
    const text = readFixture(file).toString('utf8').replaceAll('\r\n', '\n');
    const tight = text.replace(/^data: ?(\{.*\})$/gm, (_, json: string) => `data: ${JSON.stringify(JSON.parse(json))}`);
    for (const body of [text, tight]) {
      const { facts, parsed } = readBoth(language, body);
      expect(facts).toEqual(parsed);
    }
  });
});

const first = {
  chat: '{"id":"c1","object":"chat.completion.chunk","model":"m","service_tier":"default","choices":[{"index":0,"delta":{"content":"a"}}]}',
  responses: '{"type":"response.output_text.delta","item_id":"i","delta":"a"}',
  messages: '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}',
};
const usage = '{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}';
const call = '{"index":0,"id":"t","function":{"name":"f","arguments":""}}';

/** A chunk as providers write it, with more beside the delta's text, in the choice and beside the choices. */
function makeChunk({ delta = '', choice = '', beside = '', index = ',"index":0', head = '"id":"c1","model":"m",' }) {
  return `{${head}"choices":[{"delta":{"content":"b"${delta}}${index}${choice}}]${beside}}`;
}

describe('further output', () => {
  it.each([
    [
      'OpenAI',
      '{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":" \\"usage\\":{ the \\"error\\""},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x"}',
    ],
    [
      'llama.cpp',
      '{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"x"}}],"created":1,"id":"c1","model":"m","object":"chat.completion.chunk"}',
    ],
    [
      'vLLM',
      '{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"x","tool_calls":[]},"logprobs":null,"finish_reason":null,"stop_reason":null}]}',
    ],
    [
      'Google',
      '{"choices":[{"delta":{"content":"x","role":"assistant"},"index":0}],"created":1,"id":"c1","model":"m","object":"chat.completion.chunk"}',
    ],
    [
      'a Python server',
      '{"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": {"content": "\\u00e9"}, "finish_reason": null}]}',
    ],
  ])('as %s writes it is skipped', (_, chunk) => {
    const { facts, parsed, skipped } = readBoth(CHAT_LANGUAGE, makeFrames(first.chat, chunk, chunk));
    expect(skipped).toBe(2);
    expect(facts).toEqual(parsed);
  });

  it.each([
    ['a finish reason', makeChunk({ choice: ',"finish_reason":"stop"' })],
    ['a finish reason before the delta', '{"id":"c1","choices":[{"finish_reason" : "stop","delta":{"content":""}}]}'],
    ['usage with spaces', makeChunk({ beside: `,"usage" : ${usage}` })],
    ['usage of a wrong shape', makeChunk({ beside: ',"usage":[]' })],
    ['usage in the choice', makeChunk({ choice: `,"usage": ${usage}` })],
    ['usage under x_groq', makeChunk({ beside: `,"x_groq":{"id":"r","usage":${usage}}` })],
    ['a tool call', makeChunk({ delta: `,"tool_calls":[${call}]` })],
    ['a tool call with spaces', makeChunk({ delta: `,"tool_calls" : [ ${call} ]` })],
    ['an older function call', makeChunk({ delta: ',"function_call":{"name":"f","arguments":""}' })],
    ['an error beside choices', makeChunk({ beside: ',"error":{"code":"overloaded","message":"m"}' })],
    ['an error by its type', makeChunk({ beside: ',"type":"error","code":"overloaded","message":"m"' })],
    ['another model', makeChunk({ head: '"id":"c1","model":"m2",' })],
    ['another model, spaced', makeChunk({ head: '"id":"c1","model" : "m2",' })],
    ['the model twice', makeChunk({ head: '"model":"m",', beside: ',"model":"m2"' })],
    ["a key by its letters' numbers", makeChunk({ beside: `,"us\\u0061ge":${usage}` })],
    ['another choice', makeChunk({ index: ',"index":1', choice: ',"finish_reason":null' })],
    ['another choice in the same frame', '{"id":"c1","choices":[{"delta":{"content":"b"}},{"delta":{"content":"c"}}]}'],
    ['another choice as a message', '{"id":"c1","choices":[{"delta":{"content":"b"}},{"message":{"content":"c"}}]}'],
  ])('of chat completions is parsed where it has %s', (_, chunk) => {
    // A finish of the first choice and usage come after, so that a choice or count overlooked shows.
    const last = makeChunk({ choice: ',"finish_reason":"length"', beside: `,"usage":${usage}` });
    for (const body of [makeFrames(first.chat, chunk), makeFrames(first.chat, chunk, last)]) {
      const { facts, parsed } = readBoth(CHAT_LANGUAGE, body);
      expect(facts).toEqual(parsed);
    }
    expect(readBoth(CHAT_LANGUAGE, makeFrames(first.chat, chunk)).skipped).toBe(0);
    // Also where the shape of those before it is known.
    const plain = makeChunk({});
    const known = readBoth(CHAT_LANGUAGE, makeFrames(first.chat, plain, plain, chunk, last));
    expect(known.facts).toEqual(known.parsed);
    expect(known.skipped).toBe(2);
  });

  it('is known by the shape of the chunk before it, whatever its text', () => {
    const text = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.constantFrom('"', '\\', '\n', '"},"finish_reason":"stop"}]', '"error":{}', 'é'),
    );
    const chunk = fc.tuple(text, text).map(([content, obfuscation]) => {
      const choices = [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }];
      return JSON.stringify({ id: 'c1', model: 'm', choices, usage: null, obfuscation });
    });
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 12 }), (chunks) => {
        const { facts, parsed, skipped } = readBoth(CHAT_LANGUAGE, makeFrames(first.chat, ...chunks));
        expect(facts).toEqual(parsed);
        expect(skipped).toBe(chunks.length);
      }),
    );
  });

  it('is parsed until id and model were named', () => {
    const nameless = '{"choices":[{"index":0,"delta":{"content":"a"}}]}';
    const { facts, skipped } = readBoth(CHAT_LANGUAGE, makeFrames(nameless, nameless, first.chat, first.chat));
    expect(facts).toMatchObject({ responseId: 'c1', model: 'm' });
    expect(skipped).toBe(1);
  });

  it('with refusals, annotations and reasoning adds nothing', () => {
    const rest = ['"refusal":"no"', '"annotations":[]', '"reasoning_content":"r"', '"audio":{}'];
    const chunks = rest.map((member) => makeChunk({ delta: `,${member}` }));
    const { facts, parsed, skipped } = readBoth(CHAT_LANGUAGE, makeFrames(first.chat, ...chunks));
    expect(facts).toEqual(parsed);
    expect(skipped).toBe(chunks.length);
  });

  it.each([
    [
      'responses',
      RESPONSES_LANGUAGE,
      first.responses,
      '{"type":"response.output_text.delta","response":{"id":"r","model":"m"}}',
    ],
    [
      'responses',
      RESPONSES_LANGUAGE,
      first.responses,
      '{"type":"response.output_text.delta","error":{"code":"x","message":"m"}}',
    ],
    [
      'messages',
      MESSAGES_LANGUAGE,
      first.messages,
      '{"type":"content_block_delta","error":{"type":"x","message":"m"}}',
    ],
    [
      'messages',
      MESSAGES_LANGUAGE,
      first.messages,
      '{"type":"content_block_delta","err\\u006fr":{"type":"x","message":"m"}}',
    ],
  ])('of %s is skipped, but parsed where it has more', (_, language, delta, more) => {
    const { facts, parsed, skipped } = readBoth(language, makeFrames(delta, delta, more));
    expect(skipped).toBe(1);
    expect(facts).toEqual(parsed);
    expect(facts.error ?? facts.responseId).not.toBeNull();
  });

  it('is parsed in a reply whose status is an error, and in an event named so', () => {
    const chunk = makeChunk({ beside: ',"detail":"broken"' });
    expect(readBoth(CHAT_LANGUAGE, makeFrames(first.chat, chunk), 500).facts.error?.message).toBe('broken');
    const named = `${makeFrames(first.chat)}event: error\ndata: {"choices":[{"delta":{ broken }}]}\n\n`;
    expect(readBoth(CHAT_LANGUAGE, named).facts.error?.code).toBe('error');
  });

  it('of any shape says the same skipped as parsed', () => {
    const maybe = (...texts: readonly string[]) => fc.constantFrom('', '', '', ...texts);
    const chunks = fc
      .record({
        delta: maybe(`,"tool_calls":[${call}]`, ',"tool_calls": []', ',"tool_calls":null', ',"refusal":"\\"error\\":"'),
        choice: maybe(',"finish_reason":"stop"', ',"finish_reason": null', `,"usage":${usage}`, ',"delta":{}'),
        space: fc.constantFrom('', ' '),
        beside: maybe(
          `,"usage":${usage}`,
          ',"usage":null',
          ',"usage":[]',
          ',"error":null',
          ',"error":"x"',
          ',"model":"n"',
        ),
        index: fc.constantFrom('', ',"index":0', ',"index":1', ',"index": 1', ',"index":0.0', ',"index":"1"'),
        head: fc.constantFrom('"id":"c1","model":"m",', '"id":"c2","model":"n",', '"id" : "c3",', '"x":1,'),
      })
      .map(({ space, ...parts }) => makeChunk(parts).replaceAll('":', `":${space}`));
    fc.assert(
      fc.property(fc.array(chunks, { maxLength: 8 }), fc.constantFrom('data: [DONE]\n\n', ''), (texts, done) => {
        const { facts, parsed } = readBoth(CHAT_LANGUAGE, makeFrames(...texts) + done);
        // A delta given twice, the second time empty, is a piece of output only to who does not parse it.
        expect({ ...facts, times: null }).toEqual({ ...parsed, times: null });
      }),
      { numRuns: 2000 },
    );
  });
});
