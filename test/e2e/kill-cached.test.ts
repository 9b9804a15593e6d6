import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, expect, it } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import { readJsonLines } from '../cli/launch.js';
import { findChild, type Lab, openLab } from './lab.js';

let lab: Lab;
afterEach(async () => await lab.close());

/** What a cache may lose when its process is killed, milliseconds. */
const mostLostMs = 1000;
const underLoadMs = 2500;
const worker = (rounds: number) => [
  ...[process.execPath, findChild('worker-child.js'), 'https://api.openai.com', String(rounds), '8'],
];

/** Kills the tap once its program has finished so many calls. */
const killAfter = (count: number) => {
  let finished = 0;
  return (text: string, tap: ChildProcess): void => {
    if (text.startsWith('finished ') && ++finished === count) tap.kill('SIGKILL');
  };
};

const findEnd = ({ startedAt, latencyMs }: CallRecord): number => Date.parse(startedAt) + latencyMs;

it('a tap killed by SIGKILL under load leaves a cache that opens, without its last second at most', async () => {
  lab = await openLab();
  let firstMs: number | null = null;
  const finished: string[] = [];
  const ended = await lab.run(worker(50_000), {
    flags: ['--cache', '--run-id', 'killed'],
    onLine: (text, tap) => {
      if (!text.startsWith('finished ') || tap.killed) return;
      finished.push(text.slice('finished '.length));
      firstMs ??= Date.now();
      if (Date.now() - firstMs > underLoadMs) tap.kill('SIGKILL');
    },
  });
  expect(ended.signal).toBe('SIGKILL');

  const calls = lab.readCalls('killed');
  expect(calls.map(({ responseId }) => responseId)).toEqual(expect.arrayContaining(finished));
  const whole = calls.filter(({ outcome, partial }) => outcome === 'ok' && !partial);
  const lastMs = Math.max(...whole.map(findEnd));
  const due = whole.filter((call) => findEnd(call) < lastMs - mostLostMs);
  expect(due.length).toBeGreaterThan(20);

  const db = new BetterSqlite3(join(lab.folder, '.llmtap', 'cache.db'));
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  db.close();
  const listed = await lab.llmtap('cache', 'ls', '--json');
  expect(listed).toMatchObject({ status: 0, stderr: '' });
  const kept = new Set(readJsonLines(listed.stdout).map(({ callId }) => callId));
  expect(due.filter(({ callId }) => !kept.has(callId)).map(({ startedAt }) => startedAt)).toEqual([]);

  await lab.provider.close();
  const again = await lab.run(worker(20), { flags: ['--cache', 'only', '--run-id', 'again'] });
  expect(again).toMatchObject({ status: 0, stderr: '' });
  expect(lab.readCalls('again').map(({ cached, outcome }) => [cached, outcome])).toEqual(
    Array.from({ length: 20 }, () => [true, 'ok']),
  );
}, 60_000);

it('a tap killed by SIGKILL while it records leaves the recording of before, and the next one tells and removes the rest', async () => {
  lab = await openLab();
  const flags = ['--record', 'tape'];
  const folder = join(lab.folder, '.llmtap', 'cassettes');
  expect(await lab.run(worker(4), { flags })).toMatchObject({ status: 0, stderr: '' });
  const read = () => readFileSync(join(folder, 'tape.jsonl'), 'utf8');
  for (const [next, expected] of [
    [['--record', 'tape'], 8],
    [['--replay', 'tape'], 8],
  ] as const) {
    const before = read();
    const killed = await lab.run(worker(50_000), { flags, onLine: killAfter(20) });
    expect(killed.signal).toBe('SIGKILL');
    expect(read()).toBe(before);
    expect(readdirSync(folder)).toHaveLength(2);
    const again = await lab.run(worker(expected), { flags: next });
    expect([again.status, again.stdout.endsWith('done\n')]).toEqual([0, true]);
    expect(again.stderr).toMatch(
      /^\s*llmtap: A recording of \S+tape\.jsonl ended with a killed program: what was left is removed\.\n/,
    );
    expect(readdirSync(folder)).toEqual(['tape.jsonl']);
  }
}, 60_000);
