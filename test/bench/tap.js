// The tap of the bench, in a process of its own: recording on, as `llmtap run` has it. Answers questions by IPC.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [upstreamPort, upstreamCa, caching] = process.argv.slice(2);
const home = mkdtempSync(join(tmpdir(), 'llmtap-bench-tap-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));

const importedAt = performance.now();
const { openHost } = await import('../../dist/host/host.js');
const openedAt = performance.now();
const host = await openHost({
  home,
  env: {},
  connectTo: [`:443:127.0.0.1:${upstreamPort}`],
  upstreamCa,
  // As `llmtap run` has it: what the first call needs is loaded while the program starts.
  warm: 'later',
  cache: { path: join(home, 'cached', 'cache.db') },
});
const session = await host.openSession(caching === 'cache' ? { cache: { mode: 'on' } } : {});
const readyAt = performance.now();
host.warm();

const collect = () => {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
};

let peak = 0;
let atPeak = null;
let sampler;
const questions = {
  cpu: () => process.cpuUsage(),
  /** Milliseconds: of imports, of opening host and first session, and from the process's start until then. */
  start: () => ({ importMs: openedAt - importedAt, openMs: readyAt - openedAt, sinceProcessStartMs: readyAt }),
  /** Starts watching resident memory from a settled state. */
  watchMemory: () => {
    collect();
    const { rss } = process.memoryUsage();
    peak = rss;
    atPeak = null;
    sampler = setInterval(() => {
      const now = process.memoryUsage();
      if (now.rss > peak) {
        peak = now.rss;
        atPeak = now;
      }
    }, 20);
    return { rss };
  },
  memoryPeak: () => {
    clearInterval(sampler);
    return { peak, atPeak };
  },
  sessions: async () => {
    const times = [];
    for (let i = 0; i < 300; i++) {
      const begin = performance.now();
      const opened = await host.openSession();
      times.push(performance.now() - begin);
      await opened.close();
    }
    return { times };
  },
  manySessions: async () => {
    collect();
    const before = process.memoryUsage().rss;
    const opened = [];
    for (let i = 0; i < 1000; i++) opened.push(await host.openSession());
    collect();
    const after = process.memoryUsage().rss;
    await Promise.all(opened.map((one) => one.close()));
    return { bytes: after - before };
  },
};

/** Sessions for `routing.js`: each stays open until the end. */
const models = { candidates: ['gpt-4o-mini', 'gpt-4.1-mini'], seed: 42 };
const limits = { maxCostUsd: 1e9, maxCalls: 1e9, maxTokens: 1e12 };
const openAs = (options) => async () => ({ port: (await host.openSession(options)).port });
Object.assign(questions, {
  plainSession: openAs({}),
  randomSession: openAs({ router: { name: 'random', options: models } }),
  byLengthSession: openAs({
    router: { name: 'byLength', options: { short: 'gpt-4o-mini', long: 'gpt-4.1', chars: 100 } },
  }),
  budgetSession: openAs({ budget: limits }),
});

process.on('message', async ({ id, question }) => {
  process.send?.({ id, answer: await questions[question]() });
});
process.on('disconnect', async () => {
  await host.close();
  process.exit(0);
});
process.send?.({ port: session.port, ca: readFileSync(host.caPath, 'utf8') });
