import { afterEach, expect, it } from 'vitest';
import type { OtlpPlan } from '../../src/core/exporting.js';
import type { SessionOptions } from '../../src/core/host.js';
import { type Collector, openCollector, type Span } from '../fixtures/collector.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const runId = '6f1c0a3e-26bb-4a39-9c4a-0a1b2c3d4e5f';
/** For sessions that are not to tell how their run ended. */
const noRun = { session: { configKey: null } };

let rig: Rig | null = null;
let collector: Collector;
afterEach(async () => {
  await rig?.close();
  rig = null;
  await collector.close();
});

async function start(
  plan: Partial<OtlpPlan> = {},
  more: { readonly env?: Record<string, string>; readonly session?: SessionOptions } = {},
): Promise<Rig> {
  collector = await openCollector();
  rig = await openRig({
    exporters: [{ kind: 'otlp', url: collector.url, ...plan }],
    session: { runId, configKey: 'support-bot', ...more.session },
    env: more.env ?? {},
  });
  rig.upstream.handler = (asked, response) => {
    asked.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply)).resume();
  };
  return rig;
}

async function call(one: Rig, request: Partial<Parameters<typeof ask>[0]> = {}): Promise<void> {
  const count = one.records.length;
  await ask({ port: one.session.port, ca: one.ca, body: chatRequest, ...request });
  await one.waitForRecords(count + 1);
}

const findSpan = (name: RegExp | string): Span => {
  const found = collector.spans.find((span) => (typeof name === 'string' ? span.name === name : name.test(span.name)));
  if (found === undefined)
    throw new Error(`no span ${name} among ${collector.spans.map((span) => span.name).join(', ')}`);
  return found;
};

it('makes a session a span and each of its calls a span below, in the trace of the run', async () => {
  const one = await start();
  await call(one);
  await one.host.close();
  const [session, chat] = [findSpan('llmtap.session support-bot'), findSpan('chat gpt-4o')];
  expect(collector.spans).toHaveLength(2);
  expect([session.traceId, chat.traceId]).toEqual([runId.replaceAll('-', ''), runId.replaceAll('-', '')]);
  expect([session.parentSpanId, chat.parentSpanId]).toEqual(['', session.spanId]);
  expect([session.kind, chat.kind]).toEqual(['SPAN_KIND_INTERNAL', 'SPAN_KIND_CLIENT']);
  expect(session.attributes).toMatchObject({ 'llmtap.run.id': runId, 'llmtap.config.key': 'support-bot' });
  const [record] = one.records;
  const startNs = BigInt(Date.parse(record?.startedAt ?? '')) * 1_000_000n;
  expect(BigInt(chat.startTimeUnixNano)).toBe(startNs);
  const lastedMs = Number(BigInt(chat.endTimeUnixNano) - startNs) / 1e6;
  expect(lastedMs).toBeCloseTo(record?.latencyMs ?? -1, 3);
  expect(collector.resources[0]).toMatchObject({ 'service.name': 'llmtap', 'telemetry.sdk.name': 'opentelemetry' });
});

it('names what the wire said by the conventions, and says nothing of what it did not', async () => {
  const one = await start();
  const body = JSON.stringify({ ...JSON.parse(chatRequest), temperature: 0.5, max_tokens: 9, stop: 'END', seed: 7 });
  await call(one, { body });
  await one.host.close();
  const { attributes } = findSpan('chat gpt-4o');
  expect(attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.response.model': 'gpt-4o-2024-08-06',
    'gen_ai.response.id': 'chatcmpl-1',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.request.stream': false,
    'gen_ai.request.temperature': 0.5,
    'gen_ai.request.max_tokens': 9,
    'gen_ai.request.seed': 7,
    'gen_ai.request.stop_sequences': ['END'],
    'gen_ai.usage.input_tokens': 10,
    'gen_ai.usage.output_tokens': 5,
    'gen_ai.usage.cache_read.input_tokens': 4,
    'gen_ai.usage.reasoning.output_tokens': 2,
    'server.address': 'api.openai.com',
    'server.port': 443,
    'http.response.status_code': 200,
    'llmtap.cost.usd': 0.00007,
  });
  for (const unsaid of ['gen_ai.usage.cache_write.input_tokens', 'gen_ai.system', 'error.type', 'llmtap.usage_problem'])
    expect(attributes).not.toHaveProperty([unsaid]);
});

