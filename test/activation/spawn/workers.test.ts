import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import workerThreads, { SHARE_ENV, type WorkerOptions } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { installSpawn } from '../../../src/activation/spawn/install-spawn.js';
import { openRig, type Rig } from '../../fixtures/rig.js';
import { openSpawnSession, type SpawnSession } from '../../fixtures/spawn-session.js';

let rig: Rig;
let session: SpawnSession;
let undo: () => void;
let saved: NodeJS.ProcessEnv;

beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  saved = { ...process.env };
  Reflect.deleteProperty(process.env, 'NODE_OPTIONS');
  session = openSpawnSession(rig);
  undo = installSpawn();
});
afterEach(async () => {
  undo();
  await session.whenAlone();
  session.close();
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, saved);
});

interface Told {
  readonly env: Record<string, string>;
  readonly execArgv: string[];
  readonly isHooked: boolean;
  readonly isPreloaded: boolean;
}

const script = `require('node:worker_threads').parentPort.postMessage({
  env: { ...process.env },
  execArgv: process.execArgv,
  isHooked: Reflect.has(require('node:tls'), Symbol.for('llmtap.node-hook')),
  isPreloaded: globalThis.isPreloaded === true,
})`;

async function ask(options: WorkerOptions = {}): Promise<Told> {
  const worker = runInScope(session, () => new workerThreads.Worker(script, { eval: true, ...options }));
  const [told] = (await once(worker, 'message')) as [Told];
  return told;
}

describe('a Worker in a scope', () => {
  it('has the session’s variables over a copy of the process’s, and its hook', async () => {
    const before = { ...process.env };
    const { env, isHooked } = await ask();
    expect(isHooked).toBe(true);
    expect(env).toMatchObject({ LLMTAP_SESSION_ID: session.session.sessionId, PATH: before.PATH });
    expect(process.env).toEqual(before);
  });

  it('keeps the flags it would have had', async () => {
    const { execArgv, isHooked } = await ask({ execArgv: ['--no-warnings'] });
    expect(execArgv).toEqual(['--no-warnings']);
    expect(isHooked).toBe(true);
    expect((await ask()).execArgv).toEqual(process.execArgv);
  });

  it('keeps preloads and flags of NODE_OPTIONS, without those no Worker may be given', async () => {
    const preload = join(rig.home, 'pre load.cjs');
    writeFileSync(preload, 'globalThis.isPreloaded = true;');
    process.env.NODE_OPTIONS = `--title="a b" --no-deprecation --require "${preload}" --use-openssl-ca`;
    const { env, isHooked, isPreloaded } = await ask();
    expect({ isHooked, isPreloaded }).toEqual({ isHooked: true, isPreloaded: true });
    expect(env.NODE_OPTIONS).not.toMatch(/title|openssl/);
    expect(env.NODE_OPTIONS).toContain('--no-deprecation');
    expect([...session.announced]).toEqual([]);
  });

  it('is refused what Node refuses, in the same words', () => {
    const wrong: readonly unknown[] = [
      { execArgv: ['--title=x'] },
      { env: { NODE_OPTIONS: '--title=x' } },
      { env: 1 },
      { env: 'text' },
      { argv: 1 },
      { execArgv: ['--no-such-flag'], env: { A: '1' } },
    ];
    for (const options of wrong) {
      const start = () => new workerThreads.Worker(script, { eval: true, ...(options as WorkerOptions) });
      let plain: Error | undefined;
      try {
        start();
      } catch (error) {
        plain = error as Error;
      }
      expect(plain).toBeInstanceOf(Error);
      expect(() => runInScope(session, start)).toThrow(plain?.message);
    }
    expect(session.descendants).toEqual([]);
  });

  it('that shares the process’s environment is left alone, and told of', async () => {
    const before = { ...process.env };
    const { env, isHooked } = await ask({ env: SHARE_ENV });
    expect(isHooked).toBe(false);
    expect(env).toEqual(before);
    expect(process.env).toEqual(before);
    expect(session.descendants).toEqual([]);
    expect([...session.announced]).toEqual([expect.stringMatching(/^IN_PROCESS_UNSEEN .*SHARE_ENV/)]);
  });

  it('may be of a class of the program’s own', async () => {
    class OwnWorker extends workerThreads.Worker {
      readonly mark = 'own';
    }
    const worker = runInScope(session, () => new OwnWorker(script, { eval: true }));
    const [{ env }] = (await once(worker, 'message')) as [Told];
    expect(env.LLMTAP_SESSION_ID).toBe(session.session.sessionId);
    expect(worker).toBeInstanceOf(OwnWorker);
    expect(worker).toBeInstanceOf(workerThreads.Worker);
    expect(worker.mark).toBe('own');
    expect(() => Reflect.apply(workerThreads.Worker as never, undefined, [script])).toThrow(TypeError);
  });

  it('is noted as one of the session until it ends', async () => {
    await ask();
    expect(session.descendants).toHaveLength(1);
    await session.whenAlone();
  });

  it('takes an env of the caller’s that cannot be read, as it is', async () => {
    const { env, isHooked } = await ask({ env: { LLMTAP_HOOK: 'garbage' } });
    expect(env.LLMTAP_HOOK).toBe('garbage');
    expect(isHooked).toBe(false);
  });
});
