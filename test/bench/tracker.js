// A program with a tracker, as the bench asks it: its own calls and those of its children, in scopes and outside, over
// the same client, in turns. Answers questions by IPC.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const begin = performance.now();
const { LLMTracker } = await import('../../dist/index.js');
const importMs = performance.now() - begin;
const { Agent, request } = await import('undici');

const [upstreamPort, upstreamCa] = process.argv.slice(2);
const run = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), 'llmtap-bench-tracker-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));

const baseUrl = `https://api.openai.com:${upstreamPort}`;
const url = `${baseUrl}/v1/chat/completions`;
const toLoopback = (_host, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
const makeDispatcher = () => new Agent({ connect: { ca: readFileSync(upstreamCa, 'utf8'), lookup: toLoopback } });
const dispatcher = makeDispatcher();
const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-bench-0000000000000000' };
const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'word '.repeat(600) }] });

const tracker = new LLMTracker({
  home,
  connectTo: [`api.openai.com:${upstreamPort}:127.0.0.1:${upstreamPort}`],
  providers: [{ name: 'bench', baseUrl }],
  upstreamCa,
});
const startBegin = performance.now();
await tracker.start();
const startMs = performance.now() - startBegin;

async function askOnce() {
  const { statusCode, body: reply } = await request(url, { method: 'POST', headers, body, dispatcher });
  await reply.arrayBuffer();
  if (statusCode !== 200) throw new Error(`status ${statusCode}`);
}

async function timeCalls(count) {
  const times = [];
  for (let i = 0; i < count; i++) {
    const at = performance.now();
    await askOnce();
    times.push(performance.now() - at);
  }
  return times;
}

/** Milliseconds from a child's start to its end, with one call between. */
async function timeChild() {
  const at = performance.now();
  const child = fileURLToPath(new URL('tracker-child.js', import.meta.url));
  const { stdout } = await run(process.execPath, [child, url, upstreamCa]);
  if (stdout.trim() !== '200') throw new Error(`the child said ${stdout}`);
  return performance.now() - at;
}

const collect = () => {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
};

/** What grows when something is left behind: heap, open files with ports, handles. */
function measure() {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return {
    heapUsed,
    rss,
    files: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().length,
  };
}

const questions = {
  start: () => ({ importMs, startMs }),
  /** In turns, so that a slow moment is everybody's. */
  calls: async () => {
    const [direct, tracked] = [[], []];
    // As warm as the other ways are when they are measured.
    await timeCalls(1500);
    await tracker.track({ runId: 'warm' }, async () => await timeCalls(1500));
    for (let i = 0; i < 20; i++) {
      direct.push(...(await timeCalls(50)));
      await tracker.track({ runId: 'bench' }, async () => {
        await askOnce();
        tracked.push(...(await timeCalls(50)));
      });
    }
    return { direct, tracked };
  },
  children: async () => {
    const [direct, tracked] = [[], []];
    for (let i = 0; i < 8; i++) {
      direct.push(await timeChild());
      tracked.push(await tracker.track({ runId: 'bench' }, timeChild));
    }
    return { direct, tracked };
  },
  scopes: async () => {
    const times = [];
    for (let i = 0; i < 300; i++) {
      const at = performance.now();
      await tracker.track({ runId: 'bench' }, () => undefined);
      times.push(performance.now() - at);
    }
    return times;
  },
  manyScopes: async (count = 10_000) => {
    for (let i = 0; i < 500; i++) await tracker.track(() => undefined);
    const before = measure();
    for (let i = 0; i < count; i++) await tracker.track(() => undefined);
    const after = measure();
    return { before, after };
  },
};

process.on('message', async ({ id, question }) => {
  process.send?.({ id, answer: await questions[question]() });
});
process.on('disconnect', async () => {
  await dispatcher.close();
  await tracker.close();
  process.exit(0);
});
process.send?.({ ready: true });
