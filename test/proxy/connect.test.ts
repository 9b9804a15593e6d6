import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, openSecure, openTunnel, readHead } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { dial, openTcpServer, readAll, readBytes } from '../fixtures/tcp.js';
import { makeTestCertificate } from '../fixtures/upstream.js';
import { type WatchedSession, watchSession } from '../fixtures/watch-session.js';

let rig: Rig;
let session: WatchedSession;
beforeAll(async () => {
  rig = await openRig();
  rig.upstream.handler = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
});
afterAll(async () => {
  await rig.close();
});
beforeEach(async () => {
  rig.upstream.seen.length = 0;
  session = await watchSession(rig.host);
});
afterEach(async () => {
  await session.session.close();
});

const post = `POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\nContent-Type: application/json\r\nContent-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`;

/** A duplex that hands a client's first bytes on in pieces of `size`, each in a segment of its own. */
function slice(socket: Socket, size: number): Duplex {
  const sliced: Duplex = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      const send = (at: number): void => {
        if (at >= chunk.length) return done();
        socket.write(chunk.subarray(at, at + size), () => setImmediate(send, at + size));
      };
      send(0);
    },
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => void sliced.push(chunk));
  socket.once('end', () => sliced.push(null));
  return sliced;
}

async function postOver(secure: tls.TLSSocket): Promise<string> {
  secure.write(post);
  const head = await readHead(secure);
  secure.destroy();
  return head;
}

