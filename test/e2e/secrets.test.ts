import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launcher, makeEnv } from '../cli/launch.js';
import { chatFrames } from '../fixtures/replies.js';
import { openUpstream, type TestUpstream } from '../fixtures/upstream.js';
import { type ChildEnd, findChild, readCalls, runChild } from './lab.js';

const policies = ['none', 'redacted', 'full'] as const;

/** One for each place a secret can stand in; no two alike, none guessable from another. */
const canaries = {
  bearer: 'sk-proj-c4naryBearer0000aaaa1111bbbb2222',
  bearerOpaque: 'opaque_c4naryBearer.77777/88888+99999==',
  xApiKey: 'sk-ant-api03-c4naryAnthropic-3333cccc4444',
  googApiKey: 'AIzaSyC4naryGoogleHeader5555dddd6666eeee',
  queryKey: 'AIzaSyC4naryGoogleQuery77777ffff8888gggg',
  cookie: 'c4naryCookie9999hhhh0000iiii',
  setCookie: 'c4narySetCookie1111jjjj2222kkkk',
  requestMember: 'c4naryRequestMember3333llll',
  requestText: 'sk-c4naryRequestText4444mmmm5555nnnn6666',
  replyMember: 'c4naryReplyMember7777oooo',
  replyText: 'ghp_c4naryReplyText8888pppp9999qqqq0000',
  frameText: 'sk-c4naryFrameText1111rrrr2222ssss3333',
  errorText: 'sk-c4naryErrorText4444tttt5555uuuu6666',
  environment: 'c4naryEnvironment7777vvvv8888',
  argument: 'c4naryArgument9999wwww0000',
  proxyPassword: 'c4naryProxyPassword1111xxxx',
  urlPassword: 'c4naryUrlPassword2222yyyy',
} as const;

let upstream: TestUpstream;
let userProxy: http.Server;
let folder: string;
/** What the user's own proxy was shown. */
const logins: (string | undefined)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-secrets-'));
  upstream = await openUpstream();
  upstream.handler = (request, response) => {
    request.resume().on('end', () => {
      response.setHeader('set-cookie', `session=${canaries.setCookie}; Path=/; HttpOnly`);
      const url = request.url ?? '';
      if (url.includes('fail')) {
        const message = `Incorrect API key provided: ${canaries.errorText}. Yours was ${canaries.bearerOpaque}.`;
        response.writeHead(401, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { message, type: 'auth', code: canaries.errorText } }));
      } else if (url.includes('stream')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        // Split over frames as models write it, a few characters each.
        const pieces = canaries.frameText.match(/.{1,5}/g) ?? [];
        const frames = pieces.map((piece) => chatFrames[1]?.replace('Hel', piece));
        response.end([...chatFrames.slice(0, 1), ...frames, ...chatFrames.slice(3)].join(''));
      } else {
        response.writeHead(200, { 'content-type': 'application/json' });
        const content = `Your key ${canaries.replyText}, and ${canaries.environment}; you sent ${request.headers.authorization}`;
        const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
        response.end(JSON.stringify({ id: 'c', model: 'm', api_key: canaries.replyMember, choices }));
      }
    });
  };
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

/** Every file and folder below a folder, itself included. */
function listAll(root: string): string[] {
  return [root, ...readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => join(root, name))];
}

/** The secrets that stand in a text of any encoding, plain, as base64 or in UTF-16. */
function findCanaries(bytes: Buffer): string[] {
  return Object.entries(canaries).flatMap(([name, secret]) => {
    const inBase64 = Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1);
    const forms = [Buffer.from(secret), Buffer.from(inBase64), Buffer.from(secret, 'utf16le')];
    return forms.some((form) => bytes.includes(form)) ? [name] : [];
  });
}

function findCanariesIn(home: string): string[] {
  const files = listAll(home).filter((path) => statSync(path).isFile());
  return files.flatMap((path) => findCanaries(readFileSync(path)).map((name) => `${name} in ${path}`));
}

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
