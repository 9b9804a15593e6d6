import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type BoundedCommand, runBounded } from '../../../src/cli/run/run-bounded.js';
import { waitForEnd } from '../launch.js';

const shell = (script: string, own: Partial<BoundedCommand> = {}) =>
  runBounded({
    command: '/bin/sh',
    args: ['-c', script],
    env: { PATH: process.env.PATH ?? '' },
    cwd: tmpdir(),
    input: '',
    deadlineMs: 20_000,
    signal: new AbortController().signal,
    ...own,
  });

describe.skipIf(process.platform === 'win32')('a bounded program', () => {
  it('is given its input and told of by both its streams', async () => {
    const end = await shell('cat; echo oops >&2; exit 3', { input: 'hello\n' });
    expect(end).toMatchObject({ status: 3, isLate: false, startError: null });
    expect(end.head.split('\n').sort()).toEqual(['', 'hello', 'oops']);
  });

  it('may ignore its input, however large', async () => {
    expect(await shell('exit 0', { input: 'x'.repeat(4_000_000) })).toMatchObject({ status: 0 });
  });

  it('may write without end: the beginning and the end are kept', async () => {
    const end = await shell('echo first; yes | head -c 3000000; echo last');
    expect([end.head.startsWith('first\n'), end.tail.endsWith('last\n')]).toEqual([true, true]);
    expect([end.head.length, end.tail.length]).toEqual([8192, 8192]);
  });

  it('is killed at its deadline with what it has started', async () => {
    const end = await shell('sleep 600 & echo $$ $!; wait', { deadlineMs: 300 });
    expect(end).toMatchObject({ status: null, isLate: true });
    for (const pid of end.head.trim().split(' ')) await waitForEnd(Number(pid));
  });

  it('does not keep anybody waiting by what it leaves behind', async () => {
    const end = await shell('sleep 600 & echo $!');
    expect(end).toMatchObject({ status: 0, isLate: false });
    await waitForEnd(Number(end.head));
  });

  it('is killed when told to, also before it began', async () => {
    const controller = new AbortController();
    const ending = shell('sleep 600', { signal: controller.signal });
    controller.abort();
    expect(await ending).toMatchObject({ status: null, isLate: false });
    expect(await shell('sleep 600', { signal: controller.signal })).toMatchObject({ status: null });
  });

  it('that cannot be started says why', async () => {
    expect(await shell('', { command: '/nowhere/at/all' })).toMatchObject({ status: null, startError: 'ENOENT' });
  });
});
