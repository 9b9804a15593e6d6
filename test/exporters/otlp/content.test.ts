import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { ExporterPlan, OtlpPlan } from '../../../src/core/exporting.js';
import { type Collector, openCollector } from '../../fixtures/collector.js';
import { ask } from '../../fixtures/proxy-client.js';
import { openRig, type Rig } from '../../fixtures/rig.js';

const variable = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
const secret = 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789';
const asked = {
  model: 'gpt-4o',
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: `Hello from afar ${secret} \ud83c` },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c0', type: 'function', function: { name: 'look', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'c0', content: 'nothing seen' },
  ],
  tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
};
const replied = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o',
  choices: [
    {
      index: 0,
      finish_reason: 'tool_calls',
      message: {
        role: 'assistant',
        content: 'Greetings back',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":"sea"}' } }],
      },
    },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

let rig: Rig | null = null;
let collector: Collector;
afterEach(async () => {
  await rig?.close();
  rig = null;
  await collector.close();
});

async function callOnce(
  plans: (url: string) => readonly ExporterPlan[],
  env: Readonly<Record<string, string>> = {},
): Promise<Rig> {
  collector = await openCollector();
  rig = await openRig({ exporters: plans(collector.url), env: { ...env, LANGFUSE_HOST: collector.url } });
  rig.upstream.handler = (request, response) =>
    void request
      .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(replied)))
      .resume();
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  await ask({ port: rig.session.port, ca: rig.ca, body: JSON.stringify(asked), headers });
  await rig.waitForRecords(1);
  return rig;
}

const otlp =
  (plan: Partial<OtlpPlan> = {}) =>
  (url: string) => [{ kind: 'otlp', url, ...plan } as const];
const everything = (): string => JSON.stringify([collector.spans, collector.logs]);
const details = () => collector.logs.find(({ eventName }) => eventName === 'gen_ai.client.inference.operation.details');
const chat = () => collector.spans.find(({ name }) => name === 'chat gpt-4o');

const input = [
  { role: 'system', parts: [{ type: 'text', content: 'Be brief.' }] },
  { role: 'user', parts: [{ type: 'text', content: 'Hello from afar [redacted:api-key] \ufffd' }] },
  { role: 'assistant', parts: [{ type: 'tool_call', id: 'c0', name: 'look', arguments: {} }] },
  { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c0', response: 'nothing seen' }] },
];
const output = [
  {
    role: 'assistant',
    parts: [
      { type: 'text', content: 'Greetings back' },
      { type: 'tool_call', id: 'c1', name: 'look', arguments: { at: 'sea' } },
    ],
    finish_reason: 'tool_call',
  },
];
const tools = [{ type: 'function', name: 'look', parameters: { type: 'object' } }];

describe('what was said, by the latest conventions', () => {
  it('stands with the span as JSON, and with the details of the call as values, secrets removed', async () => {
    const one = await callOnce(otlp({ content: true }));
    await one.host.close();
    const said = chat()?.attributes ?? {};
    const parse = (name: string): unknown => JSON.parse(String(said[name]));
    expect(parse('gen_ai.input.messages')).toEqual(input);
    expect(parse('gen_ai.output.messages')).toEqual(output);
    expect(parse('gen_ai.tool.definitions')).toEqual(tools);
    expect(details()?.attributes).toMatchObject({
      'gen_ai.input.messages': input,
      'gen_ai.output.messages': output,
      'gen_ai.tool.definitions': tools,
    });
    expect(collector.logs).toHaveLength(1);
    expect(everything()).not.toContain(secret);
  });

  it.each([
    ['SPAN_ONLY', true, false],
    ['EVENT_ONLY', false, true],
    ['SPAN_AND_EVENT', true, true],
    ['true', true, true],
  ])('goes where OpenTelemetry’s own variable says: %s', async (value, spans, events) => {
    const one = await callOnce(otlp(), { [variable]: value });
    await one.host.close();
    expect('gen_ai.input.messages' in (chat()?.attributes ?? {})).toBe(spans);
    expect(details() !== undefined).toBe(events);
  });
});

describe('what was said, by the conventions before', () => {
  it('is one event a message and one a choice, each in the span of its call', async () => {
    const one = await callOnce(otlp({ content: true, profile: 'legacy' }));
    await one.host.close();
    expect(chat()?.attributes).not.toHaveProperty(['gen_ai.input.messages']);
    const told = collector.logs.filter(({ eventName }) => eventName !== details()?.eventName);
    expect(told.map(({ eventName, body }) => [eventName, body])).toEqual([
      ['gen_ai.system.message', { role: 'system', content: 'Be brief.' }],
      ['gen_ai.user.message', { role: 'user', content: 'Hello from afar [redacted:api-key] \ufffd' }],
      [
        'gen_ai.assistant.message',
        { role: 'assistant', tool_calls: [{ id: 'c0', type: 'function', function: { name: 'look', arguments: {} } }] },
      ],
      ['gen_ai.tool.message', { role: 'tool', id: 'c0', content: 'nothing seen' }],
      [
        'gen_ai.choice',
        {
          index: 0,
          finish_reason: 'tool_call',
          message: {
            role: 'assistant',
            content: 'Greetings back',
            tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: { at: 'sea' } } }],
          },
        },
      ],
    ]);
    expect(new Set(told.map(({ spanId }) => spanId))).toEqual(new Set([chat()?.spanId]));
    expect(told.map(({ attributes }) => attributes['gen_ai.system'])).toEqual(Array(5).fill('openai'));
    expect(everything()).not.toContain(secret);
  });

  it('is both with the profile both', async () => {
    const one = await callOnce(otlp({ content: true, profile: 'both' }));
    await one.host.close();
    expect(chat()?.attributes).toHaveProperty(['gen_ai.output.messages']);
    expect(collector.logs.map(({ eventName }) => eventName)).toContain('gen_ai.choice');
  });
});

