import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TrackerEvent } from '../../dist/index.js';
import { type Collector, openCollector } from '../fixtures/collector.js';
import { chat, openTrackerLab, type TrackerLab } from './tracker-lab.js';

let lab: TrackerLab;
let collector: Collector;
let folder: string;
beforeAll(async () => {
  [lab, collector] = await Promise.all([openTrackerLab(), openCollector()]);
  folder = mkdtempSync(join(tmpdir(), 'llmtap-exporters-'));
});
afterAll(async () => {
  await Promise.all([lab.close(), collector.close()]);
  rmSync(folder, { recursive: true, force: true });
});

it('a tracker’s calls reach a file and a collector by the time it is closed, from its thread', async () => {
  const path = join(folder, 'events.jsonl');
  const exporters = [{ kind: 'jsonl', path } as const, { kind: 'otlp', url: collector.url } as const];
  const tracker = await lab.makeTracker({ exporters }).start();
  const runIds = await Promise.all(
    ['a', 'b'].map((dataId) =>
      tracker.track({ dataId }, async (session) => [await chat(dataId), session.session.runId]),
    ),
  );
  const records = await tracker.records();
  await tracker.close();
  const events = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TrackerEvent);
  const sent = events.flatMap((event) => (event.type === 'call.completed' ? [event.record.callId] : []));
  expect(sent.sort()).toEqual(records.map(({ callId }) => callId).sort());
  const spans = collector.spans.filter(({ kind }) => kind === 'SPAN_KIND_CLIENT');
  expect(spans.map(({ traceId }) => traceId).sort()).toEqual(
    runIds.map(([, runId]) => String(runId).replaceAll('-', '')).sort(),
  );
});

it.each([
  [[{ kind: 'jsonl', path: '/no/such/folder/e.jsonl' }], 'Could not write events to /no/such/folder/e.jsonl'],
  [[{ kind: 'pigeon' }], 'Could not export to "pigeon"'],
] as const)('a tracker that cannot send where it is told does not start: %j', async (exporters, message) => {
  const tracker = lab.makeTracker({ exporters: exporters as never });
  await expect(tracker.start()).rejects.toMatchObject({
    code: 'EXPORTER_INVALID',
    message: expect.stringContaining(message),
  });
});
