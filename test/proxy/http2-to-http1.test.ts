import http2, { type ClientHttp2Session } from 'node:http2';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askHttp2, chatPath, openHttp2, readHttp2Reply } from '../fixtures/http2-client.js';
import { openTunnel } from '../fixtures/proxy-client.js';
import { chatFrames, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

/** The rig's provider speaks HTTP/1.1 alone, and offers nothing by ALPN. */
let rig: Rig;
let client: ClientHttp2Session;
beforeEach(async () => {
  rig = await openRig();
  client = await openHttp2({ port: rig.session.port, ca: rig.ca });
});
afterEach(async () => {
  client.destroy();
  await rig.close();
});

describe('a client of HTTP/2 whose provider speaks HTTP/1.1', () => {
  it('is answered, with the headers of the connection left out and those sent twice kept', async () => {
    rig.upstream.handler = (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, [
          ...['Content-Type', 'application/json', 'X-Twice', '1', 'Connection', 'keep-alive, X-Hop', 'X-Hop', 'gone'],
          ...['Keep-Alive', 'timeout=5', 'X-Twice', '2', 'ETag', '"a"', 'ETag', '"a"'],
        ]);
        response.end(chatReply);
      });
    };
    const reply = await askHttp2(client, { cookie: ['a=1', 'b=2'] }, chatRequest);
    expect(reply.body.toString()).toBe(chatReply);
    expect(reply.rawHeaders.filter((_value, i) => i % 2 === 0 && reply.rawHeaders[i] !== 'date')).toEqual([
      ...[':status', 'content-type', 'x-twice', 'x-twice', 'etag', 'etag'],
    ]);
    // As node:http2 names it; the connection to the provider is kept alive, whatever the client's is.
    expect(rig.upstream.seen[0]?.rawHeaders.slice(0, 8)).toEqual([
      ...['host', 'api.openai.com:443', 'connection', 'keep-alive', 'content-type', 'application/json'],
      ...['cookie', 'a=1; b=2'],
    ]);
    expect(await rig.waitForRecords(1)).toMatchObject([{ protocol: 'h2', outcome: 'ok', usage: { outputTokens: 5 } }]);
  });

  it('gets a stream as it comes, and its trailers', async () => {
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', trailer: 'x-sum' });
      for (const frame of chatFrames) response.write(frame);
      response.addTrailers({ 'x-sum': 'abc' });
      response.end();
    };
    const reply = await askHttp2(client, {}, chatStreamRequest);
    expect([reply.body.toString(), reply.trailers?.['x-sum']]).toEqual([chatFrames.join(''), 'abc']);
  });

  it('is asked at once by a hundred streams, over connections of HTTP/1.1', async () => {
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    };
    const replies = await Promise.all(Array.from({ length: 100 }, async () => await askHttp2(client, {}, chatRequest)));
    expect(replies.every((reply) => reply.body.toString() === chatReply)).toBe(true);
    expect(await rig.waitForRecords(100)).toHaveLength(100);
  });

  it('uploads without a length in chunks', async () => {
    const stream = client.request({ ...chatPath, ':path': '/v1/embeddings' });
    stream.write('{"model":"m",');
    const arrived = new Promise<void>((resolve) => {
      rig.upstream.handler = (request, response) => {
        request.once('data', () => resolve());
        request.on('end', () => response.end('{}'));
      };
    });
    const reply = readHttp2Reply(stream);
    await arrived;
    stream.end('"input":"x"}');
    expect((await reply).status).toBe(200);
    expect(rig.upstream.seen[0]?.body.toString()).toBe('{"model":"m","input":"x"}');
    expect(rig.upstream.seen[0]?.rawHeaders.join(' ').toLowerCase()).toContain('transfer-encoding chunked');
  });

  it('is reset in mid-reply where its provider cuts the connection', async () => {
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {}\n\n', () => response.destroy());
    };
    const reply = await askHttp2(client, {}, chatRequest);
    expect([reply.body.toString(), reply.resetCode]).toEqual(['data: {}\n\n', 2]);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'upstream_aborted' }]);
  });

  it('is reset in mid-reply of a known length, too', async () => {
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      response.write('{"half":', () => response.destroy());
    };
    const reply = await askHttp2(client, {}, chatRequest);
    expect([reply.status, reply.resetCode]).toEqual([200, 2]);
  });
});

describe('a session that asks for credentials', () => {
  it('asks them of the tunnel, and nothing of the streams in it', async () => {
    const own = await rig.openSession({ credentials: true });
    expect((await openTunnel(own.port, 'api.openai.com:443')).status).toBe(407);
    const login = { 'Proxy-Authorization': `Basic ${Buffer.from(own.credentials ?? '').toString('base64')}` };
    const { socket } = await openTunnel(own.port, 'api.openai.com:443', login);
    const secure = tls.connect({ socket, servername: 'api.openai.com', ca: rig.ca, ALPNProtocols: ['h2'] });
    const session = http2.connect('https://api.openai.com', { createConnection: () => secure });
    rig.upstream.handler = (_request, response) => response.end(chatReply);
    expect((await askHttp2(session, {}, chatRequest)).status).toBe(200);
    expect(rig.upstream.seen[0]?.rawHeaders.join()).not.toMatch(/proxy-authorization/i);
    session.destroy();
  });
});
