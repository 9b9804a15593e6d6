import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { HostLink } from '../../src/core/link.js';
import { openWorkerLink } from '../../src/worker/worker-link.js';
import { openProviderProcess, type ProviderProcess } from '../fixtures/provider-process.js';
import { makeHome, openLab, useSources } from './link-lab.js';

const sources = useSources();
const run = promisify(execFile);
const child = fileURLToPath(new URL('children/ask-through-door.js', import.meta.url));

/** Runs a program that has `openWorkerLink` and `entry`, as a user's own does. */
async function runProgram(
  body: string,
  { flags = [], env = {} }: { readonly flags?: readonly string[]; readonly env?: Record<string, string> } = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const file = join(makeHome(), 'program.mjs');
  writeFileSync(
    file,
    `import { openWorkerLink } from ${JSON.stringify(sources.url('worker/worker-link.js').href)};
     const entry = new URL(${JSON.stringify(sources.url('worker/mortal-entry.js').href)});
     ${body}`,
  );
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  return await run(process.execPath, [...flags, file], { env: { ...inherited, ...env }, timeout: 20_000 });
}

describe('the thread of a host', () => {
  let provider: ProviderProcess;
  beforeAll(async () => {
    provider = await openProviderProcess();
  });
  afterAll(async () => await provider.close());

  async function openToProvider(): Promise<HostLink> {
    const connectTo = [`:443:127.0.0.1:${provider.port}`];
    const options = { home: makeHome(), env: {}, connectTo, upstreamCa: provider.caPath, trackerId: 't' };
    const link = await openWorkerLink(options, sources.url('worker/entry.js'));
    onTestFinished(async () => await link.close());
    return link;
  }

  it('serves a child that this thread waits for without turning its loop', async () => {
    const link = await openToProvider();
    const { proxyUrl } = await link.openSession();
    const events: string[] = [];
    link.onEvent(({ type }) => void events.push(type));
    const said = execFileSync(process.execPath, [child, proxyUrl, link.facts.caPath], { timeout: 20_000 });
    expect(JSON.parse(said.toString())).toMatchObject({ status: 200 });
    expect(events).toEqual([]);
    expect(await link.records({})).toMatchObject([{ outcome: 'ok', status: 200 }]);
    expect(events).toEqual(['call.completed']);
  });

  it.each([
    ['busy', () => performance.now() < untilMs],
    ['asleep', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000) === 'ok'],
  ])('serves a child while this thread is %s for two seconds', async (_, goOn) => {
    const link = await openToProvider();
    const { proxyUrl } = await link.openSession();
    const asking: ChildProcess = spawn(process.execPath, [child, proxyUrl, link.facts.caPath], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    untilMs = performance.now() + 2000;
    while (goOn());
    const unblockedAt = Date.now();
    if (asking.stdout === null) throw new Error('the child says nothing');
    const { status, at } = JSON.parse(await text(asking.stdout)) as { status: number; at: number };
    expect(status).toBe(200);
    expect(at).toBeLessThan(unblockedAt);
    expect(await link.records({})).toHaveLength(1);
  });
  let untilMs = 0;

  it('lets a program end that has left its link open, with sessions', async () => {
    const { stdout } = await runProgram(
      `const link = await openWorkerLink({ env: {}, home: ${JSON.stringify(makeHome())} }, entry);
       link.onEvent(() => undefined);
       await link.openSession();
       console.log('done');`,
    );
    expect(stdout).toBe('done\n');
  });

  it('holds a program open while something is asked, also over a restart', async () => {
    const { stdout } = await runProgram(
      `let thread;
       const onThread = (started) => { thread ??= started; };
       const link = await openWorkerLink({ env: {}, home: ${JSON.stringify(makeHome())}, onThread }, entry);
       await link.openSession();
       thread.postMessage({ kind: 'test', way: 'stick', ms: 60_000 });
       const asked = link.records({});
       void thread.terminate();
       console.log((await asked).length);`,
    );
    expect(stdout).toBe('0\n');
  });

  it('holds a program open while a call waits for it to serve again', async () => {
    const { stdout } = await runProgram(
      `let thread;
       const onThread = (started) => { thread ??= started; };
       const link = await openWorkerLink({ env: {}, home: ${JSON.stringify(makeHome())}, onThread }, entry);
       for (let i = 0; i < 50; i++) await link.openSession();
       await thread.terminate();
       console.log(link.state);
       await link.whenSettled();
       console.log(link.state);`,
    );
    expect(stdout).toBe('restarting\nserving\n');
  });

  it('runs no preload of the program’s, and prints nothing, warnings included', async () => {
    const home = makeHome();
    const [preload, loader] = [join(home, 'preload.cjs'), join(home, 'loader.mjs')];
    writeFileSync(loader, `import ${JSON.stringify(preload)};`);
    writeFileSync(
      preload,
      `require('node:fs').appendFileSync(${JSON.stringify(join(home, 'loaded'))}, require('node:worker_threads').isMainThread ? 'main ' : 'thread ');`,
    );
    const { stdout, stderr } = await runProgram(
      `let thread;
       const env = { ...process.env, LLMTAP_HOOK: 'x' };
       const onThread = (started) => { thread = started; };
       const link = await openWorkerLink({ env, home: ${JSON.stringify(home)}, onThread }, entry);
       thread.postMessage({ kind: 'test', way: 'warn' });
       thread.postMessage({ kind: 'test', way: 'throw' });
       await new Promise((resolve) => { link.onEvent(resolve); thread.ref(); });
       await link.close();`,
      { flags: ['--require', preload, '--import', loader], env: { NODE_OPTIONS: `--import ${loader}` } },
    );
    expect([stdout, stderr]).toEqual(['', '']);
    expect(readFileSync(join(home, 'loaded'), 'utf8')).not.toContain('thread');
  });

  it('is started again when it has filled its memory', async () => {
    const { stdout } = await runProgram(
      `let thread;
       const onThread = (started) => { thread = started; };
       const link = await openWorkerLink({ env: {}, home: ${JSON.stringify(makeHome())}, onThread }, entry);
       await link.openSession();
       const told = new Promise((resolve) => link.onEvent(({ fault }) => fault && resolve(fault)));
       thread.postMessage({ kind: 'test', way: 'fill' });
       const awake = setTimeout(() => undefined, 20_000);
       const { code, message } = await told;
       clearTimeout(awake);
       console.log(JSON.stringify({ code, message, state: link.state }));
       await link.close();`,
      { flags: ['--max-old-space-size=128'] },
    );
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ code: 'HOST_RESTARTED', state: 'serving' },
      message: expect.stringContaining('out of memory') as string,
    });
  });

  it('is made by the class of Node’s own, whatever stands in its place since', async () => {
    const workerThreads = createRequire(import.meta.url)('node:worker_threads') as { Worker: unknown };
    const { Worker: original } = workerThreads;
    workerThreads.Worker = class {
      constructor() {
        throw new Error('replaced');
      }
    };
    syncBuiltinESMExports();
    try {
      const { link } = await openLab(sources);
      expect(link.state).toBe('serving');
    } finally {
      workerThreads.Worker = original;
      syncBuiltinESMExports();
    }
  });
});
