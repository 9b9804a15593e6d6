import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openAuthority } from '../../src/ca/authority.js';
import { type LeafStore, type LeafStoreOptions, openLeafStore } from '../../src/ca/leaf-store.js';
import type { Clock } from '../../src/core/clock.js';
import { type CompiledSources, compileSources } from './compiled-sources.js';
import { makeTemporaryHome } from './temporary-home.js';
import { openTlsServer, shakeHands } from './tls-loopback.js';

const run = promisify(execFile);
const dayMs = 86_400_000;
let sources: CompiledSources;
beforeAll(() => {
  sources = compileSources();
});
afterAll(() => sources.remove());

function open(options: LeafStoreOptions = {}): { readonly store: LeafStore; readonly rootPem: string } {
  const authority = openAuthority(makeTemporaryHome());
  const store = openLeafStore(authority, { workerUrl: new URL('ca/leaf-worker.js', sources.url), ...options });
  onTestFinished(() => store.close());
  return { store, rootPem: authority.certPem };
}

function makeClock(startMs: number): Clock & { advance(ms: number): void } {
  let nowMs = startMs;
  return {
    monotonicMs: () => nowMs,
    nowMs: () => nowMs,
    nowIso: () => new Date(nowMs).toISOString(),
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

/** A worker written for one test. */
function makeWorker(code: string): URL {
  const path = join(makeTemporaryHome(), 'worker.mjs');
  writeFileSync(path, code);
  return pathToFileURL(path);
}

/** The workers this process starts from now on, until the test ends. */
function watchWorkers(): readonly Worker[] {
  const workers: Worker[] = [];
  const listen = (message: unknown): void => void workers.push((message as { readonly worker: Worker }).worker);
  subscribe('worker_threads', listen);
  onTestFinished(() => void unsubscribe('worker_threads', listen));
  return workers;
}

describe.each([
  ['in its worker', (): LeafStoreOptions => ({})],
  ['on the loop, its worker being missing', (): LeafStoreOptions => ({ workerUrl: new URL('absent.js', sources.url) })],
])('a store that makes leaves %s', (_name, makeOptions) => {
  test('answers handshakes for names and addresses', async () => {
    const { store, rootPem } = open(makeOptions());
    for (const host of ['api.openai.com', 'API.Anthropic.com']) {
      const port = await openTlsServer(await store.contextFor(host));
      const peer = await shakeHands({ port, ca: rootPem, servername: host.toLowerCase() });
      expect(peer.subjectaltname).toBe(`DNS:${host.toLowerCase()}`);
    }
    const port = await openTlsServer(await store.contextFor('127.0.0.1'));
    await expect(shakeHands({ port, ca: rootPem })).resolves.toMatchObject({ subjectaltname: 'IP Address:127.0.0.1' });
  });

  test('shares one making between callers that ask at once, however they write the name', async () => {
    const { store } = open(makeOptions());
    const asked = ['a.example', 'A.example', 'a.example.', 'a.example'].map((host) => store.contextFor(host));
    const contexts = await Promise.all(asked);
    expect(new Set(contexts).size).toBe(1);
    expect(await store.contextFor('a.example')).toBe(contexts[0]);
  });

  test('answers every one of many hosts asked for at once', async () => {
    const { store } = open(makeOptions());
    const hosts = Array.from({ length: 50 }, (_, index) => `host-${index}.example`);
    const contexts = await Promise.all(hosts.map((host) => store.contextFor(host)));
    expect(new Set(contexts).size).toBe(50);
  });

  test('refuses a name that is none', async () => {
    const { store } = open(makeOptions());
    await expect(store.contextFor('../../etc')).rejects.toMatchObject({ code: 'HOST_NAME_INVALID' });
  });

  test('rejects whoever waits when it is closed, and whoever asks later', async () => {
    const { store } = open(makeOptions());
    const waiting = store.contextFor('a.example');
    const closing = store.close();
    await expect(waiting).rejects.toMatchObject({ code: 'HOST_CLOSED' });
    await closing;
    await expect(store.contextFor('a.example')).rejects.toMatchObject({ code: 'HOST_CLOSED' });
    await store.close();
  });
});

test('renews a leaf from seven days before its end', async () => {
  const clock = makeClock(Date.now() - 24 * dayMs);
  const { store, rootPem } = open({ clock });
  const first = await store.contextFor('a.example');
  clock.advance(22 * dayMs);
  expect(await store.contextFor('a.example')).toBe(first);
  clock.advance(2 * dayMs);
  const second = await store.contextFor('a.example');
  expect(second).not.toBe(first);
  const serials = await Promise.all(
    [first, second].map(async (context) => {
      const port = await openTlsServer(context);
      const peer = await shakeHands({ port, ca: rootPem, servername: 'a.example' });
      return new X509Certificate(peer.raw).serialNumber;
    }),
  );
  expect(new Set(serials).size).toBe(2);
});

test('forgets the host unused for longest beyond its capacity', async () => {
  const { store } = open({ capacity: 2 });
  const [a, b] = [await store.contextFor('a.example'), await store.contextFor('b.example')];
  expect(await store.contextFor('a.example')).toBe(a);
  await store.contextFor('c.example');
  expect(await store.contextFor('a.example')).toBe(a);
  expect(await store.contextFor('b.example')).not.toBe(b);
});

test('has warmed hosts at hand, and passes over one that is no name', async () => {
  const { store } = open();
  await store.warm(['a.example', '*.nonsense', 'b.example']);
  const order: string[] = [];
  const asked = store.contextFor('b.example').then(() => order.push('context'));
  setImmediate(() => order.push('turn'));
  await asked;
  await new Promise(setImmediate);
  expect(order).toEqual(['context', 'turn']);
});

test('serves a host asked for while others are being warmed before those', async () => {
  const { store } = open();
  const order: string[] = [];
  const hosts = Array.from({ length: 40 }, (_, index) => `host-${index}.example`);
  const warming = store.warm(hosts).then(() => order.push('warmed'));
  await store.contextFor('urgent.example').then(() => order.push('urgent'));
  await warming;
  expect(order).toEqual(['urgent', 'warmed']);
});

test('lets other work run between the hosts it warms', async () => {
  const { store } = open();
  let turns = 0;
  let isWarming = true;
  const count = (): void => {
    turns++;
    if (isWarming) setImmediate(count);
  };
  setImmediate(count);
  await store.warm(Array.from({ length: 30 }, (_, index) => `host-${index}.example`));
  isWarming = false;
  expect(turns).toBeGreaterThanOrEqual(30);
});

test('stops warming when it is closed', async () => {
  const { store } = open();
  const warming = store.warm(Array.from({ length: 500 }, (_, index) => `host-${index}.example`));
  await store.contextFor('host-0.example');
  await store.close();
  await warming;
});

test('goes on making leaves when its worker dies', async () => {
  const workerUrl = makeWorker(`
    import { parentPort } from 'node:worker_threads';
    parentPort.once('message', () => process.exit(1));
  `);
  const { store, rootPem } = open({ workerUrl });
  const contexts = await Promise.all(['a.example', 'b.example'].map((host) => store.contextFor(host)));
  contexts.push(await store.contextFor('c.example'));
  const port = await openTlsServer(contexts[2] ?? expect.fail('no context'));
  await shakeHands({ port, ca: rootPem, servername: 'c.example' });
});

test('says what was wrong when its worker cannot make a leaf, and tries again when asked again', async () => {
  const workerUrl = makeWorker(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ id }) => parentPort.postMessage({ id, problem: 'out of luck ' + id }));
  `);
  const { store } = open({ workerUrl });
  for (const id of [1, 2]) {
    await expect(store.contextFor('a.example')).rejects.toMatchObject({
      code: 'INTERNAL',
      message: `Could not make a certificate for a.example: out of luck ${id}`,
    });
  }
});

test('starts one thread with the first host and leaves none when closed', async () => {
  const workers = watchWorkers();
  const { store } = open();
  expect(workers).toHaveLength(0);
  await store.contextFor('a.example');
  await store.contextFor('b.example');
  expect(workers.map((worker) => worker.threadId)).toEqual([expect.any(Number)]);
  expect(workers[0]?.threadId).toBeGreaterThan(0);
  await store.close();
  expect(workers.map((worker) => worker.threadId)).toEqual([-1]);
});

test('never keeps a process open, also when nobody closes it', async () => {
  const code = `
    import { openAuthority } from ${JSON.stringify(new URL('ca/authority.js', sources.url).href)};
    import { openLeafStore } from ${JSON.stringify(new URL('ca/leaf-store.js', sources.url).href)};
    const store = openLeafStore(openAuthority(${JSON.stringify(makeTemporaryHome())}));
    void store.warm(['b.example']);
    await store.contextFor('a.example');
    process.stdout.write('made');
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 });
  expect(stdout).toBe('made');
});

test('starts its worker without the flags and preloads of the process', async () => {
  const preload = join(makeTemporaryHome(), 'preload.cjs');
  writeFileSync(preload, `if (!require('node:worker_threads').isMainThread) throw new Error('preloaded');`);
  const code = `
    import { subscribe } from 'node:diagnostics_channel';
    import { openAuthority } from ${JSON.stringify(new URL('ca/authority.js', sources.url).href)};
    import { openLeafStore } from ${JSON.stringify(new URL('ca/leaf-store.js', sources.url).href)};
    subscribe('worker_threads', ({ worker }) => worker.on('error', (error) => console.log(error.message)));
    const store = openLeafStore(openAuthority(${JSON.stringify(makeTemporaryHome())}));
    await store.contextFor('a.example');
    await store.close();
    console.log('made');
  `;
  const env = { ...process.env, NODE_OPTIONS: `--require="${preload}"` };
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { env, timeout: 20_000 });
  expect(stdout).toBe('made\n');
});
