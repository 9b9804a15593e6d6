import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallRecord, JsonValue } from '../../../src/core/call-record.js';
import { anthropicContent } from '../../../src/exporters/otlp/content/anthropic.js';
import { chatContent } from '../../../src/exporters/otlp/content/chat.js';
import { cohereContent, cohereV1Content } from '../../../src/exporters/otlp/content/cohere.js';
import { completionsContent } from '../../../src/exporters/otlp/content/completions.js';
import { converseContent } from '../../../src/exporters/otlp/content/converse.js';
import { geminiContent } from '../../../src/exporters/otlp/content/gemini.js';
import { isObject, type JsonObject } from '../../../src/exporters/otlp/content/message.js';
import { ollamaContent, ollamaGenerateContent } from '../../../src/exporters/otlp/content/ollama.js';
import { readContent } from '../../../src/exporters/otlp/content/read-content.js';
import { responsesContent } from '../../../src/exporters/otlp/content/responses.js';
import { describeContent } from '../../../src/exporters/otlp/describe-content.js';
import { listMessageEvents } from '../../../src/exporters/otlp/message-events.js';

const url = 'https://api.openai.com/v1/chat/completions';
const make = (requestBody: JsonValue, responseBody: JsonValue = null, api = 'chat.completions', at = url) =>
  ({ api, url: at, requestBody, responseBody, provider: 'openai' }) as CallRecord;
const readText = (value: unknown): string => (typeof value === 'string' ? value : '');
const say = (role: string, content: JsonValue) => ({ role, content });

const readers = [
  ...[chatContent, completionsContent, responsesContent, anthropicContent, geminiContent, converseContent],
  ...[cohereContent, cohereV1Content, ollamaContent, ollamaGenerateContent],
];

describe('what is large', () => {
  it('loses the end of a text, not in the middle of a character, and says so', () => {
    const text = `${'a'.repeat(32 * 1024 - 1)}${'🌊'.repeat(40_000)}`;
    const content = readContent(make({ messages: [say('user', text)] }));
    const [part] = content?.input?.[0]?.parts ?? [];
    expect(part?.content).toBe(`${'a'.repeat(32 * 1024 - 1)}[cut: 32767 of ${text.length} characters]`);
    expect(content?.truncated).toEqual(['gen_ai.input.messages']);
    expect(describeContent(make({ messages: [say('user', text)] }), 'latest')).toMatchObject({
      'llmtap.content.truncated': ['gen_ai.input.messages'],
    });
  });

  it('loses its oldest messages, and keeps the last', () => {
    const messages = Array.from({ length: 40 }, (_, at) => say('user', `${at} ${'x'.repeat(20_000)}`));
    const { input = [], truncated } = readContent(make({ messages })) ?? {};
    const kept = (input ?? []).map(({ parts }) => Number(readText(parts[0]?.content).split(' ')[0]));
    expect(kept.at(-1)).toBe(39);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => 40 - kept.length + at));
    expect(JSON.stringify(input).length).toBeLessThanOrEqual(256 * 1024);
    expect(truncated).toEqual(['gen_ai.input.messages']);
  });

  it('keeps of one message that alone is too much the parts there is room for', () => {
    const parts = Array.from({ length: 20 }, () => ({ type: 'text', text: 'y'.repeat(30_000) }));
    const { input } = readContent(make({ messages: [say('user', parts)] })) ?? {};
    expect(input?.[0]?.parts.length).toBeGreaterThan(5);
    expect(JSON.stringify(input).length).toBeLessThanOrEqual(257 * 1024);
  });

  it('was cut before it was kept: the request says nothing, the reply what had come', () => {
    const frame = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'Hi' } }] })}\n\n`;
    const note = '\n[cut: 1048576 of 2000000 bytes kept]';
    const content = readContent(make(`{"messages":[{"role":"user"${note}`, `${frame}data: {"cho${note}`));
    expect(content).toEqual({
      ...{ input: null, system: null, tools: null },
      output: [{ role: 'assistant', parts: [{ type: 'text', content: 'Hi' }], finish_reason: 'error' }],
      truncated: ['gen_ai.input.messages', 'gen_ai.output.messages'],
    });
  });

  it('is media: small is sent along, large named, what redaction took out told with its hash', () => {
    const [small, large] = ['A'.repeat(1024), 'A'.repeat(1028)];
    const image = (urlOf: string) => ({ type: 'image_url', image_url: { url: urlOf } });
    const described = '[media image/webp 4096 bytes sha256:0123456789abcdef]';
    const content = [
      image(`data:image/png;base64,${small}`),
      image(`data:image/png;base64,${large}`),
      image(described),
      image('https://example.com/a.png'),
      { type: 'input_audio', input_audio: { data: large, format: 'mp3' } },
      { type: 'file', file: { file_id: 'file-1' } },
    ];
    const { input } = readContent(make({ messages: [say('user', content)] })) ?? {};
    expect(input?.[0]?.parts).toEqual([
      { type: 'blob', mime_type: 'image/png', modality: 'image', content: small },
      { type: 'blob_omitted', mime_type: 'image/png', modality: 'image', bytes: 771 },
      { type: 'blob_omitted', mime_type: 'image/webp', modality: 'image', bytes: 4096, sha256: '0123456789abcdef' },
      { type: 'uri', mime_type: null, modality: 'image', uri: 'https://example.com/a.png' },
      { type: 'blob_omitted', mime_type: 'audio/mp3', modality: 'audio', bytes: 771 },
      { type: 'file', mime_type: null, modality: 'document', file_id: 'file-1' },
    ]);
  });
});

