import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExampleProvider, openExampleProvider } from '../../examples/provider/provider.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';

const program = fileURLToPath(new URL('./children/exiting-child.js', import.meta.url));

let folder: string;
let provider: ExampleProvider;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-exiting-'));
  provider = await openExampleProvider();
});
afterAll(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Lets a program end in one way; its status, and what the ledger has of its run. */
async function end(how: string, url = provider.url) {
  const home = join(folder, how);
  const child = spawn(process.execPath, [program, how, home, url], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const ledger = openLedgerReader({ home });
  try {
    const runId = `run-${how}`;
    const events = [...ledger.listEvents({ runId })];
    const names = events.map(({ name, source }) => `${name.replace('$ld:ai:', '')} by ${source}`);
    const [row] = [...ledger.listRuns()].filter((run) => run.runId === runId);
    return { status, stderr, names, calls: [...ledger.listCalls({ runId })], outcome: row?.outcome ?? null };
  } finally {
    ledger.close();
  }
}

describe('a program that ends by process.exit', () => {
  it('right after an event has it in the ledger', async () => {
    expect(await end('event')).toMatchObject({ status: 0, stderr: '', names: ['feedback:user:positive by caller'] });
  });

  it('after two thousand events has them all, and its own status', async () => {
    const { status, names } = await end('burst');
    expect([status, names.length]).toEqual([4, 2000]);
  });

  it('inside a scope has its call, and what the wire says of its run', async () => {
    const { status, calls, names, outcome } = await end('call');
    expect([status, calls.length, outcome]).toEqual([0, 1, 'success']);
    expect(names).toContain('generation:success by wire');
    expect(names).toContain('tokens:total by wire');
  });

  it('inside a scope with another status than 0 has a run that failed, and what it said of it before', async () => {
    const { status, names, outcome } = await end('failed');
    expect([status, outcome]).toEqual([7, 'error']);
    expect(names).toContain('generation:error by wire');
    expect(names[0]).toBe('tool_call by caller');
    expect(names.filter((name) => name.startsWith('generation:'))).toHaveLength(1);
  });

  it('in a finally has what it said there, and before', async () => {
    const { status, names, outcome } = await end('finally');
    expect([status, outcome]).toEqual([9, 'error']);
    expect(names.toSorted()).toEqual([
      ...['duration:total by caller', 'feedback:user:negative by caller', 'generation:error by wire'],
    ]);
  });

  it('while a reply is under way has that call, cut, and a run that was aborted', async () => {
    const slow = await openExampleProvider({ pauseMs: 60_000 });
    const { status, calls, outcome } = await end('underway', slow.url);
    await slow.close();
    expect([status, calls.length, outcome]).toEqual([0, 1, 'aborted']);
    expect(calls[0]).toMatchObject({ outcome: 'client_aborted', error: { code: 'SESSION_CLOSED' } });
  });

  it('has what a listener of its own says that runs later', async () => {
    expect((await end('late')).names).toEqual(['feedback:user:positive by caller']);
  });
});

it('a program that ends by an exception nobody catches has its call, and a run that failed', async () => {
  const { status, stderr, calls, names, outcome } = await end('thrown');
  expect([status, calls.length, outcome]).toEqual([1, 1, 'error']);
  expect(stderr).toContain('nobody catches this');
  expect(names).toContain('generation:error by wire');
});

it('a program with several trackers has one listener for its end, and the events of all', async () => {
  const { status, names } = await end('several');
  expect([status, names.length]).toEqual([20, 3]);
});