describe('without being asked for, nothing that was said leaves', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-quiet-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const sentences = ['Hello from afar', 'Greetings back', 'Be brief', 'nothing seen'];
  const all = (content: object) => (url: string) =>
    [
      ...(['latest', 'legacy', 'both'] as const).map(
        (profile) => ({ kind: 'otlp', url, profile, ...content }) as const,
      ),
      { kind: 'langfuse', ...content } as const,
      {
        kind: 'jsonl',
        path: join(folder, 'events.jsonl'),
        ...content,
      } as const,
    ] satisfies readonly ExporterPlan[];
  const keys = { LANGFUSE_PUBLIC_KEY: 'pk', LANGFUSE_SECRET_KEY: 'sk' };

  it.each<readonly [string, object, Readonly<Record<string, string>>]>([
    ['the option is absent', {}, {}],
    ['it is false, whatever the variable says', { content: false }, { [variable]: 'SPAN_AND_EVENT' }],
    ['the variable says NO_CONTENT', {}, { [variable]: 'NO_CONTENT' }],
    ['the variable says what nobody knows', {}, { [variable]: 'yes' }],
  ])('by any sink: %s', async (_, content, env) => {
    const plans = all(content);
    const one = await callOnce(plans, { ...env, ...keys });
    await one.host.close();
    expect(collector.spans.length).toBeGreaterThanOrEqual(4);
    const file = plans(collector.url).flatMap((plan) => (plan.kind === 'jsonl' ? [plan.path] : []))[0] ?? '';
    expect(existsSync(file)).toBe(true);
    const told = everything() + readFileSync(file, 'utf8');
    for (const sentence of sentences) expect(told).not.toContain(sentence);
  });

  it('and asked for, it reaches Langfuse with the span', async () => {
    const one = await callOnce(() => [{ kind: 'langfuse', content: true }], keys);
    await one.host.close();
    expect(JSON.parse(String(chat()?.attributes['gen_ai.output.messages']))).toEqual(output);
  });
});