describe('what is odd', () => {
  const apis = [
    ...['chat.completions', 'completions', 'responses', 'messages', 'generateContent', 'converse'].map((api) => [
      api,
      url,
    ]),
    ...[
      ['invokeModel', url],
      ['chat', 'http://h/api/chat'],
      ['generate', 'http://h/api/generate'],
    ],
    ...[
      ['chat', 'https://h/v2/chat'],
      ['embeddings', url],
      ['other', url],
    ],
  ] as const;
  /** Names that readers look for, so that arbitrary values meet them. */
  const names = fc.constantFrom(
    ...[
      'messages',
      'content',
      'choices',
      'delta',
      'message',
      'tool_calls',
      'function',
      'type',
      'index',
      'parts',
      'role',
    ],
    ...[
      'input',
      'output',
      'response',
      'item',
      'candidates',
      'contents',
      'system',
      'tools',
      'arguments',
      'text',
      'source',
    ],
    ...[
      'contentBlockDelta',
      'contentBlockIndex',
      'toolUse',
      'image',
      'event_type',
      'output_index',
      'content_block',
      '__proto__',
    ],
  );
  const words = fc.constantFrom(
    ...['text', 'tool_use', 'message', 'message_start', 'content_block_delta', 'content_block_start', 'message-start'],
    ...[
      'response.output_text.delta',
      'response.output_item.added',
      'response.completed',
      'function_call',
      'image',
      'tool',
    ],
    ...['content-delta', 'reasoning', '\ud800', '', 'data:image/png;base64,AAAA'],
  );
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      words,
      fc.constantFrom(null, true, 0, -1, 1e9, 0.5),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(names, tie('value')), { maxLength: 5 }).map((entries) => {
        const made: Record<string, JsonValue> = {};
        for (const [name, member] of entries)
          Object.defineProperty(made, name, { value: member, enumerable: true, configurable: true, writable: true });
        return made;
      }),
    ),
  }));
  const body = fc.oneof(
    value,
    fc.array(value, { maxLength: 6 }).map((list) => list.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')),
    fc.array(value, { maxLength: 6 }).map((list) => list.map((one) => `${JSON.stringify(one)}\n`).join('')),
    fc.string(),
  );

  it('never throws, and is JSON that a collector could read', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...apis), body, body, ([api = '', at = ''], asked, replied) => {
        const record = make(asked, replied, api, at);
        const content = readContent(record);
        for (const text of Object.values(describeContent(record, 'both')))
          if (typeof text === 'string') expect(JSON.parse(text)).toBeInstanceOf(Array);
        for (const event of listMessageEvents(record)) expect(event.name).toMatch(/^gen_ai\./);
        for (const message of [...(content?.input ?? []), ...(content?.output ?? [])]) {
          expect(typeof message.role).toBe('string');
          for (const part of message.parts) expect(typeof part.type).toBe('string');
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('is read without a fault by each reader by itself, behind whom nothing catches', { timeout: 60_000 }, () => {
    const anObject = value.filter((one) => isObject(one)) as fc.Arbitrary<JsonObject>;
    fc.assert(
      fc.property(
        fc.constantFrom(...readers),
        anObject,
        fc.array(anObject, { maxLength: 5 }),
        (reader, one, frames) => {
          reader.readRequest(one);
          reader.readReply(one);
          reader.readStream(frames);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('puts a stream of many thousand pieces together', () => {
    const reply = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'.repeat(18_000);
    const { output } = readContent(make(null, reply)) ?? {};
    expect(readText(output?.[0]?.parts[0]?.content)).toHaveLength(18_000);
  });

  it('says nothing of an API nobody here reads, and where no bodies are kept', () => {
    expect(readContent(make({ input: 'x' }, { data: [] }, 'embeddings'))).toBeNull();
    expect(readContent(make(null, null))).toBeNull();
  });
});
