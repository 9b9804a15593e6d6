import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfigToken } from '../../src/trackers/resumption-token.js';
import { type LaunchOptions, launch, openFolder, readJsonLines } from './launch.js';

let folder: ReturnType<typeof openFolder>;
beforeAll(() => {
  folder = openFolder();
});
afterAll(() => folder.close());

const run = (args: readonly string[], options: Partial<LaunchOptions> = {}) =>
  launch(['run', ...args], { home: folder.path, ...options });

describe('the exit status', () => {
  it.each([0, 1, 2, 7, 255])('is the program\u2019s own %d', async (status) => {
    expect((await run(['--quiet', '--', 'sh', '-c', `exit ${status}`])).status).toBe(status);
  });

  it.each([
    ['TERM', 143],
    ['KILL', 137],
    ['SEGV', 139],
  ])('is 128 + n when SIG%s ended it', async (signal, status) => {
    expect((await run(['--quiet', '--', 'sh', '-c', `kill -${signal} $$`])).status).toBe(status);
  });

  it('is 127 for a program that is not there', async () => {
    const { status, stdout, stderr } = await run(['--', 'llmtap-no-such-program']);
    expect({ status, stdout }).toEqual({ status: 127, stdout: '' });
    expect(stderr).toMatch(
      /^llmtap: Could not start "llmtap-no-such-program": no such program on the PATH\.\n {2}hint: /,
    );
    expect(stderr.split('\n')).toHaveLength(3);
  });

  it('is 127 for an empty name', async () => {
    expect((await run(['--', ''])).status).toBe(127);
  });

  it('is 127 when the interpreter of a script is missing, and says so', async () => {
    const script = join(folder.path, 'script');
    writeFileSync(script, '#!/no/such/interpreter\n');
    chmodSync(script, 0o755);
    const { status, stderr } = await run(['--', script]);
    expect(status).toBe(127);
    expect(stderr).toContain('its interpreter was not found');
  });

  it('is 126 for what cannot be executed', async () => {
    const file = join(folder.path, 'plain');
    writeFileSync(file, 'text');
    chmodSync(file, 0o644);
    for (const path of [file, folder.path]) {
      const { status, stderr } = await run(['--', path]);
      expect(status).toBe(126);
      expect(stderr).toContain(`Could not execute "${path}": permission denied.`);
    }
  });
});