describe('a host that is nobody’s provider', () => {
  it('is tunnelled blind: the client sees the real certificate, and its bytes are counted', async () => {
    await expect(openSecure(session.port, 'example.org', { ca: rig.ca })).rejects.toThrow(/certificate|issuer/);
    const reply = await ask({
      port: session.port,
      ca: readFileSync(rig.upstream.caPath, 'utf8'),
      host: 'example.org',
      body: chatRequest,
    });
    expect(reply.body.toString()).toBe(chatReply);
    const counts = await session.close();
    expect(counts).toMatchObject({ tunnels: 2, calls: 0, passedRequests: 0, faults: 0 });
    expect(counts.tunnelBytes).toBeGreaterThan(chatReply.length + chatRequest.length);
    expect(session.records).toEqual([]);
  });

  it('has every byte of a tunnel counted that is still open when the session ends', async () => {
    const server = await openTcpServer((far) => far.pipe(far));
    const { socket } = await openTunnel(session.port, `127.0.0.1:${server.port}`);
    socket.write('x'.repeat(1000));
    await readBytes(socket, 1000);
    expect(await session.close()).toMatchObject({ tunnels: 1, tunnelBytes: 2000 });
    await server.close();
  });

  it('may end its half first: the client’s later bytes still arrive', async () => {
    const server = await openTcpServer();
    const accepted = server.accept();
    const client = await dial(session.port);
    client.write(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await readHead(client);
    const far = await accepted;
    far.end('bye');
    expect((await readAll(client)).toString()).toBe('bye');
    client.end('late');
    expect((await readAll(far)).toString()).toBe('late');
    await server.close();
  });

  it('gets all of it when the client ends its half first', async () => {
    const server = await openTcpServer((far) => void readAll(far).then((bytes) => far.end(`got ${bytes.length}`)));
    const client = await dial(session.port);
    client.write(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await readHead(client);
    client.end(Buffer.alloc(3_000_000));
    expect((await readAll(client)).toString()).toBe('got 3000000');
    await server.close();
  });

  it('gets what the client sent right behind its CONNECT', async () => {
    const server = await openTcpServer((far) => far.pipe(far));
    const client = await dial(session.port);
    client.write(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: x\r\n\r\nearly`);
    await readHead(client);
    expect((await readBytes(client, 5)).toString()).toBe('early');
    client.destroy();
    await server.close();
  });

  it('that cannot be reached is a 502', async () => {
    const server = await openTcpServer();
    await server.close();
    expect((await openTunnel(session.port, `127.0.0.1:${server.port}`)).status).toBe(502);
  });

  it('is cut for the client when it is cut', async () => {
    const server = await openTcpServer((far) => void far.once('data', () => far.resetAndDestroy()));
    const { socket } = await openTunnel(session.port, `127.0.0.1:${server.port}`);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined).resume();
    socket.write('x');
    await closed;
    await server.close();
  });
});

describe('the answer to CONNECT', () => {
  it.each(['api.openai.com:443', 'example.org:443'])('for %s comes whole, in one write', async (authority) => {
    const client = await dial(session.port);
    client.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    const first = await new Promise<Buffer>((resolve) => client.once('data', resolve));
    expect(first.toString()).toBe('HTTP/1.1 200 Connection Established\r\n\r\n');
    client.destroy();
  });

  it('to a client that drops it before its ClientHello is no error', async () => {
    for (const end of ['destroy', 'end', 'resetAndDestroy'] as const) {
      const { socket, status } = await openTunnel(session.port, 'api.openai.com:443');
      expect(status).toBe(200);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => undefined).resume();
      socket[end]();
      await closed;
    }
    const half = await openTunnel(session.port, 'api.openai.com:443');
    half.socket.write(Buffer.from([22, 3, 1, 2, 0, 1]));
    half.socket.destroy();
    expect(await session.close()).toMatchObject({ faults: 0, calls: 0 });
    expect(session.faults).toEqual([]);
  });

  it.each(['api.openai.com:https', 'api.openai.com:0', 'a b:443', '::1:443', 'user@api.openai.com:443'])(
    'for %j is a 400',
    async (authority) => {
      const client = await dial(session.port);
      client.write(`CONNECT ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect((await readAll(client)).toString()).toMatch(/^HTTP\/1\.1 400 /);
    },
  );

  it('inside a tunnel is a 405', async () => {
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write('CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com\r\n\r\n');
    expect((await readAll(secure)).toString()).toMatch(/^HTTP\/1\.1 405 /);
  });
});

describe('a ClientHello', () => {
  it.each([1, 7, 200])('in segments of %i bytes is waited for', async (size) => {
    const { socket } = await openTunnel(session.port, 'api.openai.com:443');
    const secure = tls.connect({ socket: slice(socket, size) as Socket, servername: 'api.openai.com', ca: rig.ca });
    await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
    expect(await postOver(secure)).toMatch(/^HTTP\/1\.1 200 /);
    await session.waitForRecords(1);
  });

  it('sent without waiting for the 200 is taken', async () => {
    const client = await dial(session.port);
    client.write('CONNECT api.openai.com:443 HTTP/1.1\r\nHost: x\r\n\r\n');
    // Written into the same connection before anything was read from it.
    const secure = tls.connect({ socket: skipHead(client), servername: 'api.openai.com', ca: rig.ca });
    await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
    expect(await postOver(secure)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([
    ['no protocol at all', undefined, false],
    ['http/1.1 before h2', ['http/1.1', 'h2'], 'http/1.1'],
    ['http/1.1 and what is not known', ['spdy/3.1', 'http/1.1'], 'http/1.1'],
    ['http/1.1', ['http/1.1'], 'http/1.1'],
  ] as const)('offering %s is served over HTTP/1.1', async (_what, offered, chosen) => {
    const secure = await openSecure(session.port, 'api.openai.com', {
      ca: rig.ca,
      ...(offered && { ALPNProtocols: [...offered] }),
    });
    expect(secure.alpnProtocol).toBe(chosen);
    expect(await postOver(secure)).toMatch(/^HTTP\/1\.1 200 /);
    await session.waitForRecords(1);
  });

  it('with a name that no host can have is served as the CONNECT’s own', async () => {
    for (const servername of ['a\u001b[31mb', '../../etc/passwd', 'a'.repeat(300), '-', 'a b', '*.openai.com']) {
      const secure = await openSecure(session.port, 'api.openai.com', {
        ca: rig.ca,
        servername,
        checkServerIdentity: (_name, cert) => tls.checkServerIdentity('api.openai.com', cert),
      });
      expect(await postOver(secure)).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(new Set(rig.upstream.seen.map((seen) => seen.servername))).toEqual(new Set(['api.openai.com']));
    expect(session.faults).toEqual([]);
  });

  it('that is no hello but begins like one ends in an alert, not in a hang', async () => {
    const { socket } = await openTunnel(session.port, 'api.openai.com:443');
    socket.write(Buffer.concat([Buffer.from([22, 3, 1, 0, 100, 1, 0, 0, 96]), Buffer.alloc(96, 7)]));
    await readAll(socket);
    expect(session.faults).toEqual([]);
  });
});

/** A socket whose first HTTP head is not shown. */
function skipHead(client: Socket): Socket {
  const duplex: Duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void client.write(chunk, () => done()),
    destroy: (_error, done) => {
      client.destroy();
      done(null);
    },
  });
  let head = Buffer.alloc(0);
  let skipped = false;
  client.on('data', (chunk: Buffer) => {
    if (skipped) return void duplex.push(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    skipped = true;
    if (head.length > end + 4) duplex.push(head.subarray(end + 4));
  });
  return duplex as Socket;
}

describe('a client that speaks what is not served', () => {
  it('by ALPN is tunnelled blind and reaches its server, with one fault a host', async () => {
    const { key, cert, ca } = makeTestCertificate('api.openai.com');
    const server = tls.createServer({ key, cert, ALPNProtocols: ['spdy/3.1'] }, (far) => far.end('spoken'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const own = await openRig({ connectTo: [`:443:127.0.0.1:${(server.address() as AddressInfo).port}`] });
    try {
      for (let i = 0; i < 2; i += 1) {
        const { socket } = await openTunnel(own.session.port, 'api.openai.com:443');
        const secure = tls.connect({ socket, servername: 'api.openai.com', ca, ALPNProtocols: ['spdy/3.1'] });
        expect((await readAll(secure)).toString()).toBe('spoken');
      }
      expect(own.faults).toMatchObject([
        { code: 'PROTOCOL_UNREAD', message: expect.stringContaining('neither HTTP/2 nor HTTP/1.1 to api.openai.com') },
      ]);
      expect(own.session.counts()).toMatchObject({ tunnels: 2, faults: 1, calls: 0 });
    } finally {
      await own.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });

  it('HTTP/2 without TLS, is tunnelled blind, and that is said', async () => {
    const server = http2.createServer((_request, response) => response.end('over h2c'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    rig.host.registerProvider({ name: 'plain', baseUrl: `http://localhost:${port}` });
    const { socket } = await openTunnel(session.port, `localhost:${port}`);
    const client = http2.connect(`http://localhost:${port}`, { createConnection: () => socket });
    const stream = client.request({ ':path': '/v1/chat/completions' }).setEncoding('utf8');
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect(text).toBe('over h2c');
    expect(await session.waitForFaults(1)).toMatchObject([
      { code: 'PROTOCOL_UNREAD', message: expect.stringContaining('HTTP/2 without TLS to localhost') },
    ]);
    await new Promise<void>((resolve) => client.close(resolve));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});

describe('CONNECT by address', () => {
  it('with a provider’s server name is terminated, named by it, and goes to the address', async () => {
    const aimed = await openRig({
      connectTo: [`127.0.0.9:443:127.0.0.1:${rig.upstream.port}`],
      upstreamCa: rig.upstream.caPath,
    });
    try {
      const secure = await openSecure(aimed.session.port, 'api.openai.com', {
        ca: aimed.ca,
        connectAs: '127.0.0.9:443',
      });
      expect(secure.getPeerCertificate().subjectaltname).toContain('api.openai.com');
      expect(await postOver(secure)).toMatch(/^HTTP\/1\.1 200 /);
      expect(await aimed.waitForRecords(1)).toMatchObject([{ provider: 'openai', outcome: 'ok' }]);
      expect(rig.upstream.seen[0]?.servername).toBe('api.openai.com');
    } finally {
      await aimed.close();
    }
  });

  it.each([undefined, 'example.org'])('with the server name %s is tunnelled', async (servername) => {
    const { socket } = await openTunnel(session.port, '127.0.0.9:443');
    const secure = tls.connect({ socket, ...(servername && { servername }), rejectUnauthorized: false });
    await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
    expect(await postOver(secure)).toMatch(/^HTTP\/1\.1 200 /);
    expect(session.session.counts()).toMatchObject({ tunnels: 1, calls: 0 });
  });

  it('of IPv6 is tunnelled, and terminated where it is a registered provider', async () => {
    const server = await openTcpServer((far) => far.pipe(far), '::1');
    const { socket, status } = await openTunnel(session.port, `[::1]:${server.port}`);
    expect(status).toBe(200);
    socket.write('six');
    expect((await readBytes(socket, 3)).toString()).toBe('six');
    socket.destroy();
    await server.close();

    const { key, cert, ca } = makeTestCertificate('::1');
    const upstream = tls.createServer({ key, cert }, (far) => {
      far.once('data', () =>
        far.end(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${chatReply.length}\r\n\r\n${chatReply}`,
        ),
      );
    });
    await new Promise<void>((resolve) => upstream.listen(0, '::1', resolve));
    const { port } = upstream.address() as AddressInfo;
    const folder = mkdtempSync(join(tmpdir(), 'llmtap-six-'));
    writeFileSync(join(folder, 'ca.pem'), ca);
    const six = await openRig({
      connectTo: [],
      upstreamCa: join(folder, 'ca.pem'),
      providers: [{ name: 'six', baseUrl: `https://[::1]:${port}` }],
    });
    try {
      const tunnel = await openTunnel(six.session.port, `[::1]:${port}`);
      const secure = tls.connect({ socket: tunnel.socket, host: '::1', ca: six.ca });
      await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
      expect(await postOver(secure)).toMatch(/^HTTP\/1\.1 200 /);
      expect(await six.waitForRecords(1)).toMatchObject([
        { provider: 'six', url: `https://[::1]:${port}/v1/chat/completions` },
      ]);
    } finally {
      await six.close();
      upstream.close();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('plain HTTP inside CONNECT', () => {
  it('to a registered local model is recorded, to anybody else tunnelled', async () => {
    const server = await openTcpServer((far) => {
      far.once('data', () =>
        far.end(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${chatReply.length}\r\n\r\n${chatReply}`,
        ),
      );
    });
    for (const registered of [false, true]) {
      if (registered) rig.host.registerProvider({ name: 'local', baseUrl: `http://127.0.0.1:${server.port}` });
      const { socket } = await openTunnel(session.port, `127.0.0.1:${server.port}`);
      socket.write(post);
      expect((await readBytes(socket, chatReply.length)).toString()).toMatch(/^HTTP\/1\.1 200 OK/);
      socket.destroy();
    }
    expect(await session.waitForRecords(1)).toMatchObject([
      { provider: 'local', url: `http://127.0.0.1:${server.port}/v1/chat/completions` },
    ]);
    expect(session.session.counts()).toMatchObject({ tunnels: 1, calls: 1 });
    await server.close();
  });
});

describe('bytes that are no proxy request', () => {
  it('are a 400', async () => {
    const client = await dial(session.port);
    client.write('\u0000\u0001garbage\r\n\r\n');
    expect((await readAll(client)).toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('of 300 KB of header are a 431, which reaches a client that is still sending', async () => {
    const client = await dial(session.port);
    const head = `GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\nX-Big: ${'b'.repeat(300_000)}\r\n\r\n`;
    client.write(head);
    expect((await readAll(client)).toString()).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('behind a request whose reply is under way cut the reply, and write nothing into it', async () => {
    let finish: () => void = () => undefined;
    const own = await openRig();
    own.upstream.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 20 });
      response.write('0123456789');
      finish = () => response.end('0123456789');
    };
    const secure = await openSecure(own.session.port, 'api.openai.com', { ca: own.ca });
    secure.write('GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n');
    await readHead(secure);
    const rest = readAll(secure);
    secure.write('garbage\r\n\r\n');
    expect((await rest).toString()).toMatch(/^\d{0,10}$/);
    finish();
    await own.close();
  });
});

describe('credentials', () => {
  let guarded: WatchedSession;
  let authorization: string;
  beforeEach(async () => {
    guarded = await watchSession(rig.host, { credentials: true });
    const url = new URL(guarded.session.proxyUrl);
    authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
  });
  afterEach(async () => {
    await guarded.session.close();
  });
  const connect = (login = ''): string => `CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com\r\n${login}\r\n`;

  it('are asked for by a 407 that keeps the connection, on which the second try succeeds', async () => {
    const client = await dial(guarded.port);
    for (let i = 0; i < 30; i += 1) {
      client.write(connect(i % 2 === 0 ? '' : 'Proxy-Authorization: Basic d3Jvbmc6d3Jvbmc=\r\n'));
      const refused = await readHead(client);
      expect(refused).toMatch(/^HTTP\/1\.1 407 /);
      expect(refused).toMatch(/\r\nProxy-Authenticate: Basic realm="llmtap"\r\n/);
      expect(refused).not.toMatch(/connection: close/i);
    }
    client.write(connect(`Proxy-Authorization: ${authorization}\r\n`));
    expect(await readHead(client)).toMatch(/^HTTP\/1\.1 200 /);
    const secure = tls.connect({ socket: client, servername: 'api.openai.com', ca: rig.ca });
    expect(await postOver(secure)).toMatch(/^HTTP\/1\.1 200 /);
    await guarded.waitForRecords(1);
    expect(JSON.stringify(rig.upstream.seen[0]?.rawHeaders)).not.toMatch(/proxy-auth/i);
  });

  it('are asked for absolute requests and upgrades as well, and never reach the destination', async () => {
    const server = await openTcpServer(
      (far) =>
        void far.once('data', (bytes) => far.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${String(bytes)}`)),
    );
    const request = (headers: string): string =>
      `GET http://127.0.0.1:${server.port}/x HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
    const client = await dial(guarded.port);
    client.write(request(''));
    expect(await readHead(client)).toMatch(/^HTTP\/1\.1 407 /);
    client.write(request(`Proxy-Authorization: ${authorization}\r\n`));
    const reply = (await readAll(client)).toString();
    expect(reply).toMatch(/^HTTP\/1\.1 200 /);
    expect(reply).not.toContain(authorization);
    const upgrading = await dial(guarded.port);
    upgrading.write(request('Connection: Upgrade\r\nUpgrade: websocket\r\n'));
    expect((await readAll(upgrading)).toString()).toMatch(/^HTTP\/1\.1 407 /);
    await server.close();
  });
});

it('listens on loopback alone', async () => {
  expect(session.session.proxyUrl).toBe(`http://127.0.0.1:${session.port}`);
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address && !address.internal && address.family === 'IPv4');
  for (const host of [outside?.address, '::1'].filter((address) => address !== undefined)) {
    const socket = net.connect({ host, port: session.port });
    expect(
      await new Promise((resolve) =>
        socket.once('connect', () => resolve('connected')).once('error', () => resolve('refused')),
      ),
    ).toBe('refused');
    socket.destroy();
  }
});
