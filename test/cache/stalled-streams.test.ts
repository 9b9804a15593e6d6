import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chatPath, openHttp2 } from '../fixtures/http2-client.js';
import { type Http2TestUpstream, openHttp2Upstream } from '../fixtures/http2-upstream.js';
import { type CacheRig, openCacheRig } from './cache-rig.js';
import { askForStream, Flood, mebibyte } from './flood.js';

let provider: Http2TestUpstream;
let rig: CacheRig;
const sessions: ClientHttp2Session[] = [];

beforeEach(async () => {
  provider = await openHttp2Upstream({ maxSessionMemory: 1000 });
  rig = await openCacheRig({}, { connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath });
});
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await provider.close();
});

async function openSession(): Promise<ClientHttp2Session> {
  const session = await openHttp2({ port: rig.session.port, ca: rig.ca, session: { maxSessionMemory: 1000 } });
  sessions.push(session);
  return session;
}

/** A stream whose reply has begun, and of which nothing is read until told. */
async function openReader(session: ClientHttp2Session): Promise<ClientHttp2Stream> {
  const stream = session.request(chatPath);
  stream.on('error', () => undefined).end(askForStream());
  await once(stream, 'response');
  return stream;
}

async function read(stream: ClientHttp2Stream): Promise<{ readonly hash: string; readonly resetCode: number }> {
  const hash = createHash('sha256');
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  stream.on('data', (chunk: Buffer) => hash.update(chunk));
  await closed;
  return { hash: hash.digest('hex'), resetCode: stream.rstCode };
}

/** Two who share a reply of so many bytes, on one connection or on two. */
async function openPair(bytes: number, connections: number) {
  const flood = new Flood(bytes);
  const begun = new Promise<void>((resolve) => {
    provider.handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      flood.begin(stream);
      resolve();
    };
  });
  const session = await openSession();
  const leader = openReader(session);
  await begun;
  const follower = await openReader(connections === 1 ? session : await openSession());
  expect(provider.seen).toHaveLength(1);
  return { flood, leader: await leader, follower };
}

describe.each([1, 2])('a reply that streams of HTTP/2 on %i connections share', (connections) => {
  it('does not wait for the one that asked first, whose window is shut', async () => {
    const { flood, leader, follower } = await openPair(12 * mebibyte, connections);
    const running = flood.run();
    const followed = await read(follower);
    await running;
    expect(followed).toEqual({ hash: flood.hash(), resetCode: 0 });
    expect(await read(leader)).toEqual(followed);
    expect((await rig.waitForRecords(2)).map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
  });

  it('does not wait for the one that follows, whose window is shut', async () => {
    const { flood, leader, follower } = await openPair(12 * mebibyte, connections);
    const running = flood.run();
    const led = await read(leader);
    await running;
    expect(led).toEqual({ hash: flood.hash(), resetCode: 0 });
    expect(await read(follower)).toEqual(led);
  });

  it('waits when both are shut, and is whole for both when they read on', async () => {
    const { flood, leader, follower } = await openPair(32 * mebibyte, connections);
    const running = flood.run();
    await flood.stalled();
    expect(flood.written).toBeLessThan(8 * mebibyte);
    const [led, followed] = await Promise.all([read(leader), read(follower), running]);
    expect(led).toEqual({ hash: flood.hash(), resetCode: 0 });
    expect(followed).toEqual(led);
  });

  it('is cut for the one that asked first when the other is too far ahead', async () => {
    const { flood, leader, follower } = await openPair(48 * mebibyte, connections);
    const running = flood.run();
    expect(await read(follower)).toEqual({ hash: flood.hash(), resetCode: 0 });
    await running;
    expect((await read(leader)).resetCode).not.toBe(0);
    expect(await rig.waitForRecords(2)).toMatchObject([{ error: { code: 'CLIENT_LAGGED' } }, { outcome: 'ok' }]);
  });
});
