import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TrackerEvent } from '../../src/core/events.js';
import { openJsonl } from '../../src/exporters/jsonl.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig } from '../fixtures/rig.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-jsonl-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const readEvents = (path: string): TrackerEvent[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrackerEvent);

async function record(path: string, content: boolean): Promise<TrackerEvent[]> {
  const rig = await openRig({ exporters: [{ kind: 'jsonl', path, content }] });
  rig.upstream.handler = (asked, response) => {
    asked.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply)).resume();
  };
  await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });
  await rig.waitForRecords(1);
  await rig.close();
  return readEvents(path);
}

it('appends every event as one line of JSON, in the order in which they happened', async () => {
  const path = join(folder, 'events.jsonl');
  writeFileSync(path, '{"type":"of an earlier run"}\n');
  const events = await record(path, false);
  expect(events.map(({ type }) => type)).toEqual([
    'of an earlier run',
    'session.opened',
    'call.completed',
    'session.closed',
  ]);
  expect(events[2]).toMatchObject({ record: { model: 'gpt-4o-2024-08-06', usage: { inputTokens: 10 } } });
});

it('makes the file for its owner alone', async () => {
  const path = join(folder, 'events.jsonl');
  await record(path, false);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it.each([
  [false, null],
  [true, { model: 'gpt-4o' }],
])('keeps bodies only when asked to (%s)', async (content, body) => {
  const events = await record(join(folder, 'events.jsonl'), content);
  const [call] = events.flatMap((event) => (event.type === 'call.completed' ? [event.record] : []));
  if (body === null) expect([call?.requestBody, call?.responseBody]).toEqual([null, null]);
  else expect(call).toMatchObject({ requestBody: body, responseBody: { id: 'chatcmpl-1' } });
});

it('leaves whole lines to every one of several writers', async () => {
  const path = join(folder, 'events.jsonl');
  const writers = await Promise.all([1, 2, 3].map(() => openJsonl({ kind: 'jsonl', path })));
  const line = `${JSON.stringify({ text: 'x'.repeat(20_000) })}\n`;
  const batches = writers.flatMap((writer) => Array.from({ length: 20 }, () => writer.send([line, line, line])));
  await Promise.all(batches);
  await Promise.all(writers.map((writer) => writer.close()));
  expect(readEvents(path)).toHaveLength(180);
});

it.each([
  ['a folder', '.', 'it is a folder'],
  ['a file in no folder', 'none/events.jsonl', 'ENOENT'],
])('refuses %s with one sentence, before anything is opened', async (_, name, reason) => {
  const path = join(folder, name);
  await expect(openRig({ exporters: [{ kind: 'jsonl', path }] })).rejects.toMatchObject({
    code: 'EXPORTER_INVALID',
    message: expect.stringContaining(reason),
    hint: expect.stringContaining('folder that exists'),
  });
});
