import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { findChild } from './lab.js';

let home: string;
const children: ChildProcess[] = [];
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-race-'));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

it('twenty callers in four processes state each fact of their run once, and every tool call', async () => {
  const runId = 'raced';
  const started = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, [findChild('race-child.js'), home, runId, '5'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  });
  await Promise.all(started.map((child) => once(child.stdout, 'data')));
  for (const child of started) child.stdin.write('go\n');
  const ends = await Promise.all(started.map((child) => once(child, 'exit')));
  expect(ends.map(([status]) => status as number)).toEqual([0, 0, 0, 0]);
  const ledger = openLedgerReader({ home });
  const events = [...ledger.listEvents({ runId })];
  ledger.close();
  const values = (name: string) => events.filter((event) => event.name === `$ld:ai:${name}`).map(({ value }) => value);
  expect(values('duration:total')).toHaveLength(1);
  expect([...values('generation:success'), ...values('generation:error')]).toHaveLength(1);
  const [total = 0] = values('tokens:total');
  expect(values('tokens:total')).toHaveLength(1);
  // Those of one caller, not of several.
  expect(values('tokens:input')).toEqual([total]);
  expect(values('tokens:output')).toEqual(total === 1 ? [] : [Number(total) - 1]);
  expect(values('tool_call')).toHaveLength(20);
});
