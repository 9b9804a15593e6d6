import type { ServerHttp2Stream } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  endHeaders,
  endStream,
  type FrameSocket,
  frameTypes,
  openFrameClient,
  writeBrokenHeaders,
  writeData,
  writeFrame,
  writeHeaders,
  writeNumber,
  writeReset,
  writeSettings,
} from '../fixtures/http2-frames.js';
import { type Http2TestUpstream, openHttp2Upstream } from '../fixtures/http2-upstream.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let provider: Http2TestUpstream;
let rig: Rig;
let client: FrameSocket;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  provider = await openHttp2Upstream();
  provider.handler = answer;
  rig = await openRig({ connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath });
  client = await openFrameClient(rig.session.port, rig.ca);
});
afterEach(async () => {
  client.socket.destroy();
  await rig.close();
  await provider.close();
  vi.useRealTimers();
});

const chat = '/v1/chat/completions';
const embeddings = '/v1/embeddings';

const ask = (path = chat, ...more: string[]): string[] => [
  ...[':method', 'POST', ':scheme', 'https', ':authority', 'api.openai.com', ':path', path],
  ...['content-type', 'application/json', ...more],
];

function answer(stream: ServerHttp2Stream): void {
  stream.resume().once('end', () => {
    if (stream.destroyed) return;
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(chatReply);
  });
}

/** Whether a frame ends a stream's reply, or the stream. */
const ends = (stream: number) => (frame: { readonly id: number; readonly type: number; readonly flags: number }) =>
  frame.id === stream && (frame.type === frameTypes.reset || (frame.flags % 2 === endStream && frame.type < 2));

describe('a client that resets what it has just asked', () => {
  it('has it on record as left, each once, and nothing asked of the provider', async () => {
    // The provider is reached before, so that nothing waits for that.
    client.send(writeHeaders(1, ask()), writeData(1, chatRequest, endStream));
    await client.waitFor(ends(1));
    const ids = Array.from({ length: 200 }, (_, i) => 3 + 2 * i);
    client.send(...ids.flatMap((id) => [writeHeaders(id, ask(), endHeaders + endStream), writeReset(id, 8)]));
    const records = await rig.waitForRecords(201);
    expect(records.filter(({ outcome }) => outcome === 'client_aborted')).toHaveLength(200);
    expect(provider.seen).toHaveLength(1);
    expect(rig.faults).toEqual([]);
  });

  it('for ever is cut off, and costs nobody else anything', async () => {
    const other = await openFrameClient(rig.session.port, rig.ca);
    for (let id = 1; id < 8000 && !client.socket.destroyed; id += 2) {
      client.send(writeHeaders(id, ask(), endHeaders + endStream), writeReset(id, 8));
    }
    await client.waitFor(({ type }) => type === frameTypes.goaway);
    other.send(writeHeaders(1, ask()), writeData(1, chatRequest, endStream));
    await other.waitFor(ends(1));
    expect(other.frames.some(({ id, type }) => id === 1 && type === frameTypes.reset)).toBe(false);
    other.socket.destroy();
  });
});

describe('an upload the client breaks off with NO_ERROR', () => {
  it('is never taken for whole where it is read whole first', async () => {
    client.send(writeHeaders(1, ask()), writeData(1, chatRequest, endStream));
    await client.waitFor(ends(1));
    client.send(writeHeaders(3, ask()), writeData(3, '{"model":"gpt-4o",'));
    for (let i = 0; i < 20; i += 1) await turn();
    client.send(writeReset(3, 0));
    expect(await rig.waitForRecords(2)).toMatchObject([{ outcome: 'ok' }, { outcome: 'client_aborted' }]);
    for (let i = 0; i < 20; i += 1) await turn();
    expect(provider.seen).toHaveLength(1);
  });
});

describe('an upload that is answered before its end', () => {
  it.each([
    ['alone', false],
    ['with trailers', true],
  ])('has its whole reply %s, and is then told to stop', async (_how, waitForTrailers) => {
    provider.handler = (stream) => {
      stream.respond({ ':status': 413, 'content-type': 'application/json' }, { waitForTrailers });
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'x-sum': 'abc' });
        setImmediate(() => stream.close(0));
      });
      stream.end('{}');
    };
    client.send(writeHeaders(1, ask(embeddings)), writeData(1, '{"input":"'));
    const reset = await client.waitFor(({ id, type }) => id === 1 && type === frameTypes.reset);
    const own = client.frames.filter(({ id }) => id === 1);
    expect(reset?.payload.readUInt32BE()).toBe(0);
    expect(own.at(-1)).toBe(reset);
    expect((own.at(-2)?.flags ?? 0) % 2).toBe(endStream);
    expect(own.find(({ type }) => type === frameTypes.data)?.payload.toString()).toBe('{}');
    expect(await rig.waitForRecords(1)).toMatchObject([{ status: 413, outcome: 'http_error' }]);
  });
});

