import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDifferences } from '../../examples/demo/compare.js';
import { openExampleProvider } from '../../examples/provider/provider.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llmtap-demo-test-'));
});

afterEach(async () => rm(folder, { recursive: true, force: true }));

/** The demo, its temporary files in the test's folder. */
function openDemo(env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [join(root, 'examples', 'demo.js')], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function readDemo(demo: ChildProcess) {
  if (demo.stdout === null || demo.stderr === null) throw new Error('The demo has no pipes.');
  const [stdout, stderr, [status]] = await Promise.all([
    readAll(demo.stdout),
    readAll(demo.stderr),
    once(demo, 'close'),
  ]);
  return { stdout, stderr, status: Number(status) };
}

describe('the demo', () => {
  it('records every agent and finds the numbers that were billed', { timeout: 120_000 }, async () => {
    // An account and a proxy of the user's must not be used.
    const foreign = { HTTPS_PROXY: 'http://127.0.0.1:9', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' };
    const { stdout, stderr, status } = await readDemo(openDemo(foreign));
    // The legend of the summary's marks is told, and nothing else: no list has the price of the local model.
    expect({ stderr, status }).toEqual({
      stderr: '≥ is a lower bound; – is not known, or there is none: 2 calls have no price.\n',
      status: 0,
    });
    for (const model of ['gpt-4o-mini', 'claude-haiku-4-5', 'gemini-2.5-flash', 'llama3.2']) {
      expect(stdout.split('What llmtap recorded')[1]).toContain(model);
    }
    expect(stdout).toMatch(/\d+ calls, \d+ tokens: every number on record is the one that was billed\./u);
    expect(await readdir(folder)).toEqual([]);
  });

  it('cleans up after Ctrl-C', { timeout: 60_000 }, async () => {
    const demo = openDemo();
    const ended = readDemo(demo);
    let said = '';
    demo.stdout?.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('streamed:') && !demo.killed) demo.kill('SIGINT');
    });
    expect((await ended).status).toBe(130);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('the comparison of records and bills', () => {
  it('finds a call that is missing, one that is wrong and one that nobody billed', async () => {
    const provider = await openExampleProvider();
    const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Say it' }] });
    await (await fetch(`${provider.url}/v1/chat/completions`, { method: 'POST', body })).text();
    await provider.close();
    const [request] = provider.requests;
    const right = { callId: '1', responseId: request?.responseId, outcome: 'ok', usage: request?.bill };
    expect(findDifferences(provider.requests, [right])).toEqual([]);
    expect(findDifferences(provider.requests, [])).toHaveLength(1);
    expect(findDifferences(provider.requests, [right, { ...right, responseId: 'other' }])).toHaveLength(1);
    const wrong = { ...right, usage: { ...request?.bill, outputTokens: 1 }, usageProblem: null };
    expect(findDifferences(provider.requests, [wrong])).toEqual([
      `The chat.completions call ${request?.responseId} was billed 15 outputTokens, and 1 are on record (null).`,
    ]);
  });
});
