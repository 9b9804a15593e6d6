import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { type CacheRig, json, openCacheRig } from './cache-rig.js';
import { askForStream, Flood, mebibyte } from './flood.js';

/** A provider that streams so many bytes, once the flood is run. */
function openFlood(rig: CacheRig, bytes: number): { readonly flood: Flood; readonly begun: Promise<void> } {
  const flood = new Flood(bytes);
  const begun = new Promise<void>((resolve) => {
    rig.upstream.handler = (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        flood.begin(response);
        resolve();
      });
    };
  });
  return { flood, begun };
}

/** One who asks, and reads nothing until told. */
async function openReader(rig: CacheRig, body = askForStream()) {
  const request = await startRequest({ port: rig.session.port, ca: rig.ca, headers: json });
  request.on('error', () => undefined).end(body);
  let response: IncomingMessage | null = null;
  return {
    request,
    async begin(): Promise<void> {
      response = await waitForResponse(request);
      response.on('error', () => undefined);
    },
    /** Reads on to the end, and tells how it ended. */
    async read(onData: () => void = () => undefined): Promise<{ hash: string; bytes: number; isWhole: boolean }> {
      const hash = createHash('sha256');
      let bytes = 0;
      const closed = new Promise<void>((resolve) => response?.once('close', resolve));
      response?.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        bytes += chunk.length;
        onData();
      });
      await closed;
      return { hash: hash.digest('hex'), bytes, isWhole: response?.complete ?? false };
    },
  };
}

/** Two who share a reply of so many bytes; the first leads. */
async function openPair(bytes: number, body?: string) {
  const rig = await openCacheRig();
  const { flood, begun } = openFlood(rig, bytes);
  const leader = await openReader(rig, body);
  await begun;
  await leader.begin();
  const follower = await openReader(rig, body);
  await follower.begin();
  expect(rig.upstream.seen).toHaveLength(1);
  return { rig, flood, leader, follower };
}

describe('a reply that is shared', () => {
  it('does not wait for the one who asked first, who has it whole when it reads on', async () => {
    const { rig, flood, leader, follower } = await openPair(15 * mebibyte);
    const running = flood.run();
    const followed = await follower.read();
    await running;
    expect(followed).toMatchObject({ hash: flood.hash(), isWhole: true });
    expect(await leader.read()).toEqual(followed);
    expect((await rig.waitForRecords(2)).map(({ outcome, partial, cached }) => [outcome, partial, cached])).toEqual([
      ['ok', false, true],
      ['ok', false, false],
    ]);
    const [, led] = rig.records;
    expect(led?.receipt?.replyToClient).toBe(led?.receipt?.replyFromProvider);
    expect(led?.changes).toEqual([]);
  });

  it('does not wait for the one who asked first, also where its own frames of usage are hidden', async () => {
    const asked = askForStream({ asksForUsage: false });
    const { flood, leader, follower } = await openPair(15 * mebibyte, asked);
    const running = flood.run();
    const followed = await follower.read();
    await running;
    expect(followed).toMatchObject({ hash: flood.hash(), isWhole: true });
    expect(await leader.read()).toEqual(followed);
  });

  it('does not wait for who follows, who has it whole when it reads on', async () => {
    const { flood, leader, follower } = await openPair(15 * mebibyte);
    const running = flood.run();
    const led = await leader.read();
    await running;
    expect(led).toMatchObject({ hash: flood.hash(), isWhole: true });
    expect(await follower.read()).toEqual(led);
  });

  it('waits when all of them wait, and is whole for all when they read on', async () => {
    const { flood, leader, follower } = await openPair(64 * mebibyte);
    const running = flood.run();
    await flood.stalled();
    // Buffers of the system's on three connections, and ours.
    expect(flood.written).toBeLessThan(40 * mebibyte);
    const [led, followed] = await Promise.all([leader.read(), follower.read(), running]);
    expect(led).toMatchObject({ hash: flood.hash(), isWhole: true });
    expect(followed).toEqual(led);
  });

  it('waits for the last who follows when the one who asked first has left', async () => {
    const { rig, flood, leader, follower } = await openPair(64 * mebibyte);
    leader.request.destroy();
    await rig.waitForRecords(1);
    const running = flood.run();
    await flood.stalled();
    expect(flood.written).toBeLessThan(30 * mebibyte);
    const followed = await follower.read();
    await running;
    expect(followed).toMatchObject({ hash: flood.hash(), isWhole: true });
  });

  it('cuts the one who asked first when the others are too far ahead, and holds no more than that', async () => {
    const { rig, flood, follower, leader } = await openPair(200 * mebibyte);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let reads = 0;
    const running = flood.run();
    const followed = await follower.read(() => {
      reads += 1;
      if (reads % 100 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    });
    await running;
    expect(followed).toMatchObject({ hash: flood.hash(), isWhole: true });
    expect(most).toBeLessThan(120 * mebibyte);
    const led = await leader.read();
    expect(led.isWhole).toBe(false);
    expect(led.bytes).toBeLessThan(30 * mebibyte);
    expect(await rig.waitForRecords(2)).toMatchObject([
      { outcome: 'client_aborted', partial: true, cached: false, error: { code: 'CLIENT_LAGGED' } },
      { outcome: 'ok', partial: false, cached: true },
    ]);
    expect(await rig.waitForFaults(1)).toMatchObject([{ code: 'CLIENT_LAGGED' }]);
  });

  it('cuts who follows when the one who asked first is too far ahead', async () => {
    const { rig, flood, follower, leader } = await openPair(64 * mebibyte);
    const running = flood.run();
    const led = await leader.read();
    await running;
    expect(led).toMatchObject({ hash: flood.hash(), isWhole: true });
    expect((await follower.read()).isWhole).toBe(false);
    expect(await rig.waitForRecords(2)).toMatchObject([
      { outcome: 'client_aborted', partial: true, cached: true, error: { code: 'CLIENT_LAGGED' } },
      { outcome: 'ok', partial: false, cached: false },
    ]);
  });

  it('is on record as left by one who goes before it has taken the rest', async () => {
    const { rig, flood, follower, leader } = await openPair(15 * mebibyte);
    const running = flood.run();
    await follower.read();
    await running;
    leader.request.destroy();
    expect(await rig.waitForRecords(2)).toMatchObject([
      { outcome: 'ok' },
      { outcome: 'client_aborted', cached: false },
    ]);
  });
});

describe('a reply nobody shares', () => {
  it('waits for its client', async () => {
    const rig = await openCacheRig();
    const { flood, begun } = openFlood(rig, 64 * mebibyte);
    const only = await openReader(rig);
    await begun;
    await only.begin();
    const running = flood.run();
    await flood.stalled();
    expect(flood.written).toBeLessThan(30 * mebibyte);
    const read = await only.read();
    await running;
    expect(read).toMatchObject({ hash: flood.hash(), isWhole: true });
  });
});
