import type { ClientHttp2Session } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askHttp2, chatPath, openHttp2, readHttp2Reply } from '../fixtures/http2-client.js';
import {
  endStream,
  type FrameProvider,
  type FrameSocket,
  frameTypes,
  openFrameClient,
  openFrameProvider,
  writeBrokenHeaders,
  writeData,
  writeFrame,
  writeGoaway,
  writeHeaders,
  writeNumber,
  writeReset,
  writeSettings,
} from '../fixtures/http2-frames.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let provider: FrameProvider;
let rig: Rig;
let client: ClientHttp2Session;

beforeEach(async () => {
  // What is watched at intervals is watched when a test says so.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  provider = await openFrameProvider();
  rig = await openRig({ connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath });
  client = await openHttp2({ port: rig.session.port, ca: rig.ca });
});
afterEach(async () => {
  client.destroy();
  await rig.close();
  await provider.close();
  vi.useRealTimers();
});

const writeHead = (id: number, ...more: string[]): Buffer =>
  writeHeaders(id, [':status', '200', 'content-type', 'application/json', ...more]);

function answer(id: number, connection: FrameSocket): void {
  connection.send(writeHead(id), writeData(id, chatReply, endStream));
}

/** Lets the tap look at its connections so often, and answer each time what came. */
async function lookAtConnections(times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    vi.advanceTimersByTime(5000);
    for (let turns = 0; turns < 50; turns += 1) await turn();
  }
}

/** What a client gets, frame by frame, of a chat it asks for. */
async function listFrames(): Promise<string[]> {
  const own = await openFrameClient(rig.session.port, rig.ca);
  const head = [':method', 'POST', ':scheme', 'https', ':authority', 'api.openai.com', ':path', chatPath[':path']];
  own.send(writeHeaders(1, [...head, 'content-type', 'application/json']), writeData(1, chatRequest, endStream));
  await own.waitFor(({ id, type, flags }) => id === 1 && (type === frameTypes.reset || flags % 2 === endStream));
  own.socket.destroy();
  const names = Object.entries(frameTypes);
  return own.frames
    .filter(({ id }) => id === 1)
    .map(({ type, flags, payload }) => {
      const name = names.find(([, number]) => number === type)?.[0] ?? '';
      if (type === frameTypes.reset) return `reset ${payload.readUInt32BE()}`;
      return `${name}${type === frameTypes.data ? ` ${payload.toString()}` : ''}${flags % 2 === endStream ? ', end' : ''}`;
    });
}

describe('a reply its provider resets with NO_ERROR before its end', () => {
  it.each([
    ['with nothing sent', [], ['reset 0'], 'upstream_error'],
    ['behind its head', ['head'], ['headers', 'reset 0'], 'upstream_aborted'],
    ['in its midst', ['head', 'half'], ['headers', 'data half', 'reset 0'], 'upstream_aborted'],
  ])('%s is reset so at its client, and on record as cut', async (_when, sent, received, outcome) => {
    provider.onRequest = (id, connection) =>
      connection.send(
        ...sent.map((what) => (what === 'head' ? writeHead(id) : writeData(id, what))),
        writeReset(id, 0),
      );
    expect(await listFrames()).toEqual(received);
    expect(await rig.waitForRecords(1)).toMatchObject([
      { outcome, error: { message: expect.stringContaining('NO_ERROR') } },
    ]);
  });

  it('is whole where it is as long as its head says', async () => {
    provider.onRequest = (id, connection) =>
      connection.send(writeHead(id, 'content-length', '4'), writeData(id, 'whole'.slice(1)), writeReset(id, 0));
    expect(await listFrames()).toEqual(['headers', 'data hole, end']);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'ok' }]);
  });
});

describe('a reply without a body', () => {
  it('is whole though its head says how long one would be', async () => {
    provider.onRequest = (id, connection) =>
      connection.send(writeHeaders(id, [':status', '304', 'content-length', '1234']), writeData(id, '', endStream));
    expect(await askHttp2(client, {}, chatRequest)).toMatchObject({ status: 304, resetCode: 0 });
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'ok', status: 304 }]);
  });
});

describe('a provider that says goodbye with an error', () => {
  it('is asked again, on another connection, for what it never looked at', async () => {
    provider.onRequest = (id, connection) => {
      if (connection === provider.connections[0]) connection.send(writeGoaway(0, 11));
      else answer(id, connection);
    };
    expect((await askHttp2(client, {}, chatRequest)).body.toString()).toBe(chatReply);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'ok' }]);
    expect(provider.connections).toHaveLength(2);
  });

  it('is not asked again for what it may have looked at', async () => {
    provider.onRequest = (id, connection) => connection.send(writeGoaway(id, 2));
    expect((await askHttp2(client, {}, chatRequest)).status).toBe(502);
    expect(provider.connections).toHaveLength(1);
  });
});

