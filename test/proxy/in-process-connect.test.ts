import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import tls, { type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  clientHeader,
  clientInProcess,
  errorHeader,
  type InProcessTls,
  readHeaderValue,
  requestHeader,
  tlsHeader,
  writeHeaderValue,
} from '../../src/core/in-process.js';
import { openTunnel } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { makeTestCertificate } from '../fixtures/upstream.js';

let rig: Rig;
const servers: https.Server[] = [];
beforeEach(async () => {
  rig = await openRig();
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await rig.close();
});

const path = '/v1/chat/completions';
const reply = '{"id":"c1","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}';

interface Asked {
  readonly authority?: string;
  readonly tls?: InProcessTls;
  readonly request?: unknown;
  readonly port?: number;
}

/** CONNECT as the agent side sends it. */
async function connect({ authority = 'api.openai.com:443', port = rig.session.port, ...asked }: Asked = {}) {
  return await openTunnel(port, authority, {
    [clientHeader]: clientInProcess,
    ...(asked.tls && { [tlsHeader]: writeHeaderValue(asked.tls) }),
    ...(asked.request !== undefined && { [requestHeader]: writeHeaderValue(asked.request) }),
  });
}

function readTold(replyHead: string): unknown {
  const line = replyHead.split('\r\n').find((text) => text.toLowerCase().startsWith(`${errorHeader}:`));
  return line === undefined ? undefined : readHeaderValue(line.slice(errorHeader.length + 1).trim());
}

/** One chat call over a tunnel that stands; what came, up to the end of the connection or of the reply. */
async function ask(socket: Socket, host: string): Promise<string> {
  const secure: TLSSocket = tls.connect({ socket, servername: host, ca: rig.ca });
  let failure = '';
  secure.on('error', (error) => {
    failure = error.message;
  });
  secure.write(`POST ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`);
  let text = '';
  secure.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await new Promise((resolve) => secure.once('close', resolve));
  return text === '' ? failure : text;
}

/** A provider of its own, registered at the rig's host. */
async function openProvider(
  options: https.ServerOptions,
  admits: (request: IncomingMessage) => boolean = () => true,
): Promise<{ readonly authority: string; readonly connections: () => number }> {
  let connections = 0;
  const server = https.createServer(options, (request, response) => {
    if (!admits(request)) return void request.socket.destroy();
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(reply));
  });
  server.on('tlsClientError', () => undefined).on('secureConnection', () => (connections += 1));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  rig.host.registerProvider({ name: `own-${port}`, baseUrl: `https://localhost:${port}` });
  return { authority: `localhost:${port}`, connections: () => connections };
}

