import { once } from 'node:events';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { ask, openTunnel } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(async () => await rig.close());

const json = { 'content-type': 'application/json' };
const body = '{"model":"gpt-4o","messages":[]}';
const reply = '{"id":"c1","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}';
const begin = reply.slice(0, 20);

/** A call whose reply has begun; the returned function ends it. */
async function askSlowly() {
  let finish: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, json).write(begin);
      finish = () => void response.end(reply.slice(20));
      resolve();
    };
  });
  const answer = ask({ port: rig.session.port, ca: rig.ca, body });
  await begun;
  return { answer, finish: () => finish() };
}

async function refuses(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  return await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
  }).finally(() => socket.destroy());
}

describe('a session that is closed with drain', () => {
  it('lets a call under way end, records it as whole, and is closed only then', async () => {
    const { answer, finish } = await askSlowly();
    let isClosed = false;
    const closing = rig.session.close({ drain: true }).then(() => {
      isClosed = true;
    });
    finish();
    expect((await answer).body.toString()).toBe(reply);
    await closing;
    expect(isClosed).toBe(true);
    const [record, ...more] = await rig.waitForRecords(1);
    expect(more).toEqual([]);
    expect(record).toMatchObject({ outcome: 'ok', usage: { inputTokens: 3 } });
  });

  it('takes no new connection while it waits', async () => {
    const { answer, finish } = await askSlowly();
    const closing = rig.session.close({ drain: true });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(await refuses(rig.session.port)).toBe(true);
    finish();
    await Promise.all([answer, closing]);
  });

  it('ends connections on which nothing is under way at once', async () => {
    rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(reply);
    await ask({ port: rig.session.port, ca: rig.ca, body });
    await rig.session.close({ drain: true });
    expect(await refuses(rig.session.port)).toBe(true);
  });

  it('waits for a connection that has just been made to ask something', async () => {
    rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(reply);
    const socket = net.connect(rig.session.port, '127.0.0.1');
    await once(socket, 'connect');
    const closing = rig.session.close({ drain: true });
    socket.write('POST http://api.openai.com/v1/x HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: 0\r\n\r\n');
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1\.1 /);
    await once(socket, 'close');
    await closing;
  });

  it('is cut by a close without drain, and both are done', async () => {
    const { answer } = await askSlowly();
    const cut = answer.then(({ complete }) => !complete).catch(() => true);
    const closing = rig.session.close({ drain: true });
    await Promise.all([closing, rig.session.close()]);
    expect(await cut).toBe(true);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ outcome: 'client_aborted' });
  });

  it('is cut by the end of its host, which notes its end', async () => {
    const { answer } = await askSlowly();
    const cut = answer.then(({ complete }) => !complete).catch(() => true);
    const closing = rig.session.close({ drain: true });
    await rig.host.close();
    await closing;
    expect(await cut).toBe(true);
    const ledger = openLedgerReader({ home: rig.home });
    expect(ledger.listRuns()[0]?.endedAt).not.toBeNull();
    ledger.close();
  });

  it('leaves a blind tunnel until it ends by itself', async () => {
    const echo = net.createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const { port } = echo.address() as net.AddressInfo;
    const { socket: tunnel } = await openTunnel(rig.session.port, `127.0.0.1:${port}`);
    tunnel.resume();
    const closing = rig.session.close({ drain: true });
    tunnel.write('still here');
    const [heard] = (await once(tunnel, 'data')) as [Buffer];
    expect(heard.toString()).toBe('still here');
    tunnel.end();
    await closing;
    await new Promise((resolve) => echo.close(resolve));
  });
});

describe('a session that is opened again', () => {
  it('has its id, its ids, its password and its port', async () => {
    const first = await rig.openSession({ configKey: 'bot', credentials: true });
    const { session, port, credentials } = first;
    await first.close();
    const again = await rig.openSession({ restore: { session, port, credentials } });
    expect([again.session, again.port, again.credentials]).toEqual([session, port, credentials]);
    await again.close();
  });

  it('takes another port when its own is taken', async () => {
    const { session, port } = rig.session;
    const again = await rig.openSession({ restore: { session, port, credentials: null } });
    expect(again.port).not.toBe(port);
    expect(again.session.sessionId).toBe(session.sessionId);
  });
});

const address = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find((entry) => !entry.internal && entry.family === 'IPv4')?.address;

describe('a session beyond loopback', () => {
  it.skipIf(address === undefined)('always asks for a password (needs an address besides loopback)', async () => {
    const open = await rig.openSession({ bindAddress: address ?? '' });
    expect(open.credentials).toMatch(/^llmtap:/);
    expect(open.proxyUrl).toBe(`http://${open.credentials}@${address}:${open.port}`);
    const socket = net.connect(open.port, address);
    socket.write('CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1\.1 407 /);
    socket.destroy();
    expect(await refuses(open.port)).toBe(true);
  });

  it('is refused for what is no address, and for one of another machine', async () => {
    await expect(rig.openSession({ bindAddress: 'docker0' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(rig.openSession({ bindAddress: '203.0.113.7' })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      hint: 'Give an address of this machine.',
    });
  });
});
