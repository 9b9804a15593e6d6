import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';
import workerThreads from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { installSpawn } from '../../../src/activation/spawn/install-spawn.js';
import type { ScopedSession } from '../../../src/core/scope.js';
import { importWays, readChildEnv, requireWays, type Ways } from './load-agents.js';

/** Everything a program can look at in the modules, and what ESM imports of them are bound to. */
async function look() {
  const { ChildProcess } = childProcess;
  return {
    childProcess: Object.getOwnPropertyDescriptors(childProcess),
    prototype: Object.getOwnPropertyDescriptors(ChildProcess.prototype),
    workerThreads: Object.getOwnPropertyDescriptors(workerThreads),
    namedProcess: { ...(await import('node:child_process')) },
    namedWorkers: { ...(await import('node:worker_threads')) },
  };
}

const noted: unknown[] = [];
const session = {
  session: { sessionId: 'sess_000000000001' },
  isOpen: true,
  force: false,
  makeChildVariables: () => ({ LLMTAP_SESSION_ID: 'sess_000000000001' }),
  noteDescendant: (descendant: unknown) => noted.push(descendant),
  announceFault: () => undefined,
} as unknown as ScopedSession;

async function readSessionOf(ways: Ways, name: string): Promise<string | undefined> {
  const way = ways[name];
  if (way === undefined) throw new Error(`no way ${name}`);
  const env = await runInScope(session, () => readChildEnv(way));
  return env.LLMTAP_SESSION_ID;
}

afterEach(() => {
  noted.length = 0;
});

describe('what is installed for children', () => {
  it('leaves every property and every import as it was once it is undone, and may be undone twice', async () => {
    const before = await look();
    const undo = installSpawn();
    expect(await look()).not.toEqual(before);
    undo();
    undo();
    expect(await look()).toEqual(before);
  });

  it('looks like what it replaces', () => {
    const { spawnSync, execFile } = childProcess;
    const { Worker } = workerThreads;
    const undo = installSpawn();
    try {
      expect(childProcess.spawnSync).not.toBe(spawnSync);
      expect(childProcess.spawnSync.name).toBe('spawnSync');
      expect(childProcess.spawnSync.length).toBe(spawnSync.length);
      expect(Reflect.get(childProcess.execFile, promisify.custom)).toBe(Reflect.get(execFile, promisify.custom));
      expect(workerThreads.Worker).not.toBe(Worker);
      expect(workerThreads.Worker.name).toBe('Worker');
      expect(workerThreads.Worker.prototype).toBe(Worker.prototype);
    } finally {
      undo();
    }
  });

  it.each([
    { order: 'older', pick: (undos: (() => void)[]) => undos },
    { order: 'newer', pick: (undos: (() => void)[]) => undos.toReversed() },
  ])('stays until both who installed it have undone it, the $order first', async ({ pick }) => {
    const before = await look();
    const [one, two] = pick([installSpawn(), installSpawn()]);
    one?.();
    const ways = requireWays();
    expect(await readSessionOf(ways, 'spawn')).toBe('sess_000000000001');
    expect(noted).toHaveLength(1);
    two?.();
    expect(await look()).toEqual(before);
    expect(await readSessionOf(ways, 'spawnSync')).toBeUndefined();
  });

  it('is there once for two copies of the package, and sees the scopes of both', async () => {
    const before = await look();
    vi.resetModules();
    const copy = await import('../../../src/activation/spawn/install-spawn.js');
    expect(copy.installSpawn).not.toBe(installSpawn);
    const undos = [installSpawn(), copy.installSpawn()];
    expect(await readSessionOf(requireWays(), 'exec')).toBe('sess_000000000001');
    expect(noted).toHaveLength(1);
    undos[0]?.();
    expect(await readSessionOf(requireWays(), 'Worker')).toBe('sess_000000000001');
    undos[1]?.();
    expect(await look()).toEqual(before);
  });

  it('leaves another’s patch on top in place, passes through it, and can be installed again', async () => {
    const { prototype } = childProcess.ChildProcess as unknown as { prototype: Record<'spawn', () => unknown> };
    const before = await look();
    const undo = installSpawn();
    const ours = { spawn: prototype.spawn, execSync: childProcess.execSync, Worker: workerThreads.Worker };
    const calls: string[] = [];
    const replace = (holder: object, name: string, value: unknown) => Reflect.set(holder, name, value);
    replace(prototype, 'spawn', function (this: unknown, ...args: []) {
      calls.push('spawn');
      return Reflect.apply(ours.spawn, this, args);
    });
    replace(childProcess, 'execSync', (...args: Parameters<typeof childProcess.execSync>) => {
      calls.push('execSync');
      return ours.execSync(...args);
    });
    class Theirs extends ours.Worker {}
    replace(workerThreads, 'Worker', Theirs);
    syncBuiltinESMExports();
    const ways = requireWays();
    const names = ['spawn', 'execSync', 'Worker'];
    for (const name of names) expect(await readSessionOf(ways, name)).toBe('sess_000000000001');
    undo();
    expect(workerThreads.Worker).toBe(Theirs);
    for (const name of names) expect(await readSessionOf(ways, name)).toBeUndefined();
    const again = installSpawn();
    for (const name of names) expect(await readSessionOf(requireWays(), name)).toBe('sess_000000000001');
    again();
    for (const name of names) expect(await readSessionOf(requireWays(), name)).toBeUndefined();
    expect(calls).toEqual(['spawn', 'execSync', 'spawn', 'execSync', 'spawn', 'execSync', 'spawn', 'execSync']);
    for (const [holder, name, value] of [
      [prototype, 'spawn', before.prototype.spawn],
      [childProcess, 'execSync', before.childProcess.execSync],
      [workerThreads, 'Worker', before.workerThreads.Worker],
    ] as const)
      Object.defineProperty(holder, name, value ?? {});
    syncBuiltinESMExports();
    expect(await look()).toEqual(before);
  });

  it('changes nothing by being imported', async () => {
    const before = await look();
    vi.resetModules();
    await import('../../../src/activation/spawn/install-spawn.js');
    await importWays('by-package.mjs');
    expect(await look()).toEqual(before);
  });
});
