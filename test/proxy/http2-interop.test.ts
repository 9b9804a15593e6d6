/** What two other ends of HTTP/2 may choose, between them and the tap: real ones, of node:http2. */
import http2, { type ClientHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { askHttp2, chatPath, readHttp2Reply } from '../fixtures/http2-client.js';
import { type Http2Rig, openHttp2Rig } from '../fixtures/http2-rig.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(options: Parameters<typeof openHttp2Rig>[0] = {}): Promise<Http2Rig> {
  const opened = await openHttp2Rig(options);
  closing.push(opened.close);
  return opened;
}

const embeddings = { ':path': '/v1/embeddings' };
const json = { ':status': 200, 'content-type': 'application/json' };

/** Bytes of which no two neighbouring stretches are the same. */
function makeBytes(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i += 1) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

/** Reads a little at a turn, and then lets some go by. */
async function readSlowly(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    if (chunks.length % 16 === 0) for (let i = 0; i < 5; i += 1) await turn();
  }
  return Buffer.concat(chunks);
}

/** Answers with what was sent, when all of it has come. */
const echo = (stream: ServerHttp2Stream): void => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.once('end', () => {
    stream.respond(json);
    stream.end(Buffer.concat(chunks));
  });
};

async function askMany(client: ClientHttp2Session, count: number): Promise<void> {
  const bodies = Array.from({ length: count }, (_, i) => JSON.stringify({ number: i }));
  const replies = await Promise.all(bodies.map(async (body) => await askHttp2(client, embeddings, body)));
  expect(replies.map(({ body }) => body.toString())).toEqual(bodies);
}

describe('headers of 40 KB', () => {
  it('come whole both ways, time and again', async () => {
    const { client, provider } = await open();
    const large = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`x-large-${i}`, `${i}`.repeat(2048 / `${i}`.length)]),
    );
    provider.handler = (stream, headers) => {
      const given = Object.entries(headers).filter(([name]) => name.startsWith('x-large-'));
      stream.respond({ ...json, ...Object.fromEntries(given) });
      stream.end(chatReply);
    };
    for (let i = 0; i < 5; i += 1) {
      const { headers, body } = await askHttp2(client, large, chatRequest);
      expect(headers).toMatchObject(large);
      expect(body.toString()).toBe(chatReply);
    }
  });
});

describe('another end that keeps no table of headers', () => {
  it.each(['client', 'provider'])('as %s is understood and understands', async (who) => {
    const settings = { settings: { headerTableSize: 0 } };
    const { client, provider } = await open(who === 'client' ? { session: settings } : { provider: settings });
    provider.handler = (stream, headers) => {
      stream.respond({ ...json, 'x-kept': 'always the same', 'x-turn': headers['x-turn'] });
      stream.end(chatReply);
    };
    for (let i = 0; i < 20; i += 1) {
      const { headers } = await askHttp2(client, { 'x-turn': `turn ${i}`, 'x-kept': 'as before' }, chatRequest);
      expect(headers).toMatchObject({ 'x-kept': 'always the same', 'x-turn': `turn ${i}` });
    }
    expect(provider.seen.map(({ headers }) => headers['x-kept'])).toEqual(Array(20).fill('as before'));
  });
});

describe('padding', () => {
  it('is left out of headers and bodies, and what it takes of the windows is given back', async () => {
    const padded = { paddingStrategy: http2.constants.PADDING_STRATEGY_MAX };
    const { client, provider, rig } = await open({ provider: padded, session: padded });
    provider.handler = echo;
    const sent = makeBytes(3 * 1024 * 1024);
    expect(sent.equals((await askHttp2(client, embeddings, sent)).body)).toBe(true);
    await askMany(client, 50);
    expect((await rig.waitForRecords(51)).every(({ outcome }) => outcome === 'ok')).toBe(true);
  });
});

describe('a provider that allows one stream on a connection', () => {
  it('answers twenty calls asked at once', async () => {
    const { client, provider } = await open({ provider: { settings: { maxConcurrentStreams: 1 } } });
    provider.handler = echo;
    await askMany(client, 20);
    await askMany(client, 20);
  });
});

