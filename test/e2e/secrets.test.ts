import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launcher, makeEnv } from '../cli/launch.js';
import { openUpstream, type TestUpstream } from '../fixtures/upstream.js';
import { canaries, findCanaries, findCanariesIn, leak, listAll } from './canaries.js';
import { type ChildEnd, findChild, readCalls, runChild } from './lab.js';

const policies = ['none', 'redacted', 'full'] as const;

let upstream: TestUpstream;
let userProxy: http.Server;
let folder: string;
/** What the user's own proxy was shown. */
const logins: (string | undefined)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-secrets-'));
  upstream = await openUpstream();
  upstream.handler = leak;
  userProxy = http.createServer().on('connect', (request, client: net.Socket, head) => {
    logins.push(request.headers['proxy-authorization']);
    const onward = net.connect(upstream.port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.write(head);
      client.pipe(onward).pipe(client);
    });
    onward.on('error', () => client.destroy());
    client.on('error', () => onward.destroy()).on('close', () => onward.destroy());
  });
  await new Promise<void>((resolve) => userProxy.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  userProxy.closeAllConnections();
  await new Promise((resolve) => userProxy.close(resolve));
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(policies)('under --bodies %s', (bodies) => {
  let home: string;
  let ended: ChildEnd;
  let during: string[] | null = null;
  let running: { readonly files: readonly string[]; readonly open: readonly string[] };

  beforeAll(async () => {
    home = join(folder, bodies);
    const { port } = userProxy.address() as AddressInfo;
    const env = {
      ...makeEnv(home),
      SOME_SERVICE_TOKEN: canaries.environment,
      DATABASE_URL: `postgres://user:${canaries.urlPassword}@db.test/x`,
      HTTPS_PROXY: `http://user:${canaries.proxyPassword}@127.0.0.1:${port}`,
      CANARIES: JSON.stringify(canaries),
      GO_ON: join(folder, `${bodies}-go-on`),
    };
    const child = [process.execPath, findChild('leaky-child.js'), '--api-key', canaries.argument];
    const more = [`--token=${canaries.argument}`, `https://me:${canaries.urlPassword}@example.test/`];
    const flags = ['--bodies', bodies, '--run-id', bodies, '--upstream-ca', upstream.caPath];
    ended = await runChild([process.execPath, launcher, 'run', ...flags, '--', ...child, ...more], {
      env,
      onLine: (line) => {
        // The child waits: the tap is alive, its log and its session's files are on disk.
        if (line !== 'asked') return;
        during = findCanariesIn(home);
        running = { files: listAll(home), open: listOpenToOthers(home) };
        writeFileSync(env.GO_ON, '');
      },
    });
    expect(ended).toMatchObject({ status: 0 });
  });

  it('the calls were made, through the user’s own proxy with its credentials', () => {
    const basic = Buffer.from(`user:${canaries.proxyPassword}`).toString('base64');
    expect(logins.at(-1)).toBe(`Basic ${basic}`);
    expect(readCalls(home).map(({ outcome, status }) => [outcome, status])).toEqual([
      ['ok', 200],
      ['ok', 200],
      ['ok', 200],
      ['ok', 200],
      ['http_error', 401],
    ]);
    const kept = readCalls(home).filter(({ requestBody }) => requestBody !== null);
    expect(kept).toHaveLength(bodies === 'none' ? 0 : 5);
  });

  it('no secret stands in any file while the tap runs', () => {
    expect(running.files.some((path) => path.endsWith('.db-wal'))).toBe(true);
    expect(running.files.some((path) => path.includes('/sessions/sess_'))).toBe(true);
    expect(during).toEqual([]);
  });

  it('no secret stands in any file afterwards, nor in anything llmtap prints', async () => {
    expect(findCanariesIn(home)).toEqual([]);
    const { stdout, stderr } = ended;
    expect(findCanaries(Buffer.from(stderr + stdout))).toEqual([]);
    const env = makeEnv(home);
    const [{ callId } = { callId: '' }] = readCalls(home);
    const reading = [
      ['calls'],
      ['calls', '--json'],
      ['runs', '--json'],
      ['runs'],
      ['show', callId],
      ['summary', '--json'],
    ];
    for (const args of reading) {
      const said = await runChild([process.execPath, launcher, ...args], { env });
      expect(said.status).toBe(0);
      expect(findCanaries(Buffer.from(said.stdout + said.stderr))).toEqual([]);
    }
  });

  it('files and folders are the user’s alone, while it runs and afterwards', () => {
    expect(running.open).toEqual([]);
    expect(listOpenToOthers(home)).toEqual([]);
  });

  it('the key of the root stands in one file and in nothing that is printed', async () => {
    const keys = listAll(home).filter((path) => statSync(path).isFile() && readFileSync(path).includes('PRIVATE KEY'));
    expect(keys).toHaveLength(1);
    const keyFile = keys[0] ?? '';
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const lines = readFileSync(keyFile, 'utf8')
      .split('\n')
      .filter((line) => line.length > 20 && !line.startsWith('-----'));
    // The first line of a P-256 key says nothing but that it is one.
    const others = listAll(home).filter((path) => statSync(path).isFile() && path !== keyFile);
    for (const path of others) {
      const text = readFileSync(path).toString('latin1');
      expect(lines.slice(1).some((line) => text.includes(line))).toBe(false);
    }
    const llmtap = `'${process.execPath}' '${launcher}'`;
    const entering = `s="$(${llmtap} env --shell bash)"; echo "$s"; eval "$s"; eval "$(${llmtap} env --unset)"`;
    const script = `${llmtap} ca info; ${llmtap} ca info --json; ${llmtap} ca path; ${entering}`;
    const { stdout, stderr } = await runChild(['bash', '-c', script], { env: makeEnv(home) });
    expect(stdout).toContain('export ');
    expect(stdout + stderr).not.toContain('PRIVATE KEY');
    expect(lines.slice(1).some((line) => `${stdout}${stderr}`.includes(line))).toBe(false);
  });
});

/** What below a home lets group or others in; certificates may be read, had anybody a way into their folder. */
function listOpenToOthers(home: string): string[] {
  return listAll(home)
    .filter((path) => {
      const isPublic = path.includes('/ca/') && statSync(path).isFile() && !readFileSync(path).includes('PRIVATE KEY');
      return (statSync(path).mode & (isPublic ? 0o022 : 0o077)) !== 0;
    })
    .map((path) => `${path} ${(statSync(path).mode & 0o777).toString(8)}`);
}
