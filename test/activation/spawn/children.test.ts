import childProcess, { exec, execFile, execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { installSpawn } from '../../../src/activation/spawn/install-spawn.js';
import { openRig, type Rig } from '../../fixtures/rig.js';
import { openSpawnSession, type SpawnSession } from '../../fixtures/spawn-session.js';
import { findAgent, importWays, printEnv, readChildEnv, type Ways } from './load-agents.js';

let rig: Rig;
let session: SpawnSession;
let undo: () => void;
let ways: Ways;
let saved: NodeJS.ProcessEnv;
const node = process.execPath;

beforeAll(async () => {
  rig = await openRig();
  ways = { ...(await importWays('by-name.mjs')), ...(await importWays('by-package.mjs')) };
});
afterAll(() => rig.close());
beforeEach(() => {
  saved = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (/_proxy$|^NODE_|CERT|CA_BUNDLE|^LLMTAP/i.test(name)) Reflect.deleteProperty(process.env, name);
  }
  session = openSpawnSession(rig);
  undo = installSpawn();
});
afterEach(async () => {
  undo();
  await session.whenAlone();
  session.close();
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, saved);
});

function read(name: string, options?: Readonly<Record<string, unknown>>): Promise<Record<string, string>> {
  const way = ways[name];
  if (way === undefined) throw new Error(`no way ${name}`);
  return runInScope(session, () => readChildEnv(way, options));
}

