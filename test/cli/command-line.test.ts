import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, launcher, makeEnv, openFolder } from './launch.js';

let folder: ReturnType<typeof openFolder>;
beforeAll(() => {
  folder = openFolder();
});
afterAll(() => folder.close());

const run = (...args: readonly string[]) => launch(args, { home: folder.path });

describe('help and version', () => {
  it.each(['--version', '-V'])('prints the version of the package for %s', async (flag) => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await run(flag)).toEqual({ status: 0, signal: null, stdout: `${version}\n`, stderr: '' });
  });

  it.each([
    [[]],
    [['run']],
    [['runs']],
    [['calls']],
    [['show']],
    [['summary']],
    [['env']],
    [['doctor']],
    [['ca']],
    [['store']],
    [['store', 'prune']],
  ])('prints help with examples for %j', async (command) => {
    const { status, stdout, stderr } = await run(...command, '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`Usage: llmtap ${command.join(' ')}`);
    expect(stdout).toContain('Examples:\n');
    expect(stdout).not.toContain('_serve');
  });

  it('names the one runtime there is to set up', async () => {
    expect((await run('run', '--help')).stdout).toMatch(/--with <runtime>.*: java\n/);
  });

  it('says everywhere that help is printed', async () => {
    for (const command of ['ca', 'store']) expect((await run(command, '--help')).stdout).not.toContain('display help');
  });

  it('explains a command by its name', async () => {
    expect((await run('help', 'runs')).stdout).toContain('Usage: llmtap runs');
  });
});

describe('wrong usage', () => {
  it.each([
    [['rnus'], "Unknown command 'rnus'.", 'Did you mean runs? See llmtap --help.'],
    [['claude'], "Unknown command 'claude'.", 'write llmtap run -- PROGRAM.'],
    [['ca', 'frob'], "Unknown command 'frob'.", 'See llmtap ca --help.'],
    [['store', 'prnue'], "Unknown command 'prnue'.", 'See llmtap store --help.'],
    [['run', '--bodys', 'full', '--', 'true'], "Unknown option '--bodys'.", 'Did you mean --bodies?'],
    [['run', '--bodies', 'all', '--', 'true'], '"all" of --bodies', 'none, redacted, full'],
    [['run', '--version', 'two', '--', 'true'], '"two" of --version', 'digits'],
    [['run', '--connect-to', 'nonsense', '--', 'true'], '"nonsense"', 'api.openai.com:443:127.0.0.1:8443'],
    [['run', '--provider', 'ollama', '--', 'true'], 'register a provider', 'NAME=BASE_URL'],
    [['run', '--provider', 'a=http://h:1', '--provider', 'a+google=http://h:2', '--', 'true'], 'two', 'of its own'],
    [['run', '--provider', 'openai=http://h:1', '--', 'true'], 'built-in', 'my-openai'],
    [['run', '--upstream-ca', '/nowhere.pem', '--', 'true'], '/nowhere.pem', ''],
    [['run', '--summary-json', '/nowhere/x.json', '--', 'true'], '/nowhere/x.json', '--summary-json FILE'],
    [['run', '--with', 'cobol', '--', 'true'], '"cobol" of --with', '--with java'],
    [['run'], "Missing required argument 'program'.", 'See llmtap run --help.'],
    [['calls', '--limit', '0'], '"0" of --limit', '--limit 20'],
    [['show', 'a', 'b'], 'Too many arguments', 'See llmtap show --help.'],
    [['store', 'prune'], 'Could not prune', '--before 30d'],
    [['store', 'prune', '--max-size', 'big', '--yes'], '"big" of --max-size', '500MB'],
    [['env', '--shell', 'tcsh'], "'tcsh' is invalid", 'See llmtap env --help.'],
    [['env', '--unset'], 'under no tap', 'llmtap env'],
    [['_serve'], 'started by `llmtap env` only', 'eval'],
  ])('ends %j with status 2, one sentence and a hint', async (args, sentence, hint) => {
    const { status, stdout, stderr } = await run(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^llmtap: [A-Z].*[.)]$/);
    expect(lines[0]).toContain(sentence);
    expect(lines[1]).toMatch(/^ {2}hint: /);
    expect(lines[1]).toContain(hint);
    expect(lines).toHaveLength(2);
  });

  it.each([['ca'], ['store']])('below %s hints at its help alone', async (command) => {
    expect((await run(command, 'frob')).stderr).toMatch(new RegExp(`\n  hint: See llmtap ${command} --help\\.\n$`));
  });

  it('says that a command is missing below the help', async () => {
    const { status, stderr } = await run();
    expect(status).toBe(2);
    expect(stderr).toMatch(/^Usage: llmtap[\s\S]*llmtap: A command is missing\./);
  });
});