describe('the program', () => {
  it('owns stdin, stdout and stderr', async () => {
    const script = 'cat; printf "to stderr" >&2';
    const ended = await run(['--quiet', '--', 'sh', '-c', script], { input: 'over stdin' });
    expect(ended).toEqual({ status: 0, signal: null, stdout: 'over stdin', stderr: 'to stderr' });
  });

  it('gets its arguments as they are, with or without --', async () => {
    const args = ['a b', '', '--help', '--', '-V', '$HOME', '*'];
    for (const dashes of [['--'], []]) {
      const { stdout } = await run(['--quiet', ...dashes, 'printf', '[%s]', ...args]);
      expect(stdout).toBe('[a b][][--help][--][-V][$HOME][*]');
    }
  });

  it('finds its pipes as they were: blocking', async () => {
    const script = 'import fcntl, os; print([fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK for fd in (0, 1, 2)])';
    expect((await run(['--', 'python3', '-c', script])).stdout).toBe('[0, 0, 0]\n');
  });

  it('is told its run and its session, and keeps what it inherits', async () => {
    const script = 'echo "$LLMTAP_RUN_ID|$LLMTAP_SESSION_ID|$OWN"';
    const { stdout } = await run(['--run-id', 'r1', '--quiet', '--', 'sh', '-c', script], { env: { OWN: 'kept' } });
    expect(stdout).toMatch(/^r1\|sess_[0-9a-f]{12}\|kept\n$/);
  });

  it('is told the token of its config’s run, and its place in the trace llmtap was started in', async () => {
    const script = 'echo "$LLMTAP_RESUMPTION_TOKEN|$TRACEPARENT"';
    const flags = ['--run-id', 'r1', '--config-key', 'bot', '--version', '3', '--quiet'];
    const trace = 'a'.repeat(32);
    const TRACEPARENT = `00-${trace}-${'b'.repeat(16)}-01`;
    const { stdout } = await run([...flags, '--', 'sh', '-c', script], { env: { TRACEPARENT } });
    const [token = '', traceparent = ''] = stdout.trimEnd().split('|');
    expect(readConfigToken(token)).toMatchObject({ runId: 'r1', configKey: 'bot', version: 3 });
    expect(traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(traceparent).not.toBe(TRACEPARENT);
  });

  it('does not hold llmtap by what it leaves running', async () => {
    const { status, stdout } = await run(['--quiet', '--', 'sh', '-c', 'sleep 600 >/dev/null 2>&1 & echo $!']);
    const left = Number(stdout);
    expect(status).toBe(0);
    expect(process.kill(left, 0)).toBe(true);
    process.kill(left, 'SIGKILL');
  });

  it('has its files for as long as it runs', async () => {
    const { stdout } = await run(['--quiet', '--', 'sh', '-c', 'test -f "$WGETRC" && echo "$WGETRC"']);
    expect(stdout).toContain(folder.path);
    expect(existsSync(stdout.trimEnd())).toBe(false);
    expect(readdirSync(join(folder.path, 'sessions'))).toEqual([]);
  });
});

describe('signals sent to llmtap without a terminal', () => {
  const send = (signal: NodeJS.Signals): NonNullable<LaunchOptions['on']> => ({
    text: 'ready\n',
    call: (child) => void child.kill(signal),
  });

  it.each(['TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2'] as const)('passes SIG%s on, once', async (signal) => {
    const on = send(`SIG${signal}`);
    const trap = `trap 'echo got; kill $!; exit 9' ${signal}; sleep 600 >/dev/null 2>&1 & echo ready; wait $!`;
    const { status, stdout } = await run(['--quiet', '--', 'sh', '-c', trap], { on });
    expect({ status, stdout }).toEqual({ status: 9, stdout: 'ready\ngot\n' });
  });

  it('lets the program end of one, and says so by the status', async () => {
    const on = send('SIGTERM');
    const { status, signal, stderr } = await run(['--', 'sh', '-c', 'echo ready; exec sleep 600'], { on });
    expect({ status, signal }).toEqual({ status: 143, signal: null });
    expect(stderr).toContain('0 model calls');
  });
});

describe('the end of a run', () => {
  it('is not started with prices that cannot be read, by flag or variable', async () => {
    const prices = join(folder.path, 'bad-prices.json');
    writeFileSync(prices, JSON.stringify({ models: { mine: { inputPerMillion: 'a lot' } } }));
    const started = join(folder.path, 'started');
    const byFlag = await run(['--prices', prices, '--', 'touch', started]);
    const byVariable = await run(['--', 'touch', started], { env: { LLMTAP_PRICES: prices } });
    for (const { status, stderr } of [byFlag, byVariable]) {
      expect(status).toBe(2);
      expect(stderr).toContain(`Could not use the price file "${prices}": "inputPerMillion" of "mine" is no number`);
    }
    expect(existsSync(started)).toBe(false);
  });

  it('says plainly that nothing was captured, and what to try', async () => {
    const { stdout, stderr } = await run(['--', 'true']);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^\nllmtap 0 model calls in /);
    expect(stderr).toContain('Things to check:');
  });

  it('says nothing when told to be quiet', async () => {
    expect((await run(['--quiet', '--', 'true'])).stderr).toBe('');
  });

  it('tells faults even when told to be quiet, with the hint other commands give', async () => {
    const other = openFolder();
    try {
      writeFileSync(join(other.path, 'llmtap.db'), 'this is no database, and it is longer than a header. '.repeat(9));
      const { stderr } = await launch(['run', '--quiet', '--', 'true'], { home: other.path });
      expect(stderr).toMatch(/^\nllmtap: Could not open the ledger at .* none of them is recorded\.\n {2}hint: /);
      expect(stderr).not.toContain('model calls');
      const hint = /hint: .*/.exec(stderr)?.[0] ?? 'none';
      expect((await launch(['runs'], { home: other.path })).stderr).toContain(hint);
      expect(stderr.match(/Could not/g)).toHaveLength(1);
    } finally {
      other.close();
    }
  });

  it('leaves the mode of the home as it is and its files to nobody else', async () => {
    const other = openFolder();
    try {
      chmodSync(other.path, 0o755);
      const mode = (path: string) => statSync(join(other.path, path)).mode & 0o777;
      const list = `cd '${other.path}' && for f in . llmtap.db llmtap.db-wal llmtap.db-shm sessions sessions/* ca; do stat -c '%a %n' $f; done`;
      const { stdout } = await launch(['run', '--quiet', '--', 'sh', '-c', list], { home: other.path });
      const modes = stdout.trimEnd().split('\n');
      const wanted = ['755 .', '600 llmtap.db', '600 llmtap.db-wal', '600 llmtap.db-shm', '700 sessions'];
      expect(modes.slice(0, 5)).toEqual(wanted);
      expect(modes.slice(5).map((line) => line.slice(0, 3))).toEqual(['700', '700']);
      expect([mode('llmtap.db'), mode('sessions'), mode('ca')]).toEqual([0o600, 0o700, 0o700]);
    } finally {
      other.close();
    }
  });

  it('leaves the run on record with command, status and what it was stamped with', async () => {
    const ids = ['--run-id', 'stamped', '--config-key', 'bot', '--graph-key', 'g'];
    await run([...ids, '--version', '3', '--quiet', '--', 'sh', '-c', 'exit 4']);
    const { stdout } = await launch(['runs', '--json'], { home: folder.path });
    expect(readJsonLines(stdout).find((row) => row.runId === 'stamped')).toMatchObject({
      command: ['sh', '-c', 'exit 4'],
      exitCode: 4,
      configKey: 'bot',
      graphKey: 'g',
      calls: 0,
      inputTokens: null,
    });
  });

  it('writes the summary to a file, whatever the program returned', async () => {
    const path = join(folder.path, 'summary.json');
    const { status } = await run([
      '--quiet',
      '--summary-json',
      path,
      '--agent-id',
      'a',
      '--version',
      '3',
      '--',
      'false',
    ]);
    expect(status).toBe(1);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      sessionId: expect.stringMatching(/^sess_/),
      command: ['false'],
      agentId: 'a',
      version: 3,
      exitCode: 1,
      calls: 0,
      models: [],
      faults: [],
      counts: { calls: 0, tunnels: 0 },
    });
  });

  it('keeps the status of the program when the file cannot be written in the end', async () => {
    const gone = join(folder.path, 'gone');
    mkdirSync(gone);
    const args = ['--quiet', '--summary-json', join(gone, 'x.json'), '--', 'sh', '-c', `rmdir '${gone}'; exit 5`];
    const { status, stderr } = await run(args);
    expect(status).toBe(5);
    expect(stderr).toContain('Could not write the summary');
  });
});
