import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readJsonLines } from '../cli/launch.js';
import { findChild, type Lab, openLab } from './lab.js';

let lab: Lab;
afterEach(async () => await lab.close());

interface Moment {
  readonly title: string;
  /** Whether the line of the child's, the `count`th of its kind, is the moment. */
  readonly line: RegExp;
  readonly count: number;
  readonly together?: number;
  readonly compress?: boolean;
}

const moments: readonly Moment[] = [
  { title: 'before its first call', line: /^started/, count: 1 },
  { title: 'after its first call', line: /^finished/, count: 1 },
  { title: 'after its first compressed call', line: /^finished/, count: 1, compress: true },
  { title: 'in the middle of its first stream', line: /^chunk/, count: 1 },
  { title: 'after its first stream', line: /^finished/, count: 2 },
  { title: 'after its first compressed stream', line: /^finished/, count: 2, compress: true },
  { title: 'after many calls', line: /^finished/, count: 25 },
  { title: 'among eight calls at once', line: /^finished/, count: 20, together: 8 },
  { title: 'among eight compressed calls at once', line: /^finished/, count: 20, together: 8, compress: true },
  { title: 'among eight calls at once, in the middle of a stream', line: /^chunk/, count: 9, together: 8 },
];

describe('a tap killed by SIGKILL', () => {
  it.each(moments)('$title has every call its program saw finished on record', async (moment) => {
    const { line, count, together = 1, compress = false } = moment;
    lab = await openLab({ compress });
    const finished: string[] = [];
    let matched = 0;
    const child = [process.execPath, findChild('worker-child.js'), 'https://api.openai.com', '60', String(together)];
    const ended = await lab.run(child, {
      flags: ['--run-id', 'killed'],
      onLine: (text, tap) => {
        if (text.startsWith('finished ') && !tap.killed) finished.push(text.slice('finished '.length));
        if (!line.test(text)) return;
        matched += 1;
        if (matched === count) tap.kill('SIGKILL');
      },
    });
    expect(ended.signal).toBe('SIGKILL');
    expect(ended.stdout).toContain('\nended ');
    const recorded = lab.readCalls('killed').map(({ responseId }) => responseId);
    expect(new Set(recorded).size).toBe(recorded.length);
    expect(recorded).toEqual(expect.arrayContaining(finished));
    await expectUsable();
  });
});

/** The home of a killed tap: readable, writable, and cleared of what the tap left behind. */
async function expectUsable(): Promise<void> {
  const runs = await lab.llmtap('runs', '--json');
  expect(runs.status).toBe(0);
  expect(readJsonLines(runs.stdout)).toMatchObject([{ runId: 'killed', endedAt: null, exitCode: null }]);
  const calls = await lab.llmtap('calls', '--run', 'killed', '--json');
  expect([calls.status, readJsonLines(calls.stdout).length]).toEqual([0, lab.readCalls('killed').length]);
  const child = [process.execPath, findChild('worker-child.js'), 'https://api.openai.com', '2'];
  const next = await lab.run(child, { flags: ['--run-id', 'next'] });
  expect([next.status, next.stdout.endsWith('done\n')]).toEqual([0, true]);
  expect(lab.readCalls('next')).toHaveLength(2);
  expect(readdirSync(join(lab.home, 'sessions'))).toEqual([]);
}