describe('a question that cannot be answered', () => {
  it.each([
    [['calls', '--run', 'nosuchrun'], 'nosuchrun', 'llmtap runs'],
    [['calls', '--session', 'sess_none'], '"sess_none": none found', 'sessionId'],
    [['summary', '--run', 'latest'], 'the latest run: nothing is on record', 'llmtap runs'],
    [['show', 'abcdef'], 'abcdef', 'llmtap calls'],
    [['show', '008'], 'too short', 'llmtap calls'],
    [['show', 'latest'], 'nothing is on record', 'llmtap calls'],
  ])('ends %j with status 1, one sentence and a hint', async (args, sentence, hint) => {
    const { status, stdout, stderr } = await run(...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines[0]).toContain(sentence);
    expect(lines[1]).toContain(hint);
    expect(lines).toHaveLength(2);
  });
});

describe('a home that cannot be used', () => {
  it.each([['runs'], ['ca', 'path'], ['run', '--', 'true']].map((args) => [args]))('is named by %j', async (args) => {
    const home = join(folder.path, 'file');
    writeFileSync(home, '');
    const { status, stdout, stderr } = await launch(args, { home });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(home);
    expect(stderr).toContain('hint: Set LLMTAP_HOME');
  });

  it.each([['runs'], ['calls'], ['summary'], ['store', 'info'], ['run', '--', 'true']].map((args) => [args]))(
    'is not taken for an empty one by %j when it cannot be made',
    async (args) => {
      const { status, stdout, stderr } = await launch(args, { home: '/proc/llmtap' });
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain('Could not use /proc/llmtap as the home folder');
    },
  );

  it.skipIf(process.getuid?.() !== 0)(
    'is not taken for an empty one by somebody who may not enter it (only root can become somebody else)',
    async () => {
      const other = openFolder();
      const file = join(other.path, 'below', 'home');
      try {
        for (const [home, hint] of [
          [other.path, 'permission denied'],
          [file, 'EACCES'],
        ] as const) {
          const { status, stdout, stderr } = await launch(['runs'], { home, uid: 65_534 });
          expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
          expect(stderr).toContain(hint);
          expect(stderr).toContain('hint: Set LLMTAP_HOME');
        }
      } finally {
        other.close();
      }
    },
  );

  it('may hold a ledger that is none', async () => {
    const other = openFolder();
    try {
      writeFileSync(join(other.path, 'llmtap.db'), 'this is no database, and it is longer than a header. '.repeat(9));
      const { status, stderr } = await launch(['runs'], { home: other.path });
      expect(status).toBe(1);
      expect(stderr).toContain(join(other.path, 'llmtap.db'));
    } finally {
      other.close();
    }
  });
});

describe('output', () => {
  it('ends quietly when its reader has gone', async () => {
    const child = spawn(process.execPath, [launcher, 'ca', 'path'], {
      env: makeEnv(folder.path),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('has nothing but notes on stderr where nothing is recorded', async () => {
    for (const command of ['runs', 'calls', 'summary']) {
      const { status, stdout, stderr } = await run(command);
      expect({ status, stdout }, command).toEqual({ status: 0, stdout: '' });
      expect(stderr, command).not.toBe('');
      expect(await run(command, '--json'), command).toEqual({ status: 0, signal: null, stdout: '', stderr: '' });
    }
  });

  it('has colours where they are forced', async () => {
    const forced = await launch(['ca', 'info'], { home: folder.path, env: { FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain('\u001b[2m');
    expect((await run('ca', 'info')).stdout).not.toContain('\u001b');
  });
});

describe('pruning', () => {
  it('asks nobody where nothing matches, and says so', async () => {
    const prune = ['store', 'prune', '--before', '30d'];
    const ended = { status: 0, signal: null, stdout: '', stderr: 'Nothing matches: nothing was deleted.\n' };
    expect(await run(...prune)).toEqual(ended);
    expect(JSON.parse((await run(...prune, '--json')).stdout)).toMatchObject({ calls: 0, bodies: 0 });
  });
});

describe('the certificate authority', () => {
  it('is made when asked for and stays the same', async () => {
    const path = (await run('ca', 'path')).stdout.trimEnd();
    expect(readFileSync(path, 'utf8')).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    const [first, second] = [await run('ca', 'info', '--json'), await run('ca', 'info', '--json')];
    expect(first.stdout).toBe(second.stdout);
    expect(Object.keys(JSON.parse(first.stdout))).toEqual([
      ...['certPath', 'keyPath', 'subject', 'fingerprint256', 'notBefore', 'notAfter'],
    ]);
  });

  it('is another one after a reset', async () => {
    const before = JSON.parse((await run('ca', 'info', '--json')).stdout);
    expect((await run('ca', 'reset')).stdout).not.toContain(before.fingerprint256);
    const after = JSON.parse((await run('ca', 'info', '--json')).stdout);
    expect(after.fingerprint256).not.toBe(before.fingerprint256);
    expect(after.certPath).toBe(before.certPath);
  });
});
