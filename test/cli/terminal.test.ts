import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchAny, launcher, openFolder } from './launch.js';

const driver = fileURLToPath(new URL('drive-terminal.py', import.meta.url));
const hasTerminal = process.platform !== 'win32' && spawnSync('python3', ['-c', 'import pty']).status === 0;

let folder: ReturnType<typeof openFolder>;
beforeAll(() => {
  folder = openFolder();
});
afterAll(() => folder.close());

type Step = readonly [waitFor: string, type: string];

/** Runs a command in a terminal, typing as told. */
async function drive(steps: readonly Step[], command: readonly string[]): Promise<{ status: number; shown: string }> {
  const env = { TERM: 'xterm' };
  const ended = await launchAny(['python3', driver, JSON.stringify(steps), ...command], { home: folder.path, env });
  if (ended.stdout === '') throw new Error(ended.stderr);
  return JSON.parse(ended.stdout);
}

const llmtap = (...args: readonly string[]) => [process.execPath, launcher, ...args];
const ctrlC = '\u0003';
const ctrlZ = '\u001a';
const ctrlBackslash = '\u001c';

describe.skipIf(!hasTerminal)('on a terminal (made by the pty module of python3)', () => {
  it('leaves all three streams the terminal they are', async () => {
    const script = 'import os; print([os.isatty(fd) for fd in (0, 1, 2)], os.getpgrp() == os.tcgetpgrp(0))';
    const { status, shown } = await drive([], llmtap('run', '--quiet', '--', 'python3', '-c', script));
    expect({ status, shown }).toEqual({ status: 0, shown: '[True, True, True] True\n' });
  });

  it('lets the program read what is typed', async () => {
    const command = llmtap('run', '--quiet', '--', 'sh', '-c', 'echo name?; read name; echo "hello $name"');
    expect((await drive([['name?', 'ada\n']], command)).shown).toContain('hello ada');
  });

  it.each([
    ['Ctrl-C', ctrlC, 'INT'],
    ['Ctrl-\\', ctrlBackslash, 'QUIT'],
  ])('lets %s reach the program once, and outlives it', async (_, key, signal) => {
    const script = [
      'import os, signal, sys',
      'count = 0',
      'def note(*_):',
      '    global count',
      '    count += 1',
      '    os.write(1, b"got %d\\n" % count)',
      `signal.signal(signal.SIG${signal}, note)`,
      'os.write(1, b"ready\\n")',
      'sys.stdin.readline()',
      'sys.exit(40 + count)',
    ].join('\n');
    const steps: Step[] = [
      ['ready', key],
      ['got 1', '\n'],
    ];
    const { status, shown } = await drive(steps, llmtap('run', '--', 'python3', '-c', script));
    expect(shown).not.toContain('got 2');
    expect(shown).toContain('0 model calls');
    expect(status).toBe(41);
  });

  it('ends as the program does when Ctrl-C ends that', async () => {
    const { status, shown } = await drive(
      [['ready', ctrlC]],
      llmtap('run', '--', 'sh', '-c', 'echo ready; exec sleep 600'),
    );
    expect(status).toBe(130);
    expect(shown).toContain('0 model calls');
  });

  it('is stopped by Ctrl-Z with the program and goes on with it', async () => {
    const program = 'echo ready; read line; echo "read $line"';
    const steps: Step[] = [
      ['bash-', `${llmtap('run', '--quiet', '--', 'sh', '-c', `'${program}'`).join(' ')}\n`],
      ['ready\r\n', ctrlZ],
      ['Stopped', ''],
      // bash may drop what comes right after its prompt: the blank.
      ['bash-', ' fg\n'],
      ['sh -c', 'after\n'],
      ['read after', ''],
      ['bash-', 'echo status $?\n'],
      ['status 0', 'exit\n'],
    ];
    const { shown } = await drive(steps, ['bash', '--norc', '--noprofile', '-i']);
    expect(shown).toContain('Stopped');
    expect(shown).toContain('read after');
    expect(shown).toMatch(/status 0\n/);
  });

  it('prints the summary in colours and within the width', async () => {
    const { shown } = await drive([], ['sh', '-c', `stty cols 60; exec ${llmtap('run', '--', 'true').join(' ')}`]);
    expect(shown).toContain('\u001b[1mllmtap\u001b[22m 0 model calls');
    const plain = stripVTControlCharacters(shown).split('\n');
    expect(Math.max(...plain.slice(2).map((line) => line.length))).toBeLessThanOrEqual(62);
  });

  it('shows what the doctor is trying while it does, takes that away again, and stays within the width', async () => {
    const command = llmtap('doctor', '--only', 'node,claude').join(' ');
    const { status, shown } = await drive([], ['sh', '-c', `stty cols 60; exec ${command}`]);
    expect(status).toBe(0);
    const written = shown.split('\r\u001b[K');
    expect(written).toContain('Trying node \u2026 (0 of 2 done)');
    const printed = written.at(-1) ?? '';
    expect(printed).toContain('\u001b[32mseen\u001b[39m');
    const lines = stripVTControlCharacters(printed).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('asks before it deletes, and takes no for an answer', async () => {
    await drive([], llmtap('run', '--quiet', '--', 'true'));
    const command = llmtap('store', 'prune', '--before', '2999-01-01');
    const { status, shown } = await drive([['[y/N] ', 'n\n']], command);
    expect(status).toBe(0);
    expect(shown).toMatch(/Delete \d+ sessions? without calls from /);
    expect(shown).toContain('Nothing was deleted.');
    expect((await drive([['[y/N] ', 'y\n']], command)).shown).toContain('Deleted 0 calls');
    expect((await drive([], command)).shown).toContain('Nothing matches: nothing was deleted.');
  });

  it('asks before it makes a new CA, unless told not to', async () => {
    const info = async () => (await drive([], llmtap('ca', 'info', '--json'))).shown;
    const before = await info();
    const { shown } = await drive([['[y/N] ', 'n\n']], llmtap('ca', 'reset'));
    expect(shown).toContain('The CA stays as it was.');
    expect(await info()).toBe(before);
    await drive([['[y/N] ', 'y\n']], llmtap('ca', 'reset'));
    const after = await info();
    expect(after).not.toBe(before);
    await drive([], llmtap('ca', 'reset', '--yes'));
    expect(await info()).not.toBe(after);
  });
});