/** What a call throws, or `undefined`. */
function catchError(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a child in a scope', () => {
  it.each([
    ['spawn(file)', () => spawn(node)],
    ['spawn(file, options)', () => spawn(node, { env: { A: '1' } })],
    ['spawn(file, undefined, options)', () => spawn(node, undefined as never, { env: { A: '1' } })],
    ['exec(command, callback)', () => exec('true', () => undefined)],
    ['execFile(file, callback)', () => execFile(node, () => undefined)],
    ['execFile(file, options, callback)', () => execFile(node, { env: { A: '1' } }, () => undefined)],
    ['fork(path)', () => fork(printEnv)],
    ['fork(path, options)', () => fork(printEnv, { silent: true })],
  ])('is noted as one of the session for %s, so that its door stays open', async (_form, start) => {
    const child = runInScope(session, start);
    child.stdin?.end();
    expect(session.descendants).toEqual([child]);
    await session.whenAlone();
    expect(child.exitCode).not.toBeNull();
  });

  it.each([
    ['spawnSync(file)', () => spawnSync(printEnv, { shell: false }).error?.message],
    ['spawnSync(file, options)', () => String(spawnSync('env', { env: { A: '1', PATH: saved.PATH } }).stdout)],
    [
      'spawnSync(file, null, options)',
      () => String(spawnSync('env', null as never, { env: { PATH: saved.PATH } }).stdout),
    ],
    ['execSync(command)', () => String(execSync('env'))],
    ['execSync(command, options)', () => execSync('env', { encoding: 'utf8' })],
    ['execFileSync(file)', () => String(execFileSync('env'))],
    ['execFileSync(file, options)', () => execFileSync('env', { encoding: 'utf8' })],
    ['execFileSync(file, args, options)', () => execFileSync('env', [], { encoding: 'utf8' })],
  ])('has the session’s variables for %s', (form, start) => {
    const text = runInScope(session, start);
    if (form === 'spawnSync(file)') expect(text).toMatch(/EACCES/);
    else expect(text).toContain(`LLMTAP_SESSION_ID=${session.session.sessionId}`);
  });

  it('is not waited for when it could not be started', async () => {
    const child = runInScope(session, () => spawn('/no/such/program'));
    const [error] = (await once(child, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ENOENT');
    expect(session.descendants).toEqual([]);
  });

  it('keeps signals, time limits and standard streams of its options', async () => {
    const abort = new AbortController();
    const child = runInScope(session, () =>
      spawn(node, ['-e', 'setInterval(() => 0, 1000)'], { signal: abort.signal }),
    );
    const ended = once(child, 'error');
    abort.abort();
    expect(await ended).toEqual([expect.objectContaining({ name: 'AbortError' })]);
    const late = runInScope(session, () => spawnSync(node, ['-e', 'setInterval(() => 0, 1000)'], { timeout: 200 }));
    expect(late.signal).toBe('SIGTERM');
    const { stdout } = runInScope(session, () => spawnSync(node, ['-p', '1'], { stdio: ['ignore', 'pipe', 'ignore'] }));
    expect(String(stdout)).toBe('1\n');
  });

  it('is refused what Node refuses, in the same words', () => {
    const wrong: readonly (() => unknown)[] = [
      () => spawn(1 as never),
      () => spawn(node, [], null as never),
      () => spawn(node, [], { cwd: 1 as never }),
      () => spawnSync(node, [], null as never),
      () => spawnSync(node, 'text' as never),
      () => spawnSync(node, [], { timeout: -1 }),
      () => execSync(1 as never),
      () => execFileSync(node, [], 'text' as never),
      () => execSync('exit 3', { stdio: 'ignore' }),
      () => spawn(node, [], { env: { 'A\0B': '1' } }),
      () => execFileSync(node, [], { env: { A: 'x\0y' } }),
    ];
    for (const work of wrong) {
      const plain = catchError(work) as NodeJS.ErrnoException;
      const scoped = runInScope(session, () => catchError(work)) as NodeJS.ErrnoException;
      expect([scoped?.constructor, scoped?.code, scoped?.message]).toEqual([
        plain?.constructor,
        plain?.code,
        plain?.message,
      ]);
      expect(plain, String(work)).toBeInstanceOf(Error);
    }
    expect([...session.announced].filter((text) => !text.includes('null byte'))).toEqual([]);
  });

  it('leaves the options of its caller as they were, frozen ones and those of a class too', () => {
    class Options {
      readonly env = Object.freeze({ PATH: saved.PATH, A: '1' });
      readonly encoding = 'utf8';
    }
    const options = Object.freeze(new Options());
    const text = runInScope(session, () => execFileSync('env', options));
    expect(text).toContain('A=1\n');
    expect(text).toContain('LLMTAP_RUN_ID=');
    expect(options.env).toEqual({ PATH: saved.PATH, A: '1' });
  });

  it('takes entries an env inherits from its prototype, as Node does', () => {
    const env = Object.assign(Object.create({ BELOW: '1' }) as Record<string, string>, { PATH: saved.PATH, OWN: '1' });
    const text = runInScope(session, () => execFileSync('env', { env, encoding: 'utf8' }));
    expect(text).toContain('BELOW=1\n');
    expect(text).toContain('OWN=1\n');
  });

  it('has them when a ChildProcess is started without an env at all', async () => {
    const raw = new childProcess.ChildProcess() as unknown as {
      spawn(options: object): number;
    } & childProcess.ChildProcess;
    const options = Object.freeze({ file: node, args: [node, printEnv], stdio: ['ignore', 'pipe', 'ignore'] });
    runInScope(session, () => raw.spawn(options));
    const chunks: string[] = [];
    raw.stdout?.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
    await once(raw, 'close');
    expect(JSON.parse(chunks.join(''))).toMatchObject({
      LLMTAP_SESSION_ID: session.session.sessionId,
      PATH: saved.PATH,
    });
  });

  it('is given the session when it is a worker of a cluster', async () => {
    const { readClusterEnv } = createRequire(import.meta.url)(findAgent('cluster.cjs')) as {
      readonly readClusterEnv: () => Promise<Record<string, string>>;
    };
    process.env.NODE_OPTIONS = '--no-deprecation';
    expect(await runInScope(session, readClusterEnv)).toMatchObject({
      LLMTAP_SESSION_ID: session.session.sessionId,
      HTTPS_PROXY: rig.session.proxyUrl,
      NODE_OPTIONS: expect.stringMatching(/^--no-deprecation --require=/),
    });
  });
});

describe('an env given to a child', () => {
  it('keeps what the caller chose and lets the session extend what was copied from the process', async () => {
    const system = join(rig.home, 'ca.pem');
    process.env.NODE_EXTRA_CA_CERTS = system;
    process.env.SSL_CERT_FILE = rig.host.caPath;
    process.env.NO_PROXY = 'corp.test';
    const env = await read('spawn', { env: { ...process.env, SSL_CERT_FILE: '/chosen.pem' } });
    expect(env.SSL_CERT_FILE).toBe('/chosen.pem');
    expect(env.NODE_EXTRA_CA_CERTS).toBe(rig.host.extraCaPath);
    expect(env.NO_PROXY).toBe('corp.test,localhost,127.0.0.1,::1');
    expect([...session.announced]).toEqual([]);
  });

  it.each(['spawn', 'execFileSync', 'execa', 'Worker'])(
    'that carries the shell’s proxy along is told of once, without its password (%s)',
    async (name) => {
      process.env.HTTPS_PROXY = 'http://user:secret@corp.test:3128';
      for (let n = 0; n < 2; n++) {
        const env = await read(name, { env: { ...process.env, X: '1' } });
        expect(env.HTTPS_PROXY).toBe('http://user:secret@corp.test:3128');
      }
      expect([...session.announced]).toEqual([expect.stringMatching(/^OPTION_CONFLICT .*HTTPS_PROXY/)]);
      expect([...session.announced].join('')).not.toContain('secret');
    },
  );

  it('says nothing of a proxy chosen for the child', async () => {
    process.env.HTTPS_PROXY = 'http://corp.test:3128';
    await read('spawn', { env: { HTTPS_PROXY: 'http://other.test:3128' } });
    expect([...session.announced]).toEqual([]);
  });
});

describe('a session whose files cannot be made', () => {
  it.each(['spawn', 'exec', 'execSync', 'execFileSync', 'Worker'])(
    'leaves a child of %s as it was, and says so',
    async (name) => {
      const broken = openSpawnSession(rig, { home: rig.host.caPath });
      const env = await runInScope(broken, () => readChildEnv(ways[name] ?? (() => Promise.reject(new Error(name)))));
      expect(env.LLMTAP_SESSION_ID).toBeUndefined();
      expect(env.PATH).toBe(saved.PATH);
      expect([...broken.announced]).toEqual([expect.stringMatching(/^HOME_UNUSABLE A child was started without/)]);
      expect(broken.descendants).toEqual([]);
      await broken.whenAlone();
    },
  );
});

describe('a session that is over', () => {
  it('has no further children', async () => {
    session.end();
    expect((await read('spawn')).LLMTAP_SESSION_ID).toBeUndefined();
    expect((await read('execFileSync')).LLMTAP_SESSION_ID).toBeUndefined();
    expect((await read('Worker')).LLMTAP_SESSION_ID).toBeUndefined();
  });
});

describe('promisified functions', () => {
  it('still give their child and both streams', async () => {
    const running = runInScope(session, () => promisify(execFile)(node, ['-p', '1']));
    expect(running.child.pid).toBeTypeOf('number');
    expect(await running).toEqual({ stdout: '1\n', stderr: '' });
  });
});