describe('a client with a tiny window', () => {
  it.each([
    [1, 600],
    [7, 4000],
    [1000, 200 * 1024],
  ])('of %i bytes gets a reply of %i whole', async (initialWindowSize, size) => {
    const { client, provider } = await open({ session: { settings: { initialWindowSize } } });
    const sent = makeBytes(size);
    provider.handler = (stream) => {
      stream.respond(json);
      stream.end(sent);
    };
    const [one, two] = await Promise.all([askHttp2(client, embeddings, 'x'), askHttp2(client, embeddings, 'x')]);
    expect([sent.equals(one.body), sent.equals(two.body)]).toEqual([true, true]);
  });
});

describe('a provider with a tiny window', () => {
  it.each([
    [1, 600],
    [1000, 200 * 1024],
  ])('of %i bytes gets an upload of %i whole', async (initialWindowSize, size) => {
    const { client, provider } = await open({ provider: { settings: { initialWindowSize } } });
    provider.handler = echo;
    const sent = makeBytes(size);
    expect(sent.equals((await askHttp2(client, embeddings, sent)).body)).toBe(true);
  });
});

describe('10 MB through readers that take their time', () => {
  const size = 10 * 1024 * 1024;

  it('come whole as a reply', async () => {
    const { client, provider, rig } = await open();
    const sent = makeBytes(size);
    provider.handler = (stream) => {
      stream.respond(json);
      stream.end(sent);
    };
    const stream = client.request({ ...chatPath, ...embeddings });
    stream.end(chatRequest);
    expect(sent.equals(await readSlowly(stream))).toBe(true);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'ok', responseBytes: size }]);
  });

  it('come whole as an upload', async () => {
    const { client, provider, rig } = await open();
    const sent = makeBytes(size);
    let isWhole = false;
    provider.handler = (stream) => {
      void readSlowly(stream).then((came) => {
        isWhole = sent.equals(came);
        stream.respond(json);
        stream.end('{}');
      });
    };
    expect((await askHttp2(client, embeddings, sent)).status).toBe(200);
    expect(isWhole).toBe(true);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'ok', requestBytes: size }]);
  });
});

describe('500 calls one after another', () => {
  it('keep to one connection, with headers that push each other out of the tables', async () => {
    const { client, provider } = await open();
    provider.handler = (stream, headers) => {
      stream.respond({ ...json, 'x-reply-id': `reply to ${String(headers['x-id'])}`, 'x-kept': 'kept' });
      stream.end(chatReply);
    };
    for (let i = 0; i < 500; i += 1) {
      const id = `${i}-${'y'.repeat(i % 200)}`;
      const { headers } = await askHttp2(client, { 'x-id': id, [`x-name-${i % 40}`]: 'some' }, chatRequest);
      expect(headers).toMatchObject({ 'x-reply-id': `reply to ${id}`, 'x-kept': 'kept' });
    }
    expect(provider.connections).toBe(1);
    expect(provider.seen[499]?.headers).toMatchObject({ 'x-name-19': 'some' });
  });
});

describe('a client that cancels 50 of 100 replies in their midst', () => {
  it('gets the others whole, and each is on record as it ended', async () => {
    const { client, provider, rig } = await open();
    const half = makeBytes(40_000);
    const waiting: ServerHttp2Stream[] = [];
    let letOn = (): void => undefined;
    const allAsked = new Promise<void>((resolve) => {
      letOn = resolve;
    });
    provider.handler = (stream) => {
      stream.respond(json);
      stream.write(half);
      waiting.push(stream);
      if (waiting.length === 100) letOn();
    };
    const streams = Array.from({ length: 100 }, () => {
      const stream = client.request({ ...chatPath, ...embeddings });
      stream.end(chatRequest);
      return stream;
    });
    const begun = streams.map(async (stream) => await new Promise((resolve) => stream.once('response', resolve)));
    const replies = streams.map(async (stream) => await readHttp2Reply(stream));
    await Promise.all([allAsked, ...begun]);
    streams.forEach((stream, i) => {
      if (i % 2 === 0) stream.close(http2.constants.NGHTTP2_CANCEL);
    });
    for (const stream of waiting) stream.end(half);
    const whole = Buffer.concat([half, half]);
    const kept = (await Promise.all(replies)).filter((_reply, i) => i % 2 === 1);
    expect(kept.every(({ body }) => whole.equals(body))).toBe(true);
    const outcomes = (await rig.waitForRecords(100)).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(50);
    expect(outcomes.filter((outcome) => outcome === 'client_aborted')).toHaveLength(50);
    // And the connection is as good as before.
    provider.handler = echo;
    await askMany(client, 10);
  });
});