describe('a CONNECT from this process', () => {
  it('is answered once the provider is reached, over the connection its request then takes', async () => {
    rig.upstream.handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(reply);
    const { socket, status } = await connect();
    expect([status, rig.upstream.connections]).toEqual([200, 1]);
    expect(await ask(socket, 'api.openai.com')).toContain(reply);
    expect(rig.upstream.connections).toBe(1);
    expect(await rig.waitForRecords(1)).toMatchObject([{ status: 200, usage: { inputTokens: 3 } }]);
  });

  it('is answered at once while a connection to the provider is free', async () => {
    rig.upstream.handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(reply);
    for (let i = 0; i < 3; i++) expect(await ask((await connect()).socket, 'api.openai.com')).toContain(reply);
    expect(rig.upstream.connections).toBe(1);
  });

  it('leaves no connection when its client goes without a request', async () => {
    const { socket } = await connect();
    socket.destroy();
    const [far] = [...rig.upstream.sockets];
    expect(far?.destroyed).toBe(false);
    await rig.host.close();
    if (far !== undefined && !far.destroyed) await once(far, 'close');
    expect(rig.upstream.sockets.size).toBe(0);
  });

  it('tells the error its client would have met, and keeps the call on record', async () => {
    const unreachable = await openRig({ connectTo: [':443:127.0.0.1:1'] });
    const { port } = unreachable.session;
    const { status, replyHead } = await connect({ port, request: { method: 'POST', path } });
    expect(status).toBe(502);
    expect(readTold(replyHead)).toMatchObject({
      ...{ code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port: 1 },
      message: 'connect ECONNREFUSED 127.0.0.1:1',
    });
    const [record, ...more] = await unreachable.waitForRecords(1);
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      status: 0,
      outcome: 'upstream_error',
      requestBytes: 0,
      error: { code: 'UPSTREAM_UNREACHABLE' },
    });
    await unreachable.close();
  });

  it('whose provider takes it and hangs up in the handshake leaves a record with the time it waited', async () => {
    // A provider that takes connections and says nothing.
    const silent = net.createServer((socket) => {
      silent.once('release', () => socket.destroy());
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port: silentPort } = silent.address() as AddressInfo;
    const waiting = await openRig({ connectTo: [`:443:127.0.0.1:${silentPort}`] });
    const reached = once(silent, 'connection');
    const socket = net.connect(waiting.session.port, '127.0.0.1');
    const named = `${requestHeader}: ${writeHeaderValue({ method: 'POST', path })}`;
    socket.write(
      `CONNECT api.openai.com:443 HTTP/1.1\r\nHost: x\r\n${clientHeader}: ${clientInProcess}\r\n${named}\r\n\r\n`,
    );
    await reached;
    silent.emit('release');
    const [record] = await waiting.waitForRecords(1);
    expect(record).toMatchObject({ status: 0, outcome: 'upstream_error', requestBytes: 0 });
    socket.destroy();
    expect(record?.latencyMs).toBeGreaterThan(0.5);
    await waiting.close();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('whose client leaves before the provider is reached is on record as left', async () => {
    // A provider that takes connections and says nothing.
    const held: Socket[] = [];
    const silent = net.createServer((socket) => held.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const waiting = await openRig({ connectTo: [`:443:127.0.0.1:${(silent.address() as AddressInfo).port}`] });
    const reached = once(silent, 'connection');
    const socket = net.connect(waiting.session.port, '127.0.0.1');
    const named = `${requestHeader}: ${writeHeaderValue({ method: 'POST', path })}`;
    socket.write(
      `CONNECT api.openai.com:443 HTTP/1.1\r\nHost: x\r\n${clientHeader}: ${clientInProcess}\r\n${named}\r\n\r\n`,
    );
    await reached;
    socket.destroy();
    const [record] = await waiting.waitForRecords(1);
    expect(record).toMatchObject({ status: 0, outcome: 'client_aborted', error: { code: 'CLIENT_ABORTED' } });
    for (const one of held) one.destroy();
    await waiting.close();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('that asks for a WebSocket has it over the connection that was opened for it', async () => {
    rig.upstream.onUpgrade = (_request, socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    };
    const { socket } = await connect();
    const secure = tls.connect({ socket, servername: 'api.openai.com', ca: rig.ca });
    secure.write('GET /v1/realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    const [answer] = (await once(secure, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /);
    expect(rig.upstream.connections).toBe(1);
    secure.destroy();
  });

  it('whose request is not known leaves one fault a host instead of records', async () => {
    const unreachable = await openRig({ connectTo: [':443:127.0.0.1:1'] });
    for (let i = 0; i < 2; i++) expect((await connect({ port: unreachable.session.port })).status).toBe(502);
    expect(unreachable.faults.map(({ code }) => code)).toEqual(['UPSTREAM_UNREACHABLE']);
    expect(unreachable.records).toEqual([]);
    await unreachable.close();
  });

  it('has its client cut, not answered, when the provider leaves without a reply', async () => {
    rig.upstream.handler = (request) => request.socket.destroy();
    expect(await ask((await connect()).socket, 'api.openai.com')).not.toContain('HTTP');
    expect(await rig.waitForRecords(1)).toMatchObject([{ status: 0, outcome: 'upstream_error' }]);
  });

  it('has its client reset when the provider resets', async () => {
    rig.upstream.handler = (request) => {
      const { _parent } = request.socket as unknown as { _parent?: Socket };
      (_parent ?? request.socket).resetAndDestroy();
    };
    expect(await ask((await connect()).socket, 'api.openai.com')).toBe('read ECONNRESET');
  });

  it('is refused with 400 when what it says cannot be read', async () => {
    for (const headers of [
      { [tlsHeader]: 'no json' },
      { [tlsHeader]: writeHeaderValue({ ca: 'one text' }) },
      { [tlsHeader]: writeHeaderValue({ rejectUnauthorized: 'no' }) },
      { [requestHeader]: writeHeaderValue([1]) },
    ]) {
      const asked = { [clientHeader]: clientInProcess, ...headers };
      expect((await openTunnel(rig.session.port, 'api.openai.com:443', asked)).status).toBe(400);
    }
  });

  it('that has no password for a session that asks for one gets nothing opened', async () => {
    const open = await rig.openSession({ credentials: true });
    expect((await connect({ port: open.port })).status).toBe(407);
    expect(rig.upstream.connections).toBe(0);
  });
});

describe('an upgrade asked in this process', () => {
  it('whose provider cannot be reached any more is cut, as it would be without us', async () => {
    const { authority } = await openProvider(makeTestCertificate('localhost'));
    const { socket } = await connect({ authority, tls: { rejectUnauthorized: false } });
    const secure = tls.connect({ socket, servername: 'localhost', ca: rig.ca });
    await once(secure, 'secureConnect');
    // The provider goes, and with it the connection that was opened for this one.
    const [server] = servers.splice(0);
    server?.closeAllConnections();
    await new Promise((done) => server?.close(done));
    let text = '';
    secure
      .on('error', () => undefined)
      .setEncoding('utf8')
      .on('data', (piece: string) => (text += piece));
    secure.write(`GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    await once(secure, 'close');
    expect(text).toBe('');
  });
});

describe('TLS options of a caller in this process', () => {
  it('let a provider that demands a certificate have the caller’s', async () => {
    const server = makeTestCertificate('localhost');
    const client = makeTestCertificate('client.test');
    const expected = new X509Certificate(client.cert).fingerprint256;
    // The test's certificates are for servers, so it is this handler, and not OpenSSL, that looks whose it is.
    const { authority } = await openProvider({ ...server, requestCert: true, rejectUnauthorized: false }, (request) => {
      return (request.socket as TLSSocket).getPeerCertificate().fingerprint256 === expected;
    });
    const own = { ca: [server.ca], cert: [client.cert], key: [client.key] };
    expect(await ask((await connect({ authority, tls: own })).socket, 'localhost')).toContain(reply);
    expect(await ask((await connect({ authority, tls: { ca: [server.ca] } })).socket, 'localhost')).not.toContain(
      'HTTP',
    );
    expect(await ask((await connect({ authority, tls: own })).socket, 'localhost')).toContain(reply);
  });

  it('say whom to trust, for their own connections alone', async () => {
    const { key, cert, ca } = makeTestCertificate('localhost');
    const { authority, connections } = await openProvider({ key, cert });
    const told = async (own?: InProcessTls) => {
      const { status, replyHead, socket } = await connect({ authority, ...(own && { tls: own }) });
      socket.destroy();
      return status === 200 ? 200 : (readTold(replyHead) as { code: string }).code;
    };
    expect(await told()).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(await told({ rejectUnauthorized: false })).toBe(200);
    expect(await told({ ca: [ca] })).toBe(200);
    expect(await told({ ca: [makeTestCertificate('localhost').ca] })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(await told()).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(connections()).toBeGreaterThanOrEqual(2);
  });

  it('that OpenSSL refuses are refused in its words', async () => {
    const { status, replyHead } = await connect({ tls: { key: ['no key'], cert: ['no certificate'] } });
    expect(status).toBe(502);
    expect(readTold(replyHead)).toMatchObject({ code: expect.stringMatching(/^ERR_OSSL|^ERR_CRYPTO/) });
  });

  it('are in no file afterwards', async () => {
    const client = makeTestCertificate('client.test');
    const canary = 'passphrase-canary-4711';
    await connect({
      request: { method: 'POST', path },
      tls: { key: [client.key], cert: ['no certificate'], passphrase: canary },
    });
    await rig.host.close();
    const secret = client.key.split('\n')[1] ?? '';
    const files = readdirSync(rig.home, { recursive: true, encoding: 'utf8' }).map((name) => join(rig.home, name));
    const texts = files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, 'latin1'));
    expect(texts.length).toBeGreaterThan(2);
    expect(texts.filter((text) => text.includes(canary) || text.includes(secret))).toEqual([]);
  });
});
