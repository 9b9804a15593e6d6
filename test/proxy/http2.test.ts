import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askHttp2, chatPath, readHttp2Reply } from '../fixtures/http2-client.js';
import { type Http2Rig, openHttp2Rig } from '../fixtures/http2-rig.js';
import type { Http2TestUpstream } from '../fixtures/http2-upstream.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatFrames, chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import type { Rig } from '../fixtures/rig.js';

let provider: Http2TestUpstream;
let rig: Rig;
let client: ClientHttp2Session;
let close: Http2Rig['close'];

beforeEach(async () => {
  ({ provider, rig, client, close } = await openHttp2Rig());
});
afterEach(async () => await close());

const json = { ':status': 200, 'content-type': 'application/json' };

function collect(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => stream.once('end', () => resolve(Buffer.concat(chunks))));
}

describe('a call over HTTP/2', () => {
  it('is answered by the provider over HTTP/2 and on record as such', async () => {
    let received: Promise<Buffer> | undefined;
    provider.handler = (stream) => {
      received = collect(stream);
      stream.respond({ ...json, 'x-request-id': 'req_1' });
      stream.end(chatReply);
    };
    const reply = await askHttp2(client, {}, chatRequest);
    expect([reply.status, reply.body.toString(), reply.resetCode]).toEqual([200, chatReply, 0]);
    expect((await received)?.toString()).toBe(chatRequest);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      protocol: 'h2',
      outcome: 'ok',
      status: 200,
      model: 'gpt-4o-2024-08-06',
      requestId: 'req_1',
      url: 'https://api.openai.com/v1/chat/completions',
      usage: { inputTokens: 10, outputTokens: 5 },
      requestBytes: chatRequest.length,
      responseBytes: chatReply.length,
      changes: [],
    });
    expect(rig.faults).toEqual([]);
    expect(rig.session.counts()).toMatchObject({ calls: 1, tunnels: 0, faults: 0 });
  });

  it('is asked with the client’s own headers, and no pseudo-header but those of HTTP/2 itself', async () => {
    await askHttp2(
      client,
      {
        ':authority': 'api.openai.com',
        cookie: ['a=1', 'b=2'],
        'x-twice': ['1', '2'],
        te: 'trailers',
        authorization: 'Bearer k',
      },
      chatRequest,
    );
    const [seen] = provider.seen;
    expect(seen?.rawHeaders).toEqual([
      ...[':method', 'POST', ':scheme', 'https', ':authority', 'api.openai.com', ':path', '/v1/chat/completions'],
      ...['content-type', 'application/json', 'cookie', 'a=1; b=2', 'x-twice', '1', 'x-twice', '2'],
      ...['te', 'trailers', 'authorization', 'Bearer k'],
    ]);
  });

  it('gets the reply’s headers as they came, and none of ours', async () => {
    provider.handler = (stream) => {
      stream.respond({ ':status': 201, 'x-b': '2', 'x-a': ['1', '3'], 'set-cookie': ['a=1', 'b=2'] }, {
        sendDate: false,
      } as never);
      stream.end('{}');
    };
    const reply = await askHttp2(client, {}, chatRequest);
    expect(reply.rawHeaders).toEqual([
      ...[':status', '201', 'x-b', '2', 'x-a', '1', 'x-a', '3', 'set-cookie', 'a=1', 'set-cookie', 'b=2'],
    ]);
  });

  it('streams: each piece is with the client before the next is sent, and usage asked for is hidden again', async () => {
    let asked = '';
    provider.handler = (stream) => {
      void collect(stream).then(async (body) => {
        asked = body.toString();
        stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
        for (const frame of chatFramesWithUsage) {
          stream.write(frame);
          if (frame.includes('"Hel"')) await firstPiece;
        }
        stream.end();
      });
    };
    let sawFirst = (): void => undefined;
    const firstPiece = new Promise<void>((resolve) => {
      sawFirst = resolve;
    });
    const stream = client.request(chatPath);
    stream.end(chatStreamRequest);
    stream.on('data', (chunk: Buffer) => (chunk.includes('"Hel"') ? sawFirst() : undefined));
    const reply = await readHttp2Reply(stream);
    expect(reply.body.toString()).toBe(chatFrames.join(''));
    expect(asked).toContain('"stream_options":{"include_usage":true}');
    expect(await rig.waitForRecords(1)).toMatchObject([
      { protocol: 'h2', stream: true, usage: { inputTokens: 10, outputTokens: 5 } },
    ]);
  });

  it('keeps trailers, and a reply that is a head alone ends with it', async () => {
    provider.handler = (stream, headers) => {
      if (headers[':path'] === '/alone') {
        stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
        return;
      }
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-sum': 'abc' }));
      stream.end('body');
    };
    const withTrailers = await askHttp2(client, { ':path': '/with' }, 'x');
    expect(withTrailers.trailers).toMatchObject({ 'grpc-status': '0', 'x-sum': 'abc' });
    expect(withTrailers.body.toString()).toBe('body');
    const alone = await askHttp2(client, { ':path': '/alone' }, 'x');
    expect([alone.headers['grpc-status'], alone.endedWithHead, alone.trailers]).toEqual(['5', true, null]);
  });

  it('keeps the trailers of a streamed request', async () => {
    let trailers: unknown;
    const ended = new Promise<void>((resolve) => {
      provider.handler = (stream) => {
        stream.on('trailers', (given) => (trailers = given));
        void collect(stream).then(() => {
          stream.respond({ ':status': 200 });
          stream.end();
          resolve();
        });
      };
    });
    const stream = client.request({ ...chatPath, ':path': '/v1/embeddings' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'abc' }));
    stream.write('first');
    const reply = readHttp2Reply(stream);
    stream.end('last');
    await ended;
    await reply;
    expect(trailers).toMatchObject({ 'x-sum': 'abc' });
  });

  it('passes interim replies on, and answers an Expect itself', async () => {
    provider.handler = (stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>; rel=preload' });
      stream.respond(json);
      stream.end(chatReply);
    };
    const stream = client.request({ ...chatPath, expect: '100-continue' }, { endStream: false });
    const continued = new Promise<void>((resolve) => stream.once('continue', resolve));
    const reply = readHttp2Reply(stream);
    await continued;
    stream.end(chatRequest);
    expect((await reply).interim.filter((headers) => headers[':status'] !== (100 as never))).toMatchObject([
      { ':status': 103, link: '</a>; rel=preload' },
    ]);
    expect(provider.seen[0]?.headers.expect).toBeUndefined();
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('%s answered with %i has no body', async (method, status) => {
    provider.handler = (stream) => {
      stream.respond({ ':status': status, 'x-a': '1' });
      stream.end();
    };
    const reply = await askHttp2(client, { ':method': method, ':path': '/v1/models' });
    expect([reply.status, reply.body.length, reply.headers['x-a'], reply.resetCode]).toEqual([status, 0, '1', 0]);
  });

  it('that is none of a model passes unrecorded', async () => {
    await askHttp2(client, { ':method': 'GET', ':path': '/v1/models' });
    expect(rig.session.counts()).toMatchObject({ calls: 0, passedRequests: 1 });
    expect(rig.records).toEqual([]);
  });

  it('has its own destination, whatever authority it names', async () => {
    await askHttp2(client, { ':authority': 'elsewhere.test' }, chatRequest);
    expect(provider.seen[0]?.headers[':authority']).toBe('elsewhere.test');
    expect(await rig.waitForRecords(1)).toMatchObject([{ provider: 'openai' }]);
  });
});

