import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TrackerOptions } from '../../dist/index.js';
import { chatReply } from '../fixtures/replies.js';
import { chat, openTrackerLab, startChat, type TrackerLab } from './tracker-lab.js';

const json = { 'content-type': 'application/json' };
let lab: TrackerLab;
beforeAll(async () => {
  lab = await openTrackerLab();
});
afterAll(async () => await lab.close());

function openCacheDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-tracker-cache-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'nested', 'cache');
}

const startCached = async (cacheDir: string | null, options: TrackerOptions = {}) =>
  await lab.makeTracker({ cache: true, cacheDir, ...options }).start();

function countRows(cacheDir: string): number {
  const db = new BetterSqlite3(join(cacheDir, 'cache.db'), { readonly: true });
  const { n } = db.prepare('SELECT count(*) AS n FROM entries').get() as { n: number };
  db.close();
  return n;
}

/** How many requests with this text the provider has been asked. */
async function countAsked(text: string): Promise<number> {
  return (await lab.provider.requests()).filter(({ body }) => JSON.stringify(body).includes(text)).length;
}

describe('a tracker with a cache', () => {
  it('answers in process what it has while the provider is gone, and cuts what it has not', async () => {
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(200, json).end(chatReply));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const baseUrl = `http://localhost:${(server.address() as AddressInfo).port}`;
    const tracker = await startCached(null, { providers: [{ name: 'gone', baseUrl }] });
    const ask = async (text: string) => {
      const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: text }] });
      return await (await fetch(`${baseUrl}/v1/chat/completions`, { method: 'POST', headers: json, body })).text();
    };
    expect(await tracker.track(async () => await ask('known'))).toBe(chatReply);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    expect(await tracker.track(async () => await ask('known'))).toBe(chatReply);
    await expect(tracker.track(async () => await ask('unknown'))).rejects.toThrow('fetch failed');
    expect((await tracker.records()).map(({ cached, outcome }) => [cached, outcome])).toEqual([
      [false, 'ok'],
      [true, 'ok'],
      [false, 'upstream_error'],
    ]);
  });

  it('C22 answers the second of two equal calls of an async client, which count what the first took', async () => {
    const tracker = await startCached(null);
    const texts = await tracker.track({ dataId: 'c22' }, async () => [await chat('c22'), await chat('c22')]);
    expect(texts[1]).toBe(texts[0]);
    const [miss, hit] = await tracker.records();
    expect([miss?.cached, hit?.cached, hit?.cachedLatencyMs]).toEqual([false, true, miss?.latencyMs]);
    expect(await tracker.getCachedLatency({ dataId: 'c22' })).toBe(miss?.latencyMs);
    expect(await countAsked('c22')).toBe(1);
  });

  it('C18 leaves what is no call unrecorded and as it is', async () => {
    const tracker = await startCached(null);
    const ask = async () => await (await fetch('https://api.openai.com/health')).text();
    const texts = await tracker.track(async () => [await ask(), await ask()]);
    expect(texts[1]).toBe(texts[0]);
    expect(await tracker.records()).toEqual([]);
    expect((await lab.provider.requests()).filter(({ path }) => path === '/health')).toHaveLength(2);
  });

  it('C19, D22 has none when the cache is off, and makes no folder', async () => {
    const cacheDir = openCacheDir();
    for (const cache of [false, null, 'off', { mode: 'off' }] as const) {
      const tracker = await startCached(cacheDir, { cache });
      await tracker.track(async () => [
        await chat(`c19 ${JSON.stringify(cache)}`),
        await chat(`c19 ${JSON.stringify(cache)}`),
      ]);
      expect((await tracker.records()).map(({ cached }) => cached)).toEqual([false, false]);
    }
    expect(existsSync(cacheDir)).toBe(false);
  });

  it('C21 asks once for equal calls of four sessions at the same time', async () => {
    const tracker = await startCached(null);
    const one = async (n: number) =>
      await tracker.track(
        { dataId: `s${n}` },
        async () => await Promise.all(Array.from({ length: 5 }, () => chat('c21'))),
      );
    const texts = (await Promise.all([0, 1, 2, 3].map(one))).flat();
    expect(new Set(texts).size).toBe(1);
    const records = await tracker.records();
    expect([records.length, records.filter(({ cached }) => !cached).length]).toEqual([20, 1]);
    expect(new Set(records.map(({ dataId }) => dataId)).size).toBe(4);
    expect(await countAsked('c21')).toBe(1);
  });

  it('C16, D21 misses again once the cache is cleared, whose file is empty then', async () => {
    const cacheDir = openCacheDir();
    const tracker = await startCached(cacheDir);
    await tracker.track(async () => await chat('c16'));
    expect(await tracker.flushCache()).toBe(true);
    expect(countRows(cacheDir)).toBe(1);
    expect(await tracker.clearCache()).toBe(1);
    expect(countRows(cacheDir)).toBe(0);
    await tracker.track(async () => await chat('c16'));
    expect((await tracker.records()).map(({ cached }) => cached)).toEqual([false, false]);
  });

  it('D18 has one row after a miss and a hit and the end of the tracker', async () => {
    const cacheDir = openCacheDir();
    const tracker = await startCached(cacheDir);
    await tracker.track(async () => [await chat('d18'), await chat('d18')]);
    expect((await tracker.records()).map(({ cached }) => cached)).toEqual([false, true]);
    await tracker.close();
    expect(countRows(cacheDir)).toBe(1);
  });

  it('D19, D23 is answered at once from what an earlier one kept, under the new session’s ids', async () => {
    const cacheDir = openCacheDir();
    const first = await startCached(cacheDir, { dataId: 'one' });
    const text = await first.track(async () => await chat('d19'));
    await first.close();
    const second = await startCached(cacheDir, { dataId: 'two' });
    expect(await second.track(async () => await chat('d19'))).toBe(text);
    expect(await second.records()).toMatchObject([{ cached: true, dataId: 'two' }]);
  });

  it('D20 has its rows in the file as soon as it is asked to write', async () => {
    const cacheDir = openCacheDir();
    const tracker = await startCached(cacheDir);
    await tracker.track(async () => [await chat('d20 a'), await chat('d20 b')]);
    expect(await tracker.flushCache()).toBe(true);
    expect(countRows(cacheDir)).toBe(2);
  });

  it('B12 writes by itself again after it was stopped and started', async () => {
    const cacheDir = openCacheDir();
    const tracker = await startCached(cacheDir);
    await tracker.track(async () => await chat('b12 before'));
    await tracker.stop();
    const expectRows = async (rows: number) =>
      await vi.waitFor(() => expect(countRows(cacheDir)).toBe(rows), { timeout: 5000, interval: 20 });
    await expectRows(1);
    await tracker.start();
    await tracker.track(async () => await chat('b12 after'));
    await expectRows(2);
    expect((await tracker.records()).map(({ cached }) => cached)).toEqual([false, false]);
  });

  it('sees what another tracker keeps in the same folder, while both are open', async () => {
    const cacheDir = openCacheDir();
    const [one, other] = [await startCached(cacheDir), await startCached(cacheDir)];
    await other.track(async () => await chat('of the other'));
    await one.track(async () => await chat('of one'));
    await one.flushCache();
    await other.track(async () => await chat('of one'));
    expect((await other.records()).map(({ cached }) => cached)).toEqual([false, true]);
  });

  it('has its scopes say otherwise, and their calls by a header', async () => {
    const tracker = await startCached(null);
    const ask = async (cache?: 'only' | null) =>
      await tracker.track(cache === undefined ? {} : { cache }, async () => (await startChat('scoped')).status);
    expect([await ask('only'), await ask(), await ask(null), await ask('only'), await ask()]).toEqual([
      412, 200, 200, 200, 200,
    ]);
    expect((await tracker.records()).map(({ cached }) => cached)).toEqual([false, false, false, true, true]);
  });

  it('is told a time to live and a pace as well', async () => {
    const tracker = await startCached(openCacheDir(), { cache: { ttlMs: 3_600_000, replaySpeed: 4 } });
    await tracker.track(async () => [await chat('kept'), await chat('kept')]);
    expect((await tracker.records()).map(({ cached }) => cached)).toEqual([false, true]);
  });
});
