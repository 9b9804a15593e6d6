import { readdirSync, readFileSync, statSync } from 'node:fs';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  ask,
  openSecure,
  openTunnel,
  readHead,
  readReply,
  startRequest,
  waitForResponse,
} from '../fixtures/proxy-client.js';
import { chatFrames, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { dial } from '../fixtures/tcp.js';
import { type WatchedSession, watchSession } from '../fixtures/watch-session.js';

// One test for each fault that http-mitm-proxy 1.1.0 was measured to have.

let rig: Rig;
let session: WatchedSession;
const printed: string[] = [];
const methods = ['log', 'error', 'warn', 'debug', 'info'] as const;
const original = methods.map((method) => console[method]);
beforeAll(async () => {
  rig = await openRig();
  for (const method of methods) console[method] = (...words: unknown[]) => void printed.push(words.join(' '));
});
afterAll(async () => {
  methods.forEach((method, i) => {
    console[method] = original[i] ?? console.log;
  });
  await rig.close();
});
beforeEach(async () => {
  session = await watchSession(rig.host);
  rig.upstream.seen.length = 0;
});
afterEach(async () => {
  await session.session.close();
});

const json = { 'content-type': 'application/json' };
const stream = { 'content-type': 'text/event-stream' };

/** A promise and what settles it. */
function makeSignal(): { readonly came: Promise<void>; readonly come: () => void } {
  let come: () => void = () => undefined;
  const came = new Promise<void>((resolve) => {
    come = resolve;
  });
  return { came, come: () => come() };
}

it('fault 1: a client that goes away stops the upstream call', async () => {
  const asked = makeSignal();
  const gone = makeSignal();
  rig.upstream.handler = (_request, response) => {
    response.once('close', gone.come);
    response.writeHead(200, stream);
    response.write(chatFrames[0]);
    asked.come();
  };
  const request = await startRequest({ port: session.port, ca: rig.ca });
  request.on('error', () => undefined).end(chatStreamRequest);
  await asked.came;
  request.destroy();
  await gone.came;
  expect(await session.waitForRecords(1)).toMatchObject([{ outcome: 'client_aborted' }]);
});

it('fault 2: a client that does not read holds the provider back, and a provider that does not read the client', async () => {
  const stopped = makeSignal();
  const total = 64 * 1024 * 1024;
  let taken = 0;
  rig.upstream.handler = (request, response) => {
    request.pause();
    const chunk = Buffer.alloc(64 * 1024);
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    while (taken < total && response.write(chunk)) taken += chunk.length;
    stopped.come();
  };
  const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
  secure.write(`POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\nfirst`);
  await stopped.came;
  let sent = 0;
  const chunk = Buffer.alloc(256 * 1024);
  // What one side writes and the other never reads comes to a stand long before it is all.
  await new Promise<void>((resolve) => {
    let idle: NodeJS.Timeout;
    const push = (): void => {
      clearTimeout(idle);
      idle = setTimeout(resolve, 500);
      sent += chunk.length;
      if (sent < total) secure.write(chunk, push);
    };
    push();
  });
  expect(taken).toBeLessThan(total / 2);
  expect(sent).toBeLessThan(total / 2);
  secure.destroy();
});

it('fault 3: a cut upstream is a cut reply, never a finished one with an error’s text in it', async () => {
  rig.upstream.handler = (request, response) => {
    response.writeHead(200, stream);
    response.write(chatFrames[0], () => (request.socket as Socket).destroySoon());
  };
  const reply = await ask({ port: session.port, ca: rig.ca, body: chatStreamRequest });
  expect(reply.complete).toBe(false);
  expect(reply.body.toString()).toBe(chatFrames[0]);
  expect(await session.waitForRecords(1)).toMatchObject([{ outcome: 'upstream_aborted', status: 200 }]);
});

it('fault 4: every piece arrives, once and in order, while it is being read', async () => {
  const pieces = Array.from({ length: 500 }, (_, i) => `data: ${i}\n\n`);
  rig.upstream.handler = (_request, response) => {
    response.writeHead(200, stream);
    for (const piece of pieces) response.write(piece);
    response.end();
  };
  const reply = await ask({ port: session.port, ca: rig.ca, path: '/v1/responses', body: chatStreamRequest });
  expect(reply.body.toString()).toBe(pieces.join(''));
});

it('fault 5: content-length stays where it was, and nothing is forced into chunks', async () => {
  rig.upstream.handler = (_request, response) =>
    response.writeHead(200, { ...json, 'content-length': chatReply.length }).end(chatReply);
  const reply = await ask({ port: session.port, ca: rig.ca, body: chatRequest });
  expect(reply.headers['content-length']).toBe(String(chatReply.length));
  expect(reply.headers['transfer-encoding']).toBeUndefined();
});

it('fault 6: header names keep their case, repeats stay apart, trailers arrive', async () => {
  rig.upstream.handler = (_request, response) => {
    response.writeHead(200, ['X-MiXed', '1', 'x-mixed', '2', 'Trailer', 'X-Sum']);
    response.write('x');
    response.addTrailers({ 'X-Sum': 'abc' });
    response.end();
  };
  const reply = await ask({
    port: session.port,
    ca: rig.ca,
    method: 'GET',
    headers: ['Host', 'h', 'X-OnE', '1', 'x-one', '2'],
  });
  expect(reply.rawHeaders.slice(0, 4)).toEqual(['X-MiXed', '1', 'x-mixed', '2']);
  expect(reply.trailers).toEqual({ 'x-sum': 'abc' });
  expect(rig.upstream.seen[0]?.rawHeaders.join()).toContain('X-OnE,1,x-one,2');
});

it('fault 7: CONNECT is answered in one write', async () => {
  const client = await dial(session.port);
  client.write('CONNECT api.openai.com:443 HTTP/1.1\r\nHost: x\r\n\r\n');
  const first = await new Promise<Buffer>((resolve) => client.once('data', resolve));
  expect(first.toString()).toMatch(/^HTTP\/1\.1 200 [^\r]*\r\n\r\n$/);
  client.destroy();
});

it('fault 8: a websocket hears the provider’s own answer, and its subprotocol reaches the provider', async () => {
  let protocol: string | undefined;
  rig.upstream.onUpgrade = (request, socket) => {
    protocol = request.headers['sec-websocket-protocol'];
    socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
  };
  const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
  const socket = new WebSocket('wss://api.openai.com/v1/realtime', ['realtime'], {
    createConnection: () => secure,
  } as never);
  const status = await new Promise((resolve, reject) => {
    socket.once('unexpected-response', (request, response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    socket.once('open', () => reject(new Error('opened'))).on('error', () => undefined);
  });
  expect([status, protocol]).toEqual([401, 'realtime']);
});

it('fault 9: a client of HTTP/2 is not answered in HTTP/1.1', async () => {
  rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(chatReply);
  const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca, ALPNProtocols: ['h2'] });
  expect(secure.alpnProtocol).toBe('h2');
  const client = http2.connect('https://api.openai.com', { createConnection: () => secure });
  const stream = client.request({ ':method': 'POST', ':path': '/v1/chat/completions' }).setEncoding('utf8');
  stream.end('{}');
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  expect(text).toBe(chatReply);
  await new Promise<void>((resolve) => client.close(resolve));
});

it('fault 10: closing leaves no connection, and nothing was printed by any of this', async () => {
  rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(chatReply);
  const own = await openRig({ connectTo: [`:443:127.0.0.1:${rig.upstream.port}`], upstreamCa: rig.upstream.caPath });
  const before = new Set(rig.upstream.sockets);
  await ask({ port: own.session.port, ca: own.ca, body: chatRequest });
  const ours = [...rig.upstream.sockets].filter((socket) => !before.has(socket));
  expect(ours.length).toBe(1);
  const gone = Promise.all(
    ours.map((socket) => new Promise((resolve) => (socket.destroyed ? resolve(null) : socket.once('close', resolve)))),
  );
  await own.close();
  await gone;
  expect(printed).toEqual([]);
});

it('fault 11: an upstream error is a 502 in words meant for the client, without a stack or a path', async () => {
  const refusing = await openRig({ connectTo: [':443:127.0.0.1:1'] });
  const reply = await ask({ port: refusing.session.port, ca: refusing.ca, body: chatRequest });
  expect(reply.status).toBe(502);
  expect(Object.keys((JSON.parse(reply.body.toString()) as { error: object }).error).sort()).toEqual([
    'code',
    'message',
    'type',
  ]);
  expect(reply.body.toString()).not.toMatch(/ at |node:|\.js|\.ts/);
  await refusing.close();
});

it('fault 12: sessions cost one port each, however many hosts they reach, and a client’s reset is no error', async () => {
  rig.upstream.handler = (_request, response) => response.writeHead(200, json).end('{}');
  const listening = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
  const before = listening();
  for (const host of ['api.openai.com', 'api.anthropic.com', 'api.groq.com', 'api.mistral.ai', 'api.x.ai']) {
    await ask({ port: session.port, ca: rig.ca, host, method: 'GET', path: '/v1/models' });
  }
  expect(listening()).toBeLessThanOrEqual(before);
  const { socket } = await openTunnel(session.port, 'api.openai.com:443');
  socket.on('error', () => undefined).resetAndDestroy();
  const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
  secure.write('POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{');
  secure.on('error', () => undefined);
  secure.destroy();
  await ask({ port: session.port, ca: rig.ca, method: 'GET', path: '/v1/models' });
  expect(session.faults).toEqual([]);
});

it('its certificate files, its CA key for everyone to read, and its paths from host names are not there', async () => {
  const request = await startRequest({ port: session.port, ca: rig.ca, method: 'GET', path: '/v1/models' });
  request.end();
  await readReply(await waitForResponse(request));
  const { socket, status } = await openTunnel(session.port, '../../../../etc/passwd:443');
  expect(status).toBe(400);
  socket.destroy();
  const files = readdirSync(rig.home, { recursive: true, encoding: 'utf8' });
  expect(files.filter((name) => /openai|passwd|private\.key|ca\.private/.test(name))).toEqual([]);
  for (const name of files) {
    const path = join(rig.home, name);
    if (!statSync(path).isFile() || !readFileSync(path, 'latin1').includes('PRIVATE KEY')) continue;
    expect(statSync(path).mode & 0o077).toBe(0);
  }
});

it('the Host header does not say where a request goes', async () => {
  rig.upstream.handler = (_request, response) => response.writeHead(200, json).end('{}');
  const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
  secure.write('GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n');
  expect(await readHead(secure)).toMatch(/^HTTP\/1\.1 200 /);
  expect(rig.upstream.seen[0]?.servername).toBe('api.openai.com');
  secure.destroy();
});
