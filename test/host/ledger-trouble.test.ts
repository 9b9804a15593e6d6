import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openHost } from '../../src/host/host.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { startChild } from '../storage/children.js';

let rig: Rig;
afterEach(async () => await rig.close());

async function openAnsweringRig(home?: string): Promise<Rig> {
  rig = await openRig(home === undefined ? {} : { home });
  rig.upstream.handler = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
  return rig;
}

const call = async () => await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });

function listCalls(home: string) {
  const ledger = openLedgerReader({ home });
  try {
    return [...ledger.listCalls({})];
  } finally {
    ledger.close();
  }
}

describe('a ledger', () => {
  it('locked by another process delays no call, and has all of them when it is released', async () => {
    await openAnsweringRig();
    await call();
    const holder = startChild('hold-lock.mjs', [join(rig.home, 'llmtap.db')]);
    await holder.printed(1);
    for (let i = 0; i < 5; i++) expect((await call()).body.toString()).toBe(chatReply);
    expect(rig.records).toHaveLength(6);
    expect(listCalls(rig.home)).toHaveLength(1);
    holder.process.kill('SIGKILL');
    await holder.ended;
    await rig.host.close();
    expect(listCalls(rig.home).map(({ callId }) => callId)).toEqual(rig.records.map(({ callId }) => callId));
    expect(rig.faults).toEqual([]);
  });

  it('locked to the end costs its records, and a fault says how many', async () => {
    await openAnsweringRig();
    const holder = startChild('hold-lock.mjs', [join(rig.home, 'llmtap.db')]);
    await holder.printed(1);
    for (let i = 0; i < 3; i++) expect((await call()).status).toBe(200);
    await rig.host.close();
    expect(rig.faults.map(({ code }) => code)).toEqual(['STORE_LOCKED']);
    expect(rig.faults[0]?.message).toContain('Lost 3 calls');
    expect(rig.faults[0]?.hint).toMatch(/\S/);
  });

  it('that is no ledger costs its records: the calls go on and one fault says so', async () => {
    const home = mkdtempSync(join(tmpdir(), 'llmtap-damaged-'));
    writeFileSync(join(home, 'llmtap.db'), 'this is no database, and long enough to be taken for none at all');
    await openAnsweringRig(home);
    for (let i = 0; i < 3; i++) expect((await call()).body.toString()).toBe(chatReply);
    expect(rig.records).toHaveLength(3);
    const faults = await rig.waitForFaults(1);
    expect(faults).toMatchObject([{ code: 'STORE_UNOPENABLE', hint: expect.stringMatching(/\S/) }]);
    await rig.host.close();
    rmSync(home, { recursive: true });
  });

  it('whose place is a folder costs its records as well', async () => {
    const home = mkdtempSync(join(tmpdir(), 'llmtap-folder-'));
    mkdirSync(join(home, 'llmtap.db'));
    await openAnsweringRig(home);
    expect((await call()).status).toBe(200);
    expect((await rig.waitForFaults(1))[0]?.code).toBe('STORE_UNOPENABLE');
    await rig.host.close();
    rmSync(home, { recursive: true });
  });
});

/** A host in a process of its own: one session, calls through it by its own client, then its run id on stdout. */
const hostProgram = `
import { openHost } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
import { request } from 'node:http';
const [home, upstream, runId, count] = process.argv.slice(1);
const host = await openHost({ home, env: {}, providers: [{ name: 'local', baseUrl: upstream }] });
const session = await host.openSession({ runId });
const call = () => new Promise((resolve, reject) => {
  const options = { host: '127.0.0.1', port: session.port, method: 'POST', path: upstream + '/v1/chat/completions' };
  request(options, (response) => response.resume().on('end', resolve)).on('error', reject).end('{"model":"m"}');
});
for (let i = 0; i < Number(count); i++) await call();
await host.close();
console.log(JSON.stringify({ runId, ca: host.caPath }));
`;

it('processes that open one new home at once share its root, and every call of each is kept', async () => {
  await openAnsweringRig();
  const home = mkdtempSync(join(tmpdir(), 'llmtap-shared-'));
  const { openUpstream } = await import('../fixtures/upstream.js');
  const upstream = await openUpstream({ plain: true });
  upstream.handler = rig.upstream.handler;
  const processes = 5;
  const calls = 20;
  const url = `http://127.0.0.1:${upstream.port}`;
  const ends = await Promise.all(
    Array.from({ length: processes }, async (_, i) => {
      const args = ['--input-type=module', '-e', hostProgram, home, url, `run-${i}`, String(calls)];
      const child = spawn(process.execPath, args, { timeout: 20_000, killSignal: 'SIGKILL' });
      let said = '';
      child.stdout.on('data', (text: Buffer) => {
        said += text.toString();
      });
      child.stderr.on('data', (text: Buffer) => {
        said += text.toString();
      });
      const [status] = (await once(child, 'close')) as [number | null];
      return { status, said };
    }),
  );
  await upstream.close();
  expect(ends.map(({ status, said }) => (status === 0 ? 0 : said))).toEqual(Array(processes).fill(0));
  expect(new Set(ends.map(({ said }) => JSON.parse(said).ca)).size).toBe(1);
  const records = listCalls(home);
  for (let i = 0; i < processes; i++) {
    expect(records.filter(({ runId }) => runId === `run-${i}`)).toHaveLength(calls);
  }
  // The home is as good as new: one more host opens on it.
  const host = await openHost({ home, env: {} });
  await host.close();
  rmSync(home, { recursive: true });
});
