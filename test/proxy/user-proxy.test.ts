import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openHost } from '../../src/host/host.js';
import { Connector } from '../../src/proxy/connector.js';
import { readUpstreamProxies } from '../../src/proxy/upstream-proxy.js';
import { ask, openSecure, openTunnel, readHead, startRequest } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { dial, openTcpServer, readBytes } from '../fixtures/tcp.js';
import { makeTestCertificate, openUpstream, type TestUpstream } from '../fixtures/upstream.js';
import { openUserProxy, type UserProxy } from '../fixtures/user-proxy.js';

const password = 'pr0xy-s3cret';
const login = `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;

let proxy: UserProxy;
let upstream: TestUpstream;
let rig: Rig;

async function openBehind(
  env: Record<string, string> = {},
  connectTo = [`:443:127.0.0.1:${upstream.port}`],
): Promise<Rig> {
  const url = `http://me:${password}@127.0.0.1:${proxy.port}`;
  return await openRig({ env: { HTTPS_PROXY: url, HTTP_PROXY: url, ...env }, connectTo, upstreamCa: upstream.caPath });
}

beforeAll(async () => {
  upstream = await openUpstream();
});
afterAll(async () => {
  await upstream.close();
});
beforeEach(async () => {
  upstream.seen.length = 0;
  upstream.connections = 0;
  upstream.handler = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
  proxy = await openUserProxy();
  rig = await openBehind();
});
afterEach(async () => {
  await rig.close();
  await proxy.close();
});

const post = async (): Promise<Awaited<ReturnType<typeof ask>>> =>
  await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });

