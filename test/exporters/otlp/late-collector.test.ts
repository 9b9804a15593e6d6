import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { type Collector, openCollector } from '../../fixtures/collector.js';
import { ask } from '../../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../../fixtures/replies.js';
import { openRig, type Rig } from '../../fixtures/rig.js';

const context = { kind: 'user', key: 'user-1' };

let rig: Rig | null = null;
let collector: Collector | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
  await collector?.close();
  collector = null;
});

async function start(url: string, more: { readonly path?: string } = {}): Promise<Rig> {
  const { path } = more;
  rig = await openRig({
    exporters: [{ kind: 'otlp', url }, ...(path === undefined ? [] : [{ kind: 'jsonl', path } as const])],
    session: { runId: 'run-1', configKey: 'bot', run: { context } },
  });
  rig.upstream.handler = (request, response) =>
    void request
      .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply))
      .resume();
  return rig;
}

it('a collector that comes up after the run has begun gets all of it, each once', { timeout: 30_000 }, async () => {
  // Below those that systems give away: no other test may take it meanwhile.
  const port = randomInt(15_000, 30_000);
  const early = await openCollector(port);
  await early.close();
  const one = await start(early.url);
  await ask({ port: one.session.port, ca: one.ca, body: chatRequest });
  const [fault] = await one.waitForFaults(1);
  expect(fault).toMatchObject({ code: 'EXPORT_FAILED', message: expect.stringContaining(early.url) as string });
  one.host.sink.track('my:event', context, { runId: 'run-1' }, 1);
  await one.session.close();
  const late = await openCollector(port);
  collector = late;
  await late.waitUntil(() => late.spans.length >= 2 && late.logs.length >= 6 && late.metrics().size > 0);
  await one.host.close();
  expect(late.spans.map(({ name }) => name).sort()).toEqual(['chat gpt-4o', 'llmtap.session bot']);
  expect(late.logs.map(({ eventName }) => eventName.replace('$ld:ai:', ''))).toEqual([
    ...['my:event', 'duration:total', 'generation:success', 'tokens:total', 'tokens:input', 'tokens:output'],
  ]);
  expect(late.metrics().get('gen_ai.client.inference.usage.input_tokens')?.points).toMatchObject([{ value: 10 }]);
  expect(one.faults.map(({ code }) => code)).not.toContain('EXPORT_DROPPED');
});

it('an event of a megabyte reaches ledger, file and collector whole, and those after it', {
  timeout: 30_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-large-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  collector = await openCollector();
  const path = join(folder, 'events.jsonl');
  const one = await start(collector.url, { path });
  const large = 'é'.repeat(1024 * 1024);
  for (const at of [1, 2, 3, 4, 5, 6]) one.host.sink.track(`large:${at}`, context, { runId: 'run-1', large }, at);
  one.host.sink.track('small', context, { runId: 'run-1' }, 7);
  await one.host.close();
  expect(one.faults).toEqual([]);
  const told = collector.logs.map(({ eventName, attributes }) => [
    eventName,
    (JSON.parse(String(attributes['llmtap.event.data'])) as { readonly large?: string }).large?.length ?? 0,
  ]);
  const expected = [...[1, 2, 3, 4, 5, 6].map((at) => [`large:${at}`, large.length]), ['small', 0]];
  expect(told).toEqual(expected);
  const lines = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const kept = lines.flatMap(({ type, event }) =>
    type === 'run.tracked' ? [[event?.name, event?.data.large?.length ?? 0]] : [],
  );
  expect(kept).toEqual(expected);
});

interface Line {
  readonly type: string;
  readonly event?: { readonly name: string; readonly data: { readonly large?: string } };
}
