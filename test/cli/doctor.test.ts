import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorReport, ProgramReport } from '../../src/cli/doctor/report.js';
import { launch, launcher, openFolder, waitForEnd } from './launch.js';

let folder: ReturnType<typeof openFolder>;
beforeAll(() => {
  folder = openFolder();
});
afterAll(() => folder.close());

let made = 0;
const searchPath = process.env.PATH ?? '';

/** Folders of one run: what is left in `tmp` afterwards was forgotten. */
function makePlace() {
  const root = join(folder.path, String(made++));
  const place = { root, home: join(root, 'home'), tmp: join(root, 'tmp'), bin: join(root, 'bin') };
  for (const path of [place.tmp, place.bin]) mkdirSync(path, { recursive: true });
  return place;
}

type Place = ReturnType<typeof makePlace>;

/** A program that is found before the real one of its name. */
function addFake(place: Place, name: string, script: string): void {
  const file = join(place.bin, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

function examine(place: Place, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const own = { PATH: `${place.bin}${delimiter}${searchPath}`, TMPDIR: place.tmp, ...env };
  return launch(['doctor', ...args], { home: place.home, env: own });
}

async function report(place: Place, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = await examine(place, ['--json', ...args], env);
  expect(stderr).toBe('');
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const document: DoctorReport = JSON.parse(stdout);
  return { status, document, runtimes: document.runtimes };
}

function findReal(name: string): string {
  return spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
}

const canRun = (...command: readonly string[]) => spawnSync(command[0] ?? '', command.slice(1)).status === 0;
const hasPython = canRun('python3', '-c', '0');
const hasCurl = canRun('curl', '--version');

describe('on this machine', () => {
  const all = makeOnce(async () => {
    const place = makePlace();
    return { place, ...(await report(place, [])) };
  });

  const installed: readonly [name: string, isThere: boolean][] = [
    ['node', true],
    ['node-https', true],
    ['bun', canRun('bun', '--version')],
    ['deno', canRun('deno', '--version')],
    ['python-urllib', hasPython],
    ['python-requests', canRun('python3', '-c', 'import requests')],
    ['python-httpx', canRun('python3', '-c', 'import httpx')],
    ['curl', hasCurl],
    ['wget', canRun('wget', '--version')],
    ['go', canRun('go', 'version')],
    ['java', canRun('javac', '-version')],
    ['ruby', canRun('ruby', '--version')],
    ['php-curl', canRun('php', '-r', 'exit(extension_loaded("curl") ? 0 : 1);')],
  ];
  for (const [name, isThere] of installed) {
    it.skipIf(!isThere)(`sees ${name}${isThere ? '' : ' (not installed)'}`, { timeout: 90_000 }, async () => {
      const found = requireProgram((await all()).runtimes, name);
      expect(found).toMatchObject({ verdict: 'seen', level: 'ok', version: expect.stringMatching(/^\d+\./) });
      expect(found.path).toMatch(/^\//);
      expect(found.durationMs).toBeGreaterThan(0);
    });
  }

  const direct: readonly [name: string, isThere: boolean, fix: string][] = [
    ['python-aiohttp', canRun('python3', '-c', 'import aiohttp'), 'trust_env=True'],
    ['php-streams', canRun('php', '-r', 'exit(extension_loaded("openssl") ? 0 : 1);'), 'curl extension'],
    ['perl-lwp', canRun('perl', '-MLWP::Protocol::https', '-e', '0'), 'PERL_LWP_ENV_PROXY=1'],
  ];
  for (const [name, isThere, fix] of direct) {
    const title = `warns that ${name} asks no proxy, and says what helps${isThere ? '' : ' (not installed)'}`;
    it.skipIf(!isThere)(title, { timeout: 90_000 }, async () => {
      const found = requireProgram((await all()).runtimes, name);
      expect(found).toMatchObject({ verdict: 'direct', level: 'warning', fix: expect.stringContaining(fix) });
    });
  }

  it.skipIf(!canRun('git', '--version'))('knows that git makes no model calls', { timeout: 90_000 }, async () => {
    const found = requireProgram((await all()).runtimes, 'git');
    expect(found).toMatchObject({ verdict: 'relayed', level: 'ok', fix: null });
  });

  it('finds nothing wrong with a home that is not there yet, and does not make it', { timeout: 90_000 }, async () => {
    const { document, status, place } = await all();
    expect(document.checks.map(({ name, level }) => `${name} ${level}`)).toEqual([
      ...['node ok', 'clock ok', 'home ok', 'ca ok', 'ledger ok', 'no-proxy ok', 'tap ok', 'database ok'],
    ]);
    expect(status).toBe(0);
    expect(existsSync(place.home)).toBe(false);
  });

  it('names every program it knows, with the same fields', { timeout: 90_000 }, async () => {
    const { document } = await all();
    const fields = ['client', 'durationMs', 'fix', 'level', 'message', 'name', 'path', 'program', 'verdict', 'version'];
    for (const program of document.runtimes) expect(Object.keys(program).sort()).toEqual(fields);
    for (const agent of document.agents) expect(Object.keys(agent).sort()).toEqual([...fields, 'trial'].sort());
    expect(Object.keys(document)).toEqual(['version', 'level', 'checks', 'runtimes', 'agents']);
  });

  it('leaves nothing behind', { timeout: 90_000 }, async () => {
    expect(readdirSync((await all()).place.tmp)).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('a program that is not as it should be', () => {
  it.skipIf(!hasPython)('goes direct, which is a warning', async () => {
    const place = makePlace();
    const clear = 'unset https_proxy HTTPS_PROXY http_proxy HTTP_PROXY';
    addFake(place, 'python3', `${clear}\nexec ${findReal('python3')} "$@"`);
    const { status, document, runtimes } = await report(place, ['--only', 'python-urllib']);
    expect({ status, level: document.level }).toEqual({ status: 0, level: 'warning' });
    expect(runtimes).toMatchObject([{ verdict: 'direct', path: join(place.bin, 'python3') }]);
    expect(runtimes[0]?.fix).toContain('a wrapper called python3');
  });

  it.skipIf(!hasCurl)('does not trust the session, which is a problem', async () => {
    const place = makePlace();
    addFake(place, 'curl', `unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR\nexec ${findReal('curl')} "$@"`);
    const { status, runtimes } = await report(place, ['--only', 'curl']);
    expect(status).toBe(1);
    expect(runtimes).toMatchObject([{ verdict: 'refused', level: 'problem', version: expect.any(String) }]);
    expect(runtimes[0]?.fix).toContain('CURL_CA_BUNDLE');
  });

  it('hangs: it is ended at the deadline with all it has started', async () => {
    const place = makePlace();
    const pids = join(place.root, 'pids');
    addFake(place, 'python3', `sleep 600 & echo $$ $! > ${pids}\nwait`);
    const { status, runtimes } = await report(place, ['--only', 'python-urllib', '--timeout', '1']);
    expect(status).toBe(0);
    expect(runtimes).toMatchObject([{ verdict: 'late', level: 'warning', version: null }]);
    expect(runtimes[0]?.message).toContain('in 1 s');
    for (const pid of readFileSync(pids, 'utf8').trim().split(' ')) await waitForEnd(Number(pid));
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  it('prints rubbish and the environment: nothing of it is repeated', async () => {
    const place = makePlace();
    addFake(place, 'python3', 'env; env >&2; head -c 3000000 /dev/urandom; echo "version sk-rubbish-key"; exit 3');
    const env = { OPENAI_API_KEY: 'sk-planted-0123456789abcdef', HTTPS_PROXY: 'http://ada:planted-word@127.0.0.1:1' };
    const { stdout, stderr } = await examine(place, ['--only', 'python-urllib'], env);
    expect(stderr).toBe('');
    expect(stdout).toContain('unknown: it ended with status 3, and no call came');
    const { runtimes, document } = await report(place, ['--only', 'python-urllib'], env);
    expect(runtimes).toMatchObject([{ verdict: 'silent', level: 'warning', version: null }]);
    for (const text of [stdout, JSON.stringify(document)]) expect(text).not.toMatch(/planted|sk-|ada/);
  });

  it('that is Java without a keytool is not tried, and says what is missing', async () => {
    const place = makePlace();
    addFake(place, 'java', 'exit 1');
    const { status, runtimes } = await report(place, ['--only', 'java'], { PATH: place.bin, JAVA_HOME: '' });
    expect(status).toBe(0);
    expect(runtimes).toMatchObject([{ verdict: 'untried', level: 'warning', durationMs: null }]);
    expect(runtimes[0]?.fix).toContain('no keytool');
  });

  it('cannot be executed', async () => {
    const place = makePlace();
    addFake(place, 'python3', '');
    writeFileSync(join(place.bin, 'python3'), '#!/nowhere/at/all\n');
    const { status, runtimes } = await report(place, ['--only', 'python-urllib']);
    expect(status).toBe(0);
    expect(runtimes).toMatchObject([{ verdict: 'silent', message: expect.stringContaining('could not be started') }]);
  });

  it('is not waited for when llmtap is told to end, and nothing stays', async () => {
    const place = makePlace();
    const pid = join(place.root, 'pid');
    addFake(place, 'python3', `echo $$ > ${pid}\nkill -TERM $PPID\nsleep 600`);
    const { status, stdout } = await examine(place, ['--only', 'python']);
    expect({ status, stdout }).toEqual({ status: 143, stdout: '' });
    await waitForEnd(Number(readFileSync(pid, 'utf8')));
    expect(readdirSync(place.tmp)).toEqual([]);
  });

  it('that is an agent is asked for its version alone, without keys, home or network', async () => {
    const place = makePlace();
    const told = join(place.root, 'told');
    addFake(place, 'aider', `{ echo "args $*"; env; } > ${told}\necho aider 0.86.1`);
    const env = { OPENAI_API_KEY: 'sk-planted-0123456789abcdef' };
    const { document } = await report(place, ['--only', 'aider'], env);
    const aider = document.agents.find(({ name }) => name === 'aider');
    expect(aider).toMatchObject({ verdict: 'untried', version: '0.86.1', level: 'ok', durationMs: null });
    const lines = readFileSync(told, 'utf8').split('\n');
    expect(lines[0]).toBe('args --version');
    expect(lines).toContain('HTTPS_PROXY=http://127.0.0.1:1');
    expect(lines.find((line) => line.startsWith('HOME='))).toContain(place.tmp);
    expect(lines.join('\n')).not.toContain('planted');
  });
});

describe('the surroundings', () => {
  it('with a proxy of the user’s own: canaries do not go there', async () => {
    let connections = 0;
    const proxy = net.createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    try {
      const own = `http://ada:planted@127.0.0.1:${port}`;
      const { runtimes, document } = await report(makePlace(), ['--only', 'node'], { HTTPS_PROXY: own });
      expect(runtimes.map(({ verdict }) => verdict)).toEqual(['seen', 'seen']);
      expect(connections).toBe(0);
      expect(findCheck(document, 'tap').message).toContain('your own proxy of HTTPS_PROXY');
    } finally {
      proxy.close();
    }
  });

  it('with a proxy that cannot be chained to', async () => {
    const { status, document } = await report(makePlace(), ['--only', 'node'], { ALL_PROXY: 'socks5://127.0.0.1:1' });
    expect(status).toBe(1);
    expect(findCheck(document, 'tap')).toMatchObject({ level: 'problem', message: expect.stringContaining('socks5') });
  });

  it.skipIf(!hasCurl)('with a NO_PROXY that keeps everything direct', async () => {
    const { status, document, runtimes } = await report(makePlace(), ['--only', 'curl'], { NO_PROXY: '*' });
    expect(status).toBe(0);
    expect(findCheck(document, 'no-proxy')).toMatchObject({ level: 'warning', hint: expect.any(String) });
    expect(runtimes).toMatchObject([{ verdict: 'direct', fix: expect.stringContaining('Take * out of NO_PROXY') }]);
  });

  it('with a home that is a file, which is said once', async () => {
    const place = makePlace();
    writeFileSync(place.home, '');
    const { status, document } = await report(place, ['--only', 'aider']);
    expect(status).toBe(1);
    const problems = document.checks.filter(({ level }) => level === 'problem');
    expect(problems).toMatchObject([{ name: 'home', message: expect.stringContaining(place.home) }]);
  });

  it('with a home others can read, a CA and a ledger that is none', async () => {
    const place = makePlace();
    await launch(['ca', 'path'], { home: place.home });
    chmodSync(place.home, 0o755);
    writeFileSync(join(place.home, 'llmtap.db'), 'this is no database, and it is longer than a header. '.repeat(9));
    const { status, document } = await report(place, ['--only', 'aider']);
    expect(status).toBe(1);
    expect(findCheck(document, 'home')).toMatchObject({ level: 'warning', hint: expect.stringContaining('chmod 700') });
    expect(findCheck(document, 'ca')).toMatchObject({ level: 'ok', message: expect.stringContaining('valid until') });
    expect(findCheck(document, 'ledger')).toMatchObject({ level: 'problem' });
  });

  it('without a temporary folder: says so and tries nothing', async () => {
    const { status, document } = await report(makePlace(), [], { TMPDIR: '/nowhere/at/all' });
    expect(status).toBe(1);
    expect(findCheck(document, 'lab')).toMatchObject({ level: 'problem', hint: expect.stringContaining('TMPDIR') });
    expect(document.runtimes).toEqual([]);
  });

  it('under a tap already: the doctor’s own sessions are the ones that count', async () => {
    const place = makePlace();
    const command = ['run', '--quiet', '--', process.execPath, launcher, 'doctor', '--json', '--only', 'node'];
    const { status, stdout } = await launch(command, { home: place.home, env: { TMPDIR: place.tmp } });
    const document: DoctorReport = JSON.parse(stdout);
    expect(document.runtimes.map(({ verdict }) => verdict)).toEqual(['seen', 'seen']);
    expect(status).toBe(0);
  });
});

describe('the table', () => {
  it('lines up, has no colours in a pipe, and names what is not there', async () => {
    const { status, stdout, stderr } = await examine(makePlace(), ['--only', 'node'], { PATH: searchPath });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    const lines = stdout.split('\n');
    const head = lines.findIndex((line) => line.startsWith('program'));
    const at = lines[head]?.indexOf('what llmtap sees of it') ?? -1;
    expect([lines[head + 1]?.slice(at), lines[head + 2]?.slice(at)]).toEqual(['seen', 'seen']);
    expect(stdout).toMatch(/\n0 problems, 0 warnings; seen: 2 of 2 ways to call a model\n$/);
    const absent = await examine(makePlace(), ['--only', 'node'], { PATH: '/nowhere' });
    expect(absent.stdout).toContain('Not found here: node, node-https.');
  });

  it.each([
    [['--only', 'cobol'], '"cobol" of --only', 'node, node-https'],
    [['--only', ''], '"" of --only', 'python'],
    [['--timeout', '0'], '"0" of --timeout', '--timeout 20'],
  ])('is not made for %j', async (args, sentence, hint) => {
    const { status, stdout, stderr } = await examine(makePlace(), args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).toContain(hint);
  });
});

function makeOnce<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function requireProgram(programs: readonly ProgramReport[], name: string): ProgramReport {
  const found = programs.find((program) => program.name === name);
  if (found === undefined) throw new Error(`${name} is not in the report`);
  return found;
}

function findCheck(document: DoctorReport, name: string) {
  return document.checks.find((check) => check.name === name) ?? { message: '', level: undefined };
}