it.each([
  ['latest', ['gen_ai.client.inference.duration'], ['gen_ai.client.token.usage'], /1\.44/],
  ['legacy', ['gen_ai.client.token.usage'], ['gen_ai.client.inference.duration'], /1\.41/],
  ['both', ['gen_ai.client.token.usage', 'gen_ai.client.inference.duration'], [], /1\.44/],
] as const)('speaks the conventions of the profile %s', async (profile, there, absent, schema) => {
  const one = await start({ profile });
  await call(one);
  await one.host.close();
  const metrics = collector.metrics();
  for (const name of there) expect(metrics.has(name)).toBe(true);
  for (const name of absent) expect(metrics.has(name)).toBe(false);
  expect('gen_ai.system' in findSpan('chat gpt-4o').attributes).toBe(profile !== 'latest');
  expect(new Set(collector.schemaUrls)).toEqual(new Set([expect.stringMatching(schema)]));
});

it('counts tokens, durations and cost, a failed call with no tokens of an unknown kind', async () => {
  const one = await start();
  await call(one);
  await call(one);
  one.upstream.handler = (asked, response) => void asked.on('end', () => response.writeHead(500).end()).resume();
  await call(one);
  await one.host.close();
  const points = (name: string) => collector.metrics().get(name)?.points ?? [];
  expect(points('gen_ai.client.inference.usage.input_tokens')).toMatchObject([
    {
      value: 20,
      attributes: {
        'server.port': 443,
        'gen_ai.token.modality': 'unknown',
        'gen_ai.response.model': 'gpt-4o-2024-08-06',
      },
    },
    { value: 0, attributes: { 'gen_ai.token.modality': 'unknown', 'error.type': '500' } },
  ]);
  expect(points('gen_ai.client.inference.usage.cache_read.input_tokens')).toMatchObject([{ value: 8 }]);
  expect(points('llmtap.cost')).toMatchObject([{ value: 0.00014 }]);
  const [duration] = points('gen_ai.client.inference.duration');
  expect(duration).toMatchObject({
    count: 2,
    bounds: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  });
  const seconds = one.records.slice(0, 2).reduce((sum, { latencyMs }) => sum + latencyMs / 1000, 0);
  expect(duration?.sum).toBeCloseTo(seconds, 6);
  expect(points('gen_ai.client.inference.operation.output_tokens')).toMatchObject([{ count: 2, sum: 10 }]);
});

it('tells the time to the first piece of a stream', async () => {
  const one = await start();
  one.upstream.handler = (asked, response) => {
    const sendAll = () =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFramesWithUsage.join(''));
    asked.on('end', sendAll).resume();
  };
  await call(one, { body: chatStreamRequest });
  await one.host.close();
  const { attributes } = findSpan('chat gpt-4o');
  const seconds = (one.records[0]?.timeToFirstTokenMs ?? -1) / 1000;
  expect(attributes['gen_ai.response.time_to_first_chunk']).toBeCloseTo(seconds, 9);
  expect(collector.metrics().get('gen_ai.client.inference.time_to_first_chunk')?.points).toMatchObject([{ count: 1 }]);
});

it('puts a call that carries a traceparent under the agent’s own span, with a link to its session', async () => {
  const one = await start();
  const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
  await call(one, { headers: { 'content-type': 'application/json', traceparent: `00-${trace}-${span}-01` } });
  await one.host.close();
  const chat = findSpan('chat gpt-4o');
  const session = findSpan(/session/);
  expect(chat).toMatchObject({ traceId: trace, parentSpanId: span });
  expect(chat.links).toEqual([{ traceId: session.traceId, spanId: session.spanId }]);
});

it('stands in the trace it was started in', async () => {
  const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
  const one = await start({}, { env: { TRACEPARENT: `00-${trace}-${span}-01` } });
  await call(one);
  await one.host.close();
  const session = findSpan(/session/);
  expect(session).toMatchObject({ traceId: trace, parentSpanId: span });
  expect(findSpan('chat gpt-4o')).toMatchObject({ traceId: trace, parentSpanId: session.spanId, links: [] });
});

it('makes the session of an agent the span of an agent', async () => {
  const one = await start({}, { session: { agentId: 'planner' } });
  await call(one);
  await one.host.close();
  expect(findSpan('invoke_agent planner').attributes).toMatchObject({
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.id': 'planner',
  });
});

it('sends what was said only when asked to, and then without what redaction removed', async () => {
  const secret = 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789';
  const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: `Hello from afar ${secret}` }] });
  const quiet = await start();
  await call(quiet, { body });
  await quiet.host.close();
  expect(JSON.stringify([collector.spans, collector.logs])).not.toContain('Hello from afar');
  await quiet.close();
  await collector.close();

  const one = await start({ content: true });
  await call(one, { body, headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' } });
  await one.host.close();
  const [details] = collector.logs.filter((log) => log.eventName === 'gen_ai.client.inference.operation.details');
  expect(details?.attributes['llmtap.request.body']).toContain('Hello from afar');
  expect(details?.spanId).toBe(findSpan('chat gpt-4o').spanId);
  expect(JSON.stringify([collector.spans, collector.logs])).not.toContain(secret);
});

