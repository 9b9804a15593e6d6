import child_process from 'node:child_process';
import diagnostics_channel from 'node:diagnostics_channel';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import nodeModule from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import worker_threads from 'node:worker_threads';
import undici from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chat, openTrackerLab, type TrackerLab } from './tracker-lab.js';

let lab: TrackerLab;
beforeAll(async () => {
  lab = await openTrackerLab();
});
afterAll(async () => await lab.close());

/** Everything a patch of ours could hang on, with all it inherits. */
function listHolders(): [name: string, holder: object][] {
  const modules = {
    child_process,
    diagnostics_channel,
    http,
    http2,
    https,
    nodeModule,
    net,
    tls,
    worker_threads,
    undici,
  };
  const globalDispatcher = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')) as object;
  const roots: [string, unknown][] = [
    ...Object.entries({ ...modules, globalThis, process, globalDispatcher, Duplex: net.Socket.prototype }),
    ...Object.entries(modules).flatMap(([name, module]) =>
      Object.entries(module).map(([key, value]) => [`${name}.${key}`, value] as [string, unknown]),
    ),
  ];
  const found = new Map<object, string>();
  for (const [name, root] of roots) {
    if ((typeof root !== 'object' && typeof root !== 'function') || root === null) continue;
    if (!found.has(root)) found.set(root, name);
    for (let proto: unknown = typeof root === 'function' ? root.prototype : Object.getPrototypeOf(root); proto; ) {
      if (!found.has(proto)) found.set(proto, `${name} (prototype)`);
      proto = Object.getPrototypeOf(proto);
    }
  }
  return [...found].map(([holder, name]) => [name, holder]);
}

type Snapshot = ReadonlyMap<
  object,
  { readonly name: string; readonly own: ReadonlyMap<PropertyKey, PropertyDescriptor> }
>;

function takeSnapshot(): Snapshot {
  return new Map(
    listHolders().map(([name, holder]) => {
      const keys = Reflect.ownKeys(holder).filter((key) => key !== '_events' && key !== '_eventsCount');
      const own = new Map(keys.map((key) => [key, Object.getOwnPropertyDescriptor(holder, key) ?? {}]));
      return [holder, { name, own }];
    }),
  );
}

function listChanges(before: Snapshot, after: Snapshot): string[] {
  const parts = ['value', 'get', 'set', 'writable', 'enumerable', 'configurable'] as const;
  return [...before].flatMap(([holder, { name, own }]) => {
    const now = after.get(holder)?.own ?? new Map<PropertyKey, PropertyDescriptor>();
    return [...new Set([...own.keys(), ...now.keys()])]
      .filter((key) => {
        const [was, is] = [own.get(key), now.get(key)];
        return was === undefined || is === undefined || parts.some((part) => !Object.is(was[part], is[part]));
      })
      .map((key) => `${name}.${String(key)}`);
  });
}

it('a tracker that has stopped leaves every property as it was, though it changed some', async () => {
  void globalThis.Response;
  // Node's streams count in lazily made properties: one call of each kind first.
  await lab
    .makeTracker()
    .start()
    .then(async (first) => {
      await first.track(async () => await chat('first'));
      await first.close();
    });
  const before = takeSnapshot();
  const [a, b] = [lab.makeTracker(), lab.makeTracker({ runId: 'life' })];
  await a.start();
  await b.start();
  await a.track(async () => await chat('one'));
  const during = listChanges(before, takeSnapshot());
  expect(during).toEqual(expect.arrayContaining(['tls.connect', 'net.connect', 'child_process.spawnSync']));
  await a.stop();
  expect(listChanges(before, takeSnapshot())).toEqual(expect.arrayContaining(['tls.connect']));
  await b.close();
  expect(listChanges(before, takeSnapshot())).toEqual([]);
  await a.close();
});

it('a start that fails leaves everything as it was, and may be tried again', async () => {
  const before = takeSnapshot();
  const cannotListen = lab.makeTracker({ bindAddress: '203.0.113.7', runId: 'nowhere' });
  await expect(cannotListen.start()).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  await expect(cannotListen.start()).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  const cannotOpen = lab.makeTracker({ upstreamCa: '/nowhere.pem' });
  await expect(cannotOpen.start()).rejects.toMatchObject({ code: 'UPSTREAM_CA_UNREADABLE' });
  expect(listChanges(before, takeSnapshot())).toEqual([]);
});

it('the storage of scopes is disabled when the last tracker has stopped: Node would go on asking it at every promise', async () => {
  const tracker = await lab.makeTracker().start();
  await tracker.track(() => undefined);
  const state: unknown = Reflect.get(globalThis, Symbol.for('llmtap.scope.1'));
  const storage: unknown = Reflect.get(state as object, 'storage');
  expect(Reflect.get(storage as object, 'enabled')).toBe(true);
  await tracker.stop();
  expect(Reflect.get(storage as object, 'enabled')).toBe(false);
});
