import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { openSecure, readHead } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { dial, openTcpServer, readAll } from '../fixtures/tcp.js';
import { openUpstream } from '../fixtures/upstream.js';
import { type WatchedSession, watchSession } from '../fixtures/watch-session.js';

let rig: Rig;
let session: WatchedSession;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => {
  await rig.close();
});
beforeEach(async () => {
  session = await watchSession(rig.host);
});
afterEach(async () => {
  await session.session.close();
});

const url = 'wss://api.openai.com/v1/realtime?model=gpt-realtime';

async function openSocket(protocols: string[] = []): Promise<WebSocket> {
  const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
  const options = { createConnection: () => secure, headers: { Authorization: 'Bearer sk-test-1' } };
  return new WebSocket(url, protocols, options as never);
}

const opened = async (socket: WebSocket): Promise<void> =>
  await new Promise((resolve, reject) => socket.once('open', () => resolve()).once('error', reject));

/** What the client is answered: the status of a refusal, or the error of a cut. */
const refusal = async (socket: WebSocket): Promise<{ status: number; headers: unknown; body: string }> =>
  await new Promise((resolve, reject) => {
    socket.once('error', reject).once('open', () => reject(new Error('opened')));
    socket.once('unexpected-response', (request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        request.destroy();
      });
    });
  });

describe('a websocket to a provider', () => {
  it('negotiates with the provider itself: subprotocol, compression and headers are the provider’s', async () => {
    const server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: { threshold: 0 },
      handleProtocols: () => 'realtime',
    });
    let asked: { url?: string | undefined; authorization?: string | undefined; extensions?: string | undefined } = {};
    rig.upstream.onUpgrade = (request, socket, head) => {
      asked = {
        url: request.url,
        authorization: request.headers.authorization,
        extensions: request.headers['sec-websocket-extensions'],
      };
      server.handleUpgrade(request, socket, head, (ws) =>
        ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })),
      );
    };
    const socket = await openSocket(['realtime', 'openai-insecure-api-key.sk-test-2']);
    await opened(socket);
    expect(asked).toEqual({
      url: '/v1/realtime?model=gpt-realtime',
      authorization: 'Bearer sk-test-1',
      extensions: 'permessage-deflate; client_max_window_bits',
    });
    expect([socket.protocol, socket.extensions]).toEqual(['realtime', 'permessage-deflate']);
    for (const text of ['hello', 'x'.repeat(300_000)]) {
      socket.send(text);
      const [data] = await new Promise<[Buffer, boolean]>((resolve) =>
        socket.once('message', (bytes: Buffer, isBinary) => resolve([bytes, isBinary])),
      );
      expect(data.toString()).toBe(text);
    }
    const pong = new Promise((resolve) => socket.once('pong', resolve));
    socket.ping('p');
    expect(String(await pong)).toBe('p');
    const closed = new Promise((resolve) => socket.once('close', (code, reason) => resolve([code, reason.toString()])));
    for (const client of server.clients) client.close(4001, 'enough');
    expect(await closed).toEqual([4001, 'enough']);
    expect(session.session.counts()).toMatchObject({ upgrades: 1, calls: 0, passedRequests: 0 });
    expect(session.records).toEqual([]);
  });

  it('without compression at the provider has none at the client', async () => {
    const server = new WebSocketServer({ noServer: true });
    rig.upstream.onUpgrade = (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (ws) => ws.send('first'));
    const socket = await openSocket();
    const first = new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(data.toString())));
    await opened(socket);
    expect(socket.extensions).toBe('');
    expect(await first).toBe('first');
    socket.terminate();
  });

  it('hears 101 only after the provider said so', async () => {
    let answer: () => void = () => undefined;
    let onAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    const server = new WebSocketServer({ noServer: true });
    rig.upstream.onUpgrade = (request, socket, head) => {
      answer = () => server.handleUpgrade(request, socket, head, () => undefined);
      onAsked();
    };
    const socket = await openSocket();
    let isOpen = false;
    const opening = opened(socket).then(() => {
      isOpen = true;
    });
    await asked;
    expect(isOpen).toBe(false);
    answer();
    await opening;
    socket.terminate();
  });

  it.each([401, 404, 426])('that the provider refuses with %i gets that answer at once, as it came', async (status) => {
    rig.upstream.onUpgrade = (_request, socket) =>
      void socket.write(
        `HTTP/1.1 ${status} No\r\nX-Request-Id: req_1\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"error":"nope"}`,
      );
    const reply = await refusal(await openSocket());
    expect(reply).toMatchObject({ status, headers: { 'x-request-id': 'req_1' }, body: '{"error":"nope"}' });
  });

  it('refused over a connection kept open leaves it usable: the next request is a call like any other', async () => {
    rig.upstream.onUpgrade = (_request, socket) =>
      void socket.write('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno');
    rig.upstream.handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write(
      'GET /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    expect(await readHead(secure)).toMatch(/^HTTP\/1\.1 426 /);
    await new Promise<void>((resolve) => {
      secure.once('data', () => resolve());
      secure.resume();
    });
    secure.write(
      `POST /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nContent-Type: application/json\r\nContent-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`,
    );
    expect(await readHead(secure)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await session.waitForRecords(1)).toMatchObject([{ api: 'responses', outcome: 'ok' }]);
    secure.destroy();
  });

  it('whose provider cannot be reached is a 502, and nothing hangs', async () => {
    const refusing = await openRig({ connectTo: [':443:127.0.0.1:1'] });
    const secure = await openSecure(refusing.session.port, 'api.openai.com', { ca: refusing.ca });
    const reply = await refusal(new WebSocket(url, { createConnection: () => secure } as never));
    expect(reply.status).toBe(502);
    expect(JSON.parse(reply.body)).toMatchObject({ error: { code: 'UPSTREAM_UNREACHABLE' } });
    await refusing.close();
  });

  it('cut by the provider is cut for the client, before and after its 101', async () => {
    rig.upstream.onUpgrade = (_request, socket) => void socket.destroy();
    await expect(opened(await openSocket())).rejects.toThrow(/hang up|reset|closed/i);
    const server = new WebSocketServer({ noServer: true });
    rig.upstream.onUpgrade = (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (ws) => ws.once('message', () => ws.terminate()));
    const socket = await openSocket();
    await opened(socket);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send('x');
    expect(await closed).toBe(1006);
  });

  it('whose client goes away is closed at the provider', async () => {
    const server = new WebSocketServer({ noServer: true });
    const gone = new Promise((resolve) => {
      rig.upstream.onUpgrade = (request, socket, head) =>
        server.handleUpgrade(request, socket, head, (ws) => ws.once('close', resolve));
    });
    const socket = await openSocket();
    await opened(socket);
    socket.terminate();
    await gone;
  });

  it('that sends its first frame behind its request does not lose it', async () => {
    let onFrame: (bytes: string) => void = () => undefined;
    const frame = new Promise<string>((resolve) => {
      onFrame = resolve;
    });
    rig.upstream.onUpgrade = (_request, socket: Duplex, head) => {
      if (head.length > 0) onFrame(head.toString());
      else socket.once('data', (chunk: Buffer) => onFrame(chunk.toString()));
    };
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nframe');
    expect(await frame).toBe('frame');
    secure.destroy();
  });
});