/** Every byte the tap wrote to its home. */
function readHome(): string {
  const files = readdirSync(rig.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
}

describe('the user’s own proxy', () => {
  it('carries every call, with its credentials', async () => {
    expect((await post()).body.toString()).toBe(chatReply);
    expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${upstream.port}`]);
    expect(proxy.logins).toEqual([login]);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'ok', provider: 'openai' }]);
    expect(JSON.stringify(upstream.seen)).not.toContain(login);
  });

  it('carries blind tunnels, whose bytes are the client’s alone', async () => {
    const server = await openTcpServer((far) => far.pipe(far));
    await rig.close();
    rig = await openBehind({}, [`far.example:9:127.0.0.1:${server.port}`]);
    const { socket, status } = await openTunnel(rig.session.port, 'far.example:9');
    expect(status).toBe(200);
    socket.write('x'.repeat(1000));
    await readBytes(socket, 1000);
    await rig.session.close();
    expect(rig.session.counts()).toMatchObject({ tunnels: 1, tunnelBytes: 2000 });
    expect(proxy.asked[0]).toBe(`CONNECT 127.0.0.1:${server.port}`);
    await server.close();
  });

  it('carries websockets', async () => {
    upstream.onUpgrade = (_request, socket) =>
      void socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    const secure = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    secure.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(await readHead(secure)).toMatch(/^HTTP\/1\.1 101 /);
    expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${upstream.port}`]);
    secure.destroy();
  });

  it('gets plain HTTP in absolute form, with its credentials and without ours', async () => {
    const plain = await openUpstream({ plain: true });
    plain.handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    rig.host.registerProvider({ name: 'vllm', baseUrl: `http://models.example:${plain.port}` });
    const client = await dial(rig.session.port);
    client.write(
      `POST http://models.example:${plain.port}/v1/chat/completions HTTP/1.1\r\nHost: models.example\r\nProxy-Authorization: Basic b3VyczpvdXJz\r\nContent-Type: application/json\r\nContent-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`,
    );
    expect(await readHead(client)).toMatch(/^HTTP\/1\.1 200 /);
    expect(proxy.asked).toEqual([`POST http://models.example:${plain.port}/v1/chat/completions`]);
    expect(proxy.logins).toEqual([login]);
    expect(await rig.waitForRecords(1)).toMatchObject([{ provider: 'vllm', outcome: 'ok' }]);
    client.destroy();
    await plain.close();
  });

  it('is left out for what NO_PROXY names, and for this machine', async () => {
    await rig.close();
    rig = await openBehind({ NO_PROXY: '.openai.com' });
    await post();
    expect(proxy.asked).toEqual([]);
    const local = await openTcpServer((far) => far.pipe(far));
    const { socket } = await openTunnel(rig.session.port, `127.0.0.1:${local.port}`);
    socket.write('x');
    await readBytes(socket, 1);
    socket.destroy();
    await local.close();
    expect(proxy.asked).toEqual([]);
    await ask({ port: rig.session.port, ca: rig.ca, host: 'api.anthropic.com', path: '/v1/messages', body: '{}' });
    expect(proxy.asked.length).toBe(1);
  });

  it.each([403, 407, 502])('that answers %i fails the call closed, and its password is nowhere', async (status) => {
    proxy.behaviour = status;
    const reply = await post();
    expect(reply.status).toBe(502);
    expect(JSON.parse(reply.body.toString())).toMatchObject({ error: { code: 'UPSTREAM_PROXY_FAILED' } });
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ outcome: 'upstream_error', status: 0, error: { code: 'UPSTREAM_PROXY_FAILED' } });
    expect(record?.error?.message).toContain(String(status));
    expect((await openTunnel(rig.session.port, 'example.org:443')).status).toBe(502);
    await rig.host.close();
    const all = `${reply.body.toString()}${JSON.stringify([rig.records, rig.faults])}${readHome()}`;
    for (const secret of [password, login.slice(6), encodeURIComponent(password)]) expect(all).not.toContain(secret);
    expect(upstream.connections).toBe(0);
  });

  it('that is dead fails the call closed', async () => {
    await proxy.close();
    const reply = await post();
    expect(reply.status).toBe(502);
    expect((await rig.waitForRecords(1))[0]?.error).toMatchObject({
      code: 'UPSTREAM_PROXY_FAILED',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(upstream.connections).toBe(0);
    proxy = await openUserProxy();
  });

  it('that never answers leaves the call to the client’s patience', async () => {
    proxy.behaviour = 'hang';
    const request = await startRequest({ port: rig.session.port, ca: rig.ca });
    request.on('error', () => undefined).end(chatRequest);
    await new Promise<void>((resolve) => {
      const look = (): void => (proxy.asked.length > 0 ? resolve() : void setImmediate(look));
      look();
    });
    request.destroy();
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'client_aborted', status: 0 }]);
    await rig.host.close();
    expect(upstream.connections).toBe(0);
  });

  it('may be spoken to over TLS', async () => {
    const { key, cert, ca } = makeTestCertificate('localhost');
    const secure = await openUserProxy({ key, cert });
    const folder = mkdtempSync(join(tmpdir(), 'llmtap-proxy-ca-'));
    writeFileSync(join(folder, 'ca.pem'), `${ca}\n${readFileSync(upstream.caPath, 'utf8')}`);
    await rig.close();
    rig = await openRig({
      env: { https_proxy: `https://localhost:${secure.port}` },
      connectTo: [`:443:127.0.0.1:${upstream.port}`],
      upstreamCa: join(folder, 'ca.pem'),
    });
    expect((await post()).body.toString()).toBe(chatReply);
    expect(secure.asked.length).toBe(1);
    await secure.close();
    rmSync(folder, { recursive: true });
  });

  it('of a kind that cannot be chained to is refused in one sentence, before anything is opened', async () => {
    const home = join(tmpdir(), 'llmtap-never-made');
    await expect(
      openHost({ home, env: { ALL_PROXY: `socks5h://me:${password}@127.0.0.1:1080` } }),
    ).rejects.toMatchObject({
      code: 'PROXY_UNSUPPORTED',
      message: expect.not.stringContaining(password),
      hint: expect.stringContaining('http://'),
    });
  });
});

describe('a handshake that nobody answers', () => {
  it.each([
    ['of TLS', {}, 'ETIMEDOUT'],
    ['with the user’s proxy', { https_proxy: 'http://PROXY' }, 'UPSTREAM_PROXY_FAILED'],
  ])('%s is given up, and its connection closed', async (_what, env, code) => {
    const silent = await openTcpServer((far) => void far.resume());
    const proxies = readUpstreamProxies(
      Object.fromEntries(
        Object.entries(env).map(([name, value]) => [name, value.replace('PROXY', `127.0.0.1:${silent.port}`)]),
      ),
    );
    const connector = new Connector({
      connectTo: [{ host: null, port: null, toHost: '127.0.0.1', toPort: silent.port }],
      proxies,
      trustedRoots: () => [],
      handshakeTimeoutMs: 50,
    });
    const origin = { scheme: 'https', host: 'api.openai.com', port: 443 } as const;
    const accepted = silent.accept();
    const opening = connector.openTls({ origin, serverName: origin.host });
    const far = await accepted;
    const ended = new Promise((resolve) => far.once('end', resolve));
    await expect(opening).rejects.toMatchObject({ code });
    await ended;
    await silent.close();
  });
});
