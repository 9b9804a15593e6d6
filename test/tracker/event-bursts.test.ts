import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { ConfigTracker, LLMTracker, openLedgerReader } from '../../dist/index.js';
import { openCollector } from '../fixtures/collector.js';
import { listen } from './tracker-lab.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** More than the queue of an exporter holds. */
const count = 12_000;

async function burst(isUp: boolean) {
  const home = mkdtempSync(join(tmpdir(), 'llmtap-burst-'));
  closing.push(() => rmSync(home, { recursive: true, force: true }));
  const collector = await openCollector();
  if (isUp) closing.push(() => collector.close());
  else await collector.close();
  const path = join(home, 'events.jsonl');
  const live: string[] = [];
  const tracker = await new LLMTracker({
    ...{ home, env: {}, sinks: [{ track: (name) => live.push(name) }] },
    exporters: [
      { kind: 'jsonl', path },
      { kind: 'otlp', url: collector.url },
    ],
  }).start();
  closing.push(() => tracker.close());
  const { until, events } = listen(tracker);
  const own = new ConfigTracker({ sink: tracker.sink, context: { kind: 'user', key: 'u' }, configKey: 'bot' });
  for (let at = 0; at < count; at += 1) own.trackToolCall(`tool-${at}`);
  await until(() => live.length >= count);
  await tracker.close();
  const ledger = await openLedgerReader({ home });
  const kept = [...ledger.listEvents({})];
  ledger.close();
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"run.tracked"'));
  const faults = events.flatMap((event) => (event.type === 'fault.occurred' ? [event.fault] : []));
  return { kept, lines, logs: collector.logs, faults };
}

it('a burst of events reaches ledger, file, collector and sinks whole, in order', { timeout: 60_000 }, async () => {
  const { kept, lines, logs, faults } = await burst(true);
  expect([kept.length, lines.length, logs.length]).toEqual([count, count, count]);
  expect(kept.map(({ data }) => (data as { toolKey: string }).toolKey)).toEqual(
    Array.from({ length: count }, (_, at) => `tool-${at}`),
  );
  expect(faults).toEqual([]);
});

it('a collector that is down costs the others nothing, and says what it lost', { timeout: 60_000 }, async () => {
  const { kept, lines, faults } = await burst(false);
  expect([kept.length, lines.length]).toEqual([count, count]);
  const lost = faults.map(({ code, message }) => (code === 'EXPORT_DROPPED' ? Number(/^\d+/.exec(message)?.[0]) : 0));
  expect(lost.reduce((sum, one) => sum + one)).toBe(count);
});