describe('an upgrade offer that nobody takes', () => {
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n';

  it('to a registered local model is served as the ordinary request it is, and recorded', async () => {
    const model = await openUpstream({ plain: true });
    model.handler = (request, response) =>
      void request
        .resume()
        .once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply));
    rig.host.registerProvider({ name: 'ollama', baseUrl: `http://127.0.0.1:${model.port}` });
    const client = await dial(session.port);
    const head = (headers: string): string =>
      `POST http://127.0.0.1:${model.port}/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${model.port}\r\nContent-Type: application/json\r\n${headers}\r\n`;
    // The body as curl and Java send it: behind the head, and in two parts.
    client.write(head(`${offer}Content-Length: ${chatRequest.length}\r\n`) + chatRequest.slice(0, 10));
    client.write(chatRequest.slice(10));
    expect(await readHead(client)).toMatch(/^HTTP\/1\.1 200 /);
    await readUntil(client, chatReply);
    client.write(head(`Content-Length: ${chatRequest.length}\r\n`) + chatRequest);
    expect(await readHead(client)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await session.waitForRecords(2)).toMatchObject([
      { provider: 'ollama', outcome: 'ok', requestedModel: 'gpt-4o' },
      { provider: 'ollama', outcome: 'ok' },
    ]);
    expect(model.seen.map((seen) => seen.body.toString())).toEqual([chatRequest, chatRequest]);
    expect(model.seen[0]?.rawHeaders.map((name) => name.toLowerCase())).not.toContain('http2-settings');
    expect(session.session.counts().upgrades).toBe(0);
    client.destroy();
    await model.close();
  });

  it('inside a tunnel is served likewise', async () => {
    rig.upstream.handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\n${offer}Content-Type: application/json\r\nContent-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`,
    );
    expect(await readHead(secure)).toMatch(/^HTTP\/1\.1 200 /);
    await session.waitForRecords(1);
    secure.destroy();
  });
});

describe('a websocket by an absolute URL on the proxy port', () => {
  it('reaches its server', async () => {
    const server = await openTcpServer(
      (far) =>
        void far.once('data', (bytes) =>
          far.end(
            `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n${String(bytes)}`,
          ),
        ),
    );
    const client = await dial(session.port);
    client.write(
      `GET http://127.0.0.1:${server.port}/ws?a=1 HTTP/1.1\r\nHost: here\r\nX-A: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nProxy-Connection: keep-alive\r\n\r\n`,
    );
    const text = (await readAll(client)).toString();
    expect(text).toMatch(/^HTTP\/1\.1 101 /);
    expect(text).toContain(
      'GET /ws?a=1 HTTP/1.1\r\nHost: here\r\nX-A: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await server.close();
  });
});

/** Reads until `text` has come. */
async function readUntil(socket: Socket, text: string): Promise<void> {
  let got = '';
  await new Promise<void>((resolve) => {
    const onData = (chunk: Buffer): void => {
      got += chunk.toString();
      if (!got.includes(text)) return;
      socket.off('data', onData);
      socket.pause();
      resolve();
    };
    socket.on('data', onData).resume();
  });
}

describe('a WebSocket in a session whose calls the cache alone may answer', () => {
  it('is refused, for none is kept', async () => {
    const sealed = await rig.openSession({ cache: { mode: 'only' } });
    const connections = rig.upstream.connections;
    const secure = await openSecure(sealed.port, 'api.openai.com', { ca: rig.ca });
    const socket = new WebSocket(url, [], { createConnection: () => secure } as never);
    expect((await refusal(socket)).status).toBe(412);
    expect(rig.upstream.connections).toBe(connections);
    await sealed.close();
  });
});
