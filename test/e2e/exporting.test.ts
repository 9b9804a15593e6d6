import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TrackerEvent } from '../../src/core/events.js';
import { type Collector, openCollector } from '../fixtures/collector.js';
import { findChild, type Lab, openLab } from './lab.js';

let lab: Lab;
let collector: Collector;
beforeAll(async () => {
  lab = await openLab();
  collector = await openCollector();
});
afterAll(async () => {
  await lab.close();
  await collector.close();
});

it('a run’s calls by the official SDK reach a file and a collector, as they stand in the ledger', async () => {
  const path = join(lab.folder, 'events.jsonl');
  const flags = ['--run-id', 'sent', '--config-key', 'bot', '--events', path, '--otlp', collector.url];
  const key = 'sk-proj-canary00000000000000000000000000000001';
  const env = {
    ...lab.env,
    OPENAI_API_KEY: key,
    OTEL_SERVICE_NAME: 'my-agent',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-team=a',
  };
  const { status, stderr } = await lab.run([process.execPath, findChild('openai-child.js')], { flags, env });
  expect([status, stderr]).toEqual([0, '']);

  const calls = lab.readCalls('sent');
  expect(calls.length).toBeGreaterThan(5);
  const bare = calls.map((call) => ({ ...call, requestBody: null, responseBody: null }));
  const lines = readFileSync(path, 'utf8');
  const events = lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as TrackerEvent);
  const recorded = events.flatMap((event) => (event.type === 'call.completed' ? [event.record] : []));
  const byId = (one: { callId: string }, other: { callId: string }) => one.callId.localeCompare(other.callId);
  expect(recorded.toSorted(byId)).toEqual(bare.toSorted(byId));
  expect(lines).not.toContain(key);

  const spans = collector.spans.filter((span) => span.attributes['llmtap.call.id'] !== undefined);
  expect(spans.map((span) => String(span.attributes['llmtap.call.id'])).toSorted()).toEqual(
    calls.map(({ callId }) => callId).toSorted(),
  );
  const sum = (values: readonly unknown[]) => values.reduce<number>((total, value) => total + Number(value ?? 0), 0);
  expect(sum(spans.map((span) => span.attributes['gen_ai.usage.input_tokens']))).toBe(
    sum(calls.map(({ usage }) => usage.inputTokens)),
  );
  expect(collector.resources[0]).toMatchObject({ 'service.name': 'my-agent' });
  expect(collector.headers[0]).toMatchObject({ 'x-team': 'a' });
});

it('a collector named by OpenTelemetry’s own variable is used by --otlp alone', async () => {
  const before = collector.spans.length;
  const env = { ...lab.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const { status } = await lab.run(['true'], { flags: ['--config-key', 'by-variable', '--otlp'], env });
  expect(status).toBe(0);
  expect(collector.spans.slice(before).map(({ name }) => name)).toEqual(['llmtap.session by-variable']);
});

it('a file that cannot be written ends llmtap with one sentence before the program starts', async () => {
  const { status, stderr, stdout } = await lab.run(['echo', 'started'], { flags: ['--events', '/no/such/folder/e'] });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^llmtap: Could not write events to \/no\/such\/folder\/e: .*\n.*folder that exists/);
});