describe('a provider that breaks the rules of HTTP/2', () => {
  it.each([
    ['of header compression', (id: number) => [writeBrokenHeaders(id)]],
    ['of frame sizes', (id: number) => [writeHead(id), writeData(id, Buffer.alloc(20_000))]],
    ['of its states', (id: number) => [writeData(id, 'a body'), writeHead(id)]],
  ])('%s costs the calls on that connection, and no later ones', async (_what, write) => {
    provider.onRequest = (id, connection) => {
      if (connection !== provider.connections[0]) return answer(id, connection);
      // It leaves when it is told goodbye, as it should.
      void connection.waitFor(({ type }) => type === frameTypes.goaway).then(() => connection.socket.end());
      connection.send(...write(id));
    };
    const broken = askHttp2(client, {}, chatRequest);
    await provider.waitForConnection();
    await provider.connections[0]?.waitFor(({ type }) => type === frameTypes.goaway);
    await lookAtConnections(4);
    const { status, resetCode } = await broken;
    expect(status === 502 || resetCode === 2).toBe(true);
    expect((await askHttp2(client, {}, chatRequest)).body.toString()).toBe(chatReply);
    expect((await rig.waitForRecords(2)).filter(({ outcome }) => outcome === 'ok')).toHaveLength(1);
  });

  it('by interim replies without an end is left, and its client told', async () => {
    provider.onRequest = (id, connection) => {
      const interim = writeHeaders(id, [':status', '103']);
      for (let i = 0; i < 40; i += 1) connection.send(...Array.from({ length: 300 }, () => interim));
    };
    expect((await askHttp2(client, {}, chatRequest)).status).toBe(502);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'upstream_error' }]);
  });

  it('not at all, but is silent, keeps its connection', async () => {
    let late = (): void => undefined;
    provider.onRequest = (id, connection) => {
      late = () => answer(id, connection);
    };
    const going = askHttp2(client, {}, chatRequest);
    await provider.waitForConnection();
    const connection = provider.connections[0];
    await connection?.waitFor(({ type }) => type === frameTypes.headers);
    await lookAtConnections(10);
    late();
    expect((await going).body.toString()).toBe(chatReply);
  });
});

describe('a provider that reads nothing more', () => {
  it('does not keep the tap from closing', async () => {
    provider.onRequest = (_id, connection) => {
      // All the room there can be, so that what is uploaded waits in the socket.
      const window = writeFrame(frameTypes.windowUpdate, 0, 0, writeNumber(0x7fff_0000));
      connection.send(writeSettings([4, 0x7fff_ffff]), window);
      connection.socket.pause();
    };
    const stream = client.request({ ...chatPath, ':path': '/v1/embeddings' });
    stream.on('error', () => undefined);
    let taken = 0;
    const write = (error?: Error | null): void => {
      taken += 1;
      if (!error) stream.write(Buffer.alloc(64 * 1024), write);
    };
    write();
    let before = -1;
    for (let quiet = 0; quiet < 2000; quiet += 1) {
      if (taken !== before) quiet = 0;
      before = taken;
      await turn();
    }
    client.destroy();
    await rig.waitForRecords(1);
    await rig.close();
    rig = await openRig();
  });
});

describe('a provider that answers without taking the whole request', () => {
  const whenReset = (id: number) =>
    provider.connections[0]?.waitFor((frame) => frame.type === frameTypes.reset && frame.id === id);

  it('is told that the rest does not come, and is asked on by the same connection', async () => {
    provider.onRequest = answer;
    const content = 'x'.repeat(100_000);
    const long = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] });
    for (const id of [1, 3]) {
      expect((await askHttp2(client, {}, long)).body.toString()).toBe(chatReply);
      expect((await whenReset(id))?.payload.readUInt32BE()).toBe(0);
    }
    expect(provider.connections).toHaveLength(1);
    expect(await rig.waitForRecords(2)).toMatchObject([{ outcome: 'ok' }, { outcome: 'ok' }]);
  });

  it('is told so, as its client is, while that still uploads', async () => {
    provider.onRequest = answer;
    for (const id of [1, 3]) {
      const stream = client.request({ ...chatPath, ':path': '/v1/files', 'content-type': 'application/octet-stream' });
      stream.write(Buffer.alloc(100_000));
      expect(await readHttp2Reply(stream)).toMatchObject({ status: 200, body: Buffer.from(chatReply), resetCode: 0 });
      expect((await whenReset(id))?.payload.readUInt32BE()).toBe(0);
    }
    expect(provider.connections).toHaveLength(1);
  });
});