it('tells failures and faults as log records', async () => {
  const one = await start({}, noRun);
  one.upstream.handler = (asked, response) => {
    asked
      .on('end', () =>
        response.writeHead(429, { 'content-type': 'application/json' }).end('{"error":{"message":"slow down"}}'),
      )
      .resume();
  };
  await call(one);
  one.host.noteFault({ code: 'TLS_REFUSED', message: 'A client refused.', hint: 'Do so.', sessionId: null });
  await one.host.close();
  expect(collector.logs).toMatchObject([
    { eventName: 'gen_ai.client.operation.exception', attributes: { 'exception.type': '429', 'llmtap.run.id': runId } },
    {
      eventName: 'llmtap.fault',
      severityText: 'WARN',
      body: 'A client refused.',
      attributes: { 'llmtap.fault.code': 'TLS_REFUSED' },
    },
  ]);
  const chat = findSpan('chat gpt-4o');
  expect(chat.status).toMatchObject({ code: 'STATUS_CODE_ERROR' });
  expect(collector.logs[0]?.spanId).toBe(chat.spanId);
});

it('sends again what a collector could not take, and counts it once', async () => {
  const one = await start();
  const refusals = { traces: 1, metrics: 1, logs: 1 };
  collector.answer = (signal) => {
    refusals[signal] -= 1;
    return refusals[signal] >= 0 ? 503 : 200;
  };
  await call(one);
  await collector.waitUntil(() => collector.spans.length > 0 && collector.metrics().size > 0);
  await one.host.close();
  expect(collector.spans.filter((span) => span.name === 'chat gpt-4o')).toHaveLength(1);
  expect(collector.metrics().get('gen_ai.client.inference.usage.input_tokens')?.points).toMatchObject([{ value: 10 }]);
});

it.each(['metrics', 'logs'] as const)(
  'says so once where a collector does not take %s, however much comes, and goes on with the others',
  async (refused) => {
    const one = await start({}, noRun);
    collector.answer = (signal) => (signal === refused ? 404 : 200);
    const seen = () => collector.paths.filter((path) => path === `/v1/${refused}`).length;
    for (const times of [1, 2, 3]) {
      await call(one);
      one.host.noteFault({ code: 'TLS_REFUSED', message: `Refused ${times}.`, hint: null, sessionId: null });
      await collector.waitUntil(() => seen() >= times);
    }
    await one.host.close();
    expect(seen()).toBe(3);
    expect(collector.spans).toHaveLength(4);
    expect(one.faults.filter(({ code }) => code !== 'TLS_REFUSED')).toMatchObject([
      { code: 'EXPORT_FAILED', message: expect.stringContaining(`(${refused}): it answered 404`) },
      { code: 'EXPORT_DROPPED', message: expect.stringMatching(/^3 events did not reach/) },
    ]);
  },
);

it('ends soon where nobody listens, says what did not arrive, and never holds a call up', async () => {
  const one = await start();
  const { url } = collector;
  await collector.close();
  await call(one);
  const asked = performance.now();
  await one.host.close();
  // NOTE: no figure of speed, but the bound of the end: three seconds, where a stuck exporter would be forever.
  expect(performance.now() - asked).toBeLessThan(20_000);
  expect(one.faults.map(({ code }) => code)).toContain('EXPORT_DROPPED');
  expect(one.faults[0]?.message).toContain(url);
  collector = await openCollector();
});

it.each([
  ['OTEL_TRACES_EXPORTER', ['metrics', 'logs']],
  ['OTEL_METRICS_EXPORTER', ['traces', 'logs']],
  ['OTEL_LOGS_EXPORTER', ['traces', 'metrics']],
])('leaves out the signal that %s=none switches off', async (variable, signals) => {
  const one = await start({}, { env: { [variable]: 'none' } });
  one.host.noteFault({ code: 'TLS_REFUSED', message: 'A client refused.', hint: null, sessionId: null });
  await call(one);
  await one.host.close();
  expect(new Set(collector.paths)).toEqual(new Set(signals.map((signal) => `/v1/${signal}`)));
});

it('refuses what is no URL with one sentence', async () => {
  collector = await openCollector();
  const opened = openRig({ exporters: [{ kind: 'otlp', url: 'localhost:4318' }] });
  await expect(opened).rejects.toMatchObject({
    code: 'EXPORTER_INVALID',
    message: 'Could not export to "localhost:4318": it is no URL.',
    hint: expect.stringContaining('http://'),
  });
});
