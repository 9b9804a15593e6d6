// Every fixture of every dialect through the tap, recorded, kept, and given again without its provider.
import { mkdtempSync, rmSync } from 'node:fs';
import type http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import type { OpenSession } from '../../src/core/host.js';
import { ask, makeTunnelAgent, type Reply } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { listServedFixtures, type ServedFixture } from './fixture-addresses.js';

const fixtures = listServedFixtures().map((fixture, i) => ({ ...fixture, id: String(i) }));
type Fixture = (typeof fixtures)[number];

const folder = mkdtempSync(join(tmpdir(), 'llmtap-replayed-'));
const idOfRequest = 'x-fixture';
let rig: Rig;

interface Answered {
  readonly reply: Reply;
  readonly record: CallRecord;
}

/** Asks for every fixture through one session, one after the other. */
async function askAll(session: OpenSession, asked: readonly Fixture[]): Promise<Map<string, Answered>> {
  const agent = makeTunnelAgent(session.port, rig.ca);
  const answered = new Map<string, Answered>();
  for (const { id, host, path, request } of asked) {
    const before = rig.records.length;
    const headers = { 'content-type': 'application/json', [idOfRequest]: id };
    const reply = await ask({ port: session.port, ca: rig.ca, agent, host, path, headers, body: request });
    const record = (await rig.waitForRecords(before + 1))[before];
    if (record === undefined) throw new Error('no record');
    answered.set(id, { reply, record });
  }
  agent.destroy();
  return answered;
}

/** A whole reply says its length; a stream comes in pieces of a size that cuts frames, lines and characters. */
function serve(fixture: ServedFixture, isZipped: boolean, response: http.ServerResponse): void {
  const body = isZipped ? gzipSync(fixture.body) : fixture.body;
  const headers = { 'content-type': fixture.contentType, ...(isZipped && { 'content-encoding': 'gzip' }) };
  if (!fixture.isStream) {
    response.writeHead(fixture.status, { ...headers, 'content-length': body.length }).end(body);
    return;
  }
  response.writeHead(fixture.status, headers);
  for (let at = 0; at < body.length; at += 97) response.write(body.subarray(at, at + 97));
  response.end();
}

const facts = ({
  api,
  model,
  usage,
  usageDetails,
  usageProblem,
  outcome,
  status,
  error,
  stream,
  partial,
}: CallRecord) => ({
  ...{ api, model, usage, usageDetails, usageProblem, outcome, status, stream, partial },
  error: error?.code ?? null,
});

/** Those besides errors that the cache does not keep. */
const neverKept = [
  // Its meaning is not read.
  'unread/video.json',
  'openai-responses/failed.json',
  'openai-responses/failed.sse',
  // Nothing to be answered with is in it yet.
  'openai-responses/queued.json',
  // It tells of code that was run.
  'mistral-conversations/answer.json',
  'mistral-conversations/answer.sse',
  'google-interactions/background.json',
];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  { replies: 'plain', isZipped: false },
  { replies: 'compressed', isZipped: true },
])('$replies replies', ({ replies, isZipped }) => {
  let live: Map<string, Answered>;
  let replayed: Map<string, Answered>;
  let kept: Map<string, Answered>;

  beforeAll(async () => {
    rig = await openRig({ cache: { path: join(folder, `${replies}.db`) } });
    rig.upstream.handler = (request, response) => {
      const fixture = fixtures[Number(request.headers[idOfRequest])];
      request.resume().once('end', () => fixture !== undefined && serve(fixture, isZipped, response));
    };
    const path = join(folder, `${replies}.jsonl`);
    const recording = await rig.openSession({ cassette: { mode: 'record', path } });
    live = await askAll(recording, fixtures);
    await recording.close({ drain: true });
    await askAll(await rig.openSession({ cache: { mode: 'on' } }), fixtures);
    await rig.upstream.close();
    replayed = await askAll(await rig.openSession({ cassette: { mode: 'replay', path } }), fixtures);
    kept = await askAll(await rig.openSession({ cache: { mode: 'only' } }), fixtures);
  }, 120_000);
  afterAll(async () => await rig.close());

  it.each(fixtures)('of $file by $host are replayed byte for byte', ({ id, status, body, contentType }) => {
    const [first, again] = [live.get(id), replayed.get(id)];
    expect(first?.record.outcome === 'ok' || status >= 400).toBe(true);
    expect(again?.reply.status).toBe(status);
    expect(again?.reply.headers['content-type']).toBe(contentType);
    expect(again?.reply.body.equals(body)).toBe(true);
    expect(again?.record.cached).toBe(true);
    expect(again && facts(again.record)).toEqual(first && facts(first.record));
  });

  it('are kept byte for byte where they came whole and state no error, and are no answer otherwise', () => {
    const wrong = fixtures.filter(({ id, body }) => {
      const { reply, record } = kept.get(id) as Answered;
      return reply.status === 200 ? !reply.body.equals(body) || !record.cached : reply.status !== 412;
    });
    expect(wrong.map(({ file }) => file)).toEqual([]);
    const isKept = ({ id }: Fixture): boolean => kept.get(id)?.reply.status === 200;
    const unkept = fixtures.filter((one) => !isKept(one) && !/\/(?:\w+-)?error[-.]/.test(one.file));
    expect(fixtures.filter((one) => isKept(one) && /\/(?:\w+-)?error[-.]/.test(one.file))).toEqual([]);
    expect([...new Set(unkept.map(({ file }) => file))]).toEqual(neverKept);
  });
});