describe('streams on one connection', () => {
  it('are answered a hundred at a time, none lost, and over one connection to the provider', async () => {
    let open = 0;
    let most = 0;
    const all: ServerHttp2Stream[] = [];
    provider.handler = (stream) => {
      open += 1;
      most = Math.max(most, open);
      stream.once('close', () => (open -= 1));
      all.push(stream);
      // Nobody is answered before everybody is here.
      if (all.length === 100) {
        for (const one of all) {
          one.respond(json);
          one.end(chatReply);
        }
      }
    };
    const replies = await Promise.all(Array.from({ length: 100 }, async () => await askHttp2(client, {}, chatRequest)));
    expect(replies.every((reply) => reply.status === 200 && reply.body.toString() === chatReply)).toBe(true);
    const records = await rig.waitForRecords(100);
    expect(records.every((record) => record.outcome === 'ok' && record.usage.outputTokens === 5)).toBe(true);
    expect([most, provider.connections]).toEqual([100, 1]);
  });

  it('are whole where head and body come in one segment, as on a busy connection', async () => {
    provider.handler = (stream) => {
      stream.resume().on('end', () => {
        stream.respond({ ...json, 'content-length': chatReply.length });
        stream.end(chatReply);
      });
    };
    let left = 500;
    const lane = async (): Promise<void> => {
      while (left-- > 0) expect((await askHttp2(client, {}, chatRequest)).body.toString()).toBe(chatReply);
    };
    await Promise.all(Array.from({ length: 50 }, lane));
    expect((await rig.waitForRecords(500)).every(({ outcome }) => outcome === 'ok')).toBe(true);
  });

  it('beyond what the provider allows on a connection go by another', async () => {
    const own = await openHttp2Rig({ provider: { settings: { maxConcurrentStreams: 4 } } });
    const { provider: few, client: session } = own;
    const all: ServerHttp2Stream[] = [];
    try {
      // The first tells how many there may be.
      few.handler = (stream) => {
        stream.respond(json);
        stream.end(chatReply);
      };
      await askHttp2(session, {}, chatRequest);
      few.handler = (stream) => {
        all.push(stream);
        if (all.length < 12) return;
        for (const one of all) {
          one.respond(json);
          one.end(chatReply);
        }
      };
      const replies = await Promise.all(
        Array.from({ length: 12 }, async () => await askHttp2(session, {}, chatRequest)),
      );
      expect(replies.every((reply) => reply.body.toString() === chatReply)).toBe(true);
      expect(few.connections).toBe(3);
    } finally {
      await own.close();
    }
  });

  it('are answered even where the provider, before it could say how few it allows, refused some', async () => {
    const own = await openHttp2Rig({ provider: { settings: { maxConcurrentStreams: 4 } } });
    const { client: session } = own;
    try {
      const replies = await Promise.all(
        Array.from({ length: 50 }, async () => await askHttp2(session, {}, chatRequest)),
      );
      expect(replies.map((reply) => [reply.status, reply.body.toString()])).toEqual(Array(50).fill([200, 'ok']));
      expect(await own.rig.waitForRecords(50)).toHaveLength(50);
    } finally {
      await own.close();
    }
  });

  it('of HTTP/2 and connections of HTTP/1.1 share a session', async () => {
    const own = await openHttp2Rig({ provider: { allowHTTP1: true } });
    const { provider: both, client: session } = own;
    both.handler = (stream) => {
      stream.respond(json);
      stream.end(chatReply);
    };
    both.onHttp1 = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    try {
      await Promise.all([
        askHttp2(session, {}, chatRequest),
        ask({ port: own.rig.session.port, ca: own.rig.ca, body: chatRequest }),
      ]);
      const records = await own.rig.waitForRecords(2);
      expect(records.map(({ protocol }) => protocol).sort()).toEqual(['h2', 'http/1.1']);
      expect(records.every(({ usage }) => usage.outputTokens === 5)).toBe(true);
    } finally {
      await own.close();
    }
  });
});