describe('a client that breaks the rules of HTTP/2', () => {
  it('with a call under way and leaves has it on record, and does not keep its session from ending', async () => {
    const asked = new Promise<ServerHttp2Stream>((resolve) => {
      provider.handler = resolve;
    });
    client.send(writeHeaders(1, ask()), writeData(1, chatRequest, endStream));
    const far = await asked;
    const reset = new Promise<number>((resolve) => far.once('close', () => resolve(far.rstCode)));
    client.send(writeBrokenHeaders(3));
    await client.waitFor(({ type }) => type === frameTypes.goaway);
    client.socket.destroy();
    const closing = rig.session.close({ drain: true });
    for (let i = 0; i < 4; i += 1) {
      vi.advanceTimersByTime(5000);
      for (let turns = 0; turns < 50; turns += 1) await turn();
    }
    await closing;
    expect(await reset).toBe(8);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'client_aborted' }]);
  });

  it('by what would be another request over HTTP/1.1 is refused', async () => {
    const bad = [
      ['transfer-encoding', 'chunked'],
      ['connection', 'close'],
      ['upgrade', 'h2c'],
      ['content-length', '1', 'content-length', '2'],
      ['X-Upper', '1'],
      [':path', '/v1/other'],
    ];
    for (const [i, more] of bad.entries()) {
      const id = 1 + 2 * i;
      client.send(writeHeaders(id, ask(chat, ...more)), writeData(id, 'x', endStream));
      const reset = await client.waitFor(({ id: of, type }) => of === id && type === frameTypes.reset);
      expect([more[0], reset?.payload.readUInt32BE()]).toEqual([more[0], 1]);
    }
    client.send(writeHeaders(99, ask('/v1/a b\r\nx-evil: 1'), endHeaders + endStream));
    expect((await client.waitFor(ends(99)))?.type).toBe(frameTypes.reset);
    client.send(writeHeaders(101, ask('/v1/models', 'x-a', 'b\r\nx-evil: 1'), endHeaders + endStream));
    expect((await client.waitFor(ends(101)))?.type).toBe(frameTypes.reset);
    expect(provider.seen).toEqual([]);
  });

  it('by floods of what has to be answered, or by headers without an end, is cut off', async () => {
    const floods = [
      () => Array.from({ length: 3000 }, () => writeFrame(frameTypes.settings, 0, 0)),
      () =>
        Array.from({ length: 5 }, () => writeSettings(Array.from({ length: 5400 }, (_, i) => (i % 2 ? 65_535 : 4)))),
      () => [writeHeaders(1, ask(), 0), ...Array.from({ length: 20 }, () => writeFrame(frameTypes.continuation, 0, 1))],
      () => [writeHeaders(1, ask()), writeFrame(frameTypes.windowUpdate, 0, 1, writeNumber(0))],
    ];
    for (const flood of floods) {
      const rude = await openFrameClient(rig.session.port, rig.ca);
      const closed = new Promise<void>((resolve) => rude.socket.once('close', () => resolve()));
      rude.send(...flood());
      await closed;
    }
    client.send(writeHeaders(1, ask()), writeData(1, chatRequest, endStream));
    expect((await client.waitFor(ends(1)))?.type).toBe(frameTypes.data);
  });
});

describe('a client that asks for what there is not', () => {
  it('a CONNECT, a WebSocket over HTTP/2, is told so on that stream alone', async () => {
    client.send(writeHeaders(1, [':method', 'CONNECT', ':authority', 'api.openai.com:443']));
    await client.waitFor(ends(1));
    // And that nobody will read what it would send.
    const reset = await client.waitFor(({ id, type }) => id === 1 && type === frameTypes.reset);
    expect(reset?.payload.readUInt32BE()).toBe(0);
    const extended = [
      ':method',
      'CONNECT',
      ':protocol',
      'websocket',
      ':scheme',
      'https',
      ':authority',
      'a',
      ':path',
      '/',
    ];
    client.send(writeHeaders(3, extended));
    expect((await client.waitFor(ends(3)))?.type).toBe(frameTypes.reset);
    client.send(writeHeaders(5, ask()), writeData(5, chatRequest, endStream));
    expect((await client.waitFor(ends(5)))?.type).toBe(frameTypes.data);
    expect(provider.seen).toHaveLength(1);
    expect(rig.faults).toEqual([]);
  });
});
