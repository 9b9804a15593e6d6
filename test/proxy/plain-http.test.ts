import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readHead } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { dial, openTcpServer, readAll, readBytes } from '../fixtures/tcp.js';
import { openUpstream, type TestUpstream } from '../fixtures/upstream.js';
import { type WatchedSession, watchSession } from '../fixtures/watch-session.js';

let rig: Rig;
let model: TestUpstream;
let session: WatchedSession;
beforeAll(async () => {
  rig = await openRig();
  model = await openUpstream({ plain: true });
  rig.host.registerProvider({ name: 'ollama', baseUrl: `http://127.0.0.1:${model.port}` });
});
afterAll(async () => {
  await rig.close();
  await model.close();
});
beforeEach(async () => {
  model.seen.length = 0;
  model.handler = (request, response) =>
    void request
      .resume()
      .once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply));
  session = await watchSession(rig.host);
});
afterEach(async () => {
  await session.session.close();
});

async function post(url: string, headers = 'Host: whatever.example\r\n'): Promise<string> {
  const client = await dial(session.port);
  client.write(
    `POST ${url} HTTP/1.1\r\n${headers}Content-Type: application/json\r\nContent-Length: ${chatRequest.length}\r\nConnection: close\r\n\r\n${chatRequest}`,
  );
  return (await readAll(client)).toString();
}

describe('an absolute request on the proxy port', () => {
  it('to a registered local model is recorded under its name, streaming included', async () => {
    const text = await post(`http://127.0.0.1:${model.port}/v1/chat/completions?a=1`);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toContain(chatReply);
    expect(model.seen).toMatchObject([{ method: 'POST', url: '/v1/chat/completions?a=1' }]);
    expect(await session.waitForRecords(1)).toMatchObject([
      {
        provider: 'ollama',
        api: 'chat.completions',
        url: `http://127.0.0.1:${model.port}/v1/chat/completions?a=1`,
        outcome: 'ok',
        requestedModel: 'gpt-4o',
        usage: { inputTokens: 10 },
      },
    ]);
    expect(session.session.counts()).toMatchObject({ calls: 1, passedRequests: 0, tunnels: 0 });
  });

  it('to anybody else is relayed unrecorded', async () => {
    const other = await openUpstream({ plain: true });
    expect(await post(`http://localhost:${other.port}/v1/chat/completions`)).toMatch(/^HTTP\/1\.1 200 [\s\S]*ok/);
    expect(session.session.counts()).toMatchObject({ calls: 0, passedRequests: 1 });
    expect(session.records).toEqual([]);
    await other.close();
  });

  it('goes over IPv6 to an address in brackets', async () => {
    const server = await openTcpServer(
      (far) =>
        void far.once('data', (bytes) =>
          far.end(`HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n${bytes.toString().slice(0, 14)}`),
        ),
      '::1',
    );
    expect(await post(`http://[::1]:${server.port}/v1/x`)).toContain('POST /v1/x HTT');
    await server.close();
  });

  it('on one connection may be followed by one to another host, each going where it says', async () => {
    const other = await openUpstream({ plain: true });
    const client = await dial(session.port);
    for (const [port, body] of [
      [model.port, chatReply],
      [other.port, 'ok'],
      [model.port, chatReply],
    ] as const) {
      client.write(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(await readHead(client)).toMatch(/^HTTP\/1\.1 200 /);
      expect((await readBytes(client, body.length)).toString()).toContain(body.slice(0, 2));
    }
    client.destroy();
    expect([model.seen.length, other.seen.length]).toEqual([2, 1]);
    await other.close();
  });

  it('reaches the model with the client’s headers, without those meant for the proxy', async () => {
    await post(
      `http://127.0.0.1:${model.port}/api/tags`,
      'Host: h\r\nX-Custom: 1\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nTE: trailers\r\nKeep-Alive: 5\r\n',
    );
    const names = model.seen[0]?.rawHeaders.filter((_value, i) => i % 2 === 0).map((name) => name.toLowerCase()) ?? [];
    expect(names).toContain('x-custom');
    for (const name of ['proxy-connection', 'proxy-authorization', 'keep-alive']) expect(names).not.toContain(name);
  });

  it('to https is served, over verified TLS', async () => {
    rig.upstream.handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    expect(await post('https://api.openai.com/v1/chat/completions')).toContain(chatReply);
    expect(await session.waitForRecords(1)).toMatchObject([{ provider: 'openai', outcome: 'ok' }]);
  });

  it('to a port where nobody listens is a 502', async () => {
    const gone = await openTcpServer();
    await gone.close();
    expect(await post(`http://127.0.0.1:${gone.port}/x`)).toMatch(/^HTTP\/1\.1 502 /);
  });

  it.each(['http://', 'http://:80/', 'ftp://x/', '/x', 'http://h:99999/'])('to %j is a 400', async (url) => {
    expect(await post(url)).toMatch(/^HTTP\/1\.1 400 /);
  });
});
