import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, openSecure, openTunnel } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { type WatchedSession, watchSession } from '../fixtures/watch-session.js';

const isMissing = (command: string): boolean => spawnSync(command, ['--version']).error !== undefined;
const hasNoOpenssl = spawnSync('openssl', ['version']).error !== undefined;

let rig: Rig;
let session: WatchedSession;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-trust-'));
  rig = await openRig();
  rig.upstream.handler = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
});
afterAll(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  session = await watchSession(rig.host);
});
afterEach(async () => {
  await session.session.close();
});

/** Runs a client to its end, with nothing of this process's environment but the path. */
async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ status: number | null; output: string }> {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, output };
}

const urllib = `
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({'https': sys.argv[1]}))
try:
    print(opener.open(urllib.request.Request('https://api.openai.com/v1/models', headers={'User-Agent': 'x'}), timeout=20).read().decode())
except Exception as error:
    print('failed', error); sys.exit(1)
`;

describe('a client that refuses the certificate by an alert', () => {
  it.skipIf(isMissing('curl'))('is named in one fault, also after ten tries: curl', async () => {
    const url = 'https://api.openai.com/v1/models';
    for (let i = 0; i < 10; i += 1) {
      const { status } = await run('curl', ['-sS', '--proxy', `http://127.0.0.1:${session.port}`, url]);
      expect(status).toBe(60);
    }
    const counts = await session.close();
    expect(session.faults).toMatchObject([{ code: 'TLS_REFUSED', message: expect.stringContaining('api.openai.com') }]);
    expect(session.faults[0]?.hint).toContain('CURL_CA_BUNDLE');
    expect(counts).toMatchObject({ calls: 0, faults: 1, tunnels: 0 });
  });

  it.skipIf(isMissing('python3'))(
    'is named with the variables that may help: python3, which does not say what it is',
    async () => {
      const { status, output } = await run('python3', ['-c', urllib, `http://127.0.0.1:${session.port}`]);
      expect(output).toContain('CERTIFICATE_VERIFY_FAILED');
      expect(status).toBe(1);
      await session.waitForFaults(1);
      expect(session.faults[0]).toMatchObject({ code: 'TLS_REFUSED', hint: expect.stringContaining('SSL_CERT_FILE') });
    },
  );

  it.skipIf(hasNoOpenssl)('is named once a host: openssl, over TLS 1.2 and 1.3', async () => {
    for (const [host, version] of [
      ['api.openai.com', '-tls1_2'],
      ['api.anthropic.com', '-tls1_3'],
      ['api.openai.com', '-tls1_3'],
    ] as const) {
      const args = [
        's_client',
        '-proxy',
        `127.0.0.1:${session.port}`,
        '-connect',
        `${host}:443`,
        '-servername',
        host,
        '-verify_return_error',
        version,
      ];
      expect((await run('openssl', args)).status).not.toBe(0);
    }
    await session.close();
    expect(session.faults.map((fault) => fault.code)).toEqual(['TLS_REFUSED', 'TLS_REFUSED']);
    expect(session.faults.map((fault) => /api\.\w+\.com/.exec(fault.message)?.[0])).toEqual([
      'api.openai.com',
      'api.anthropic.com',
    ]);
  });

  it.skipIf(isMissing('curl'))('is named though calls were served to another', async () => {
    await ask({ port: session.port, ca: rig.ca, body: chatRequest });
    await run('curl', ['-sS', '--proxy', `http://127.0.0.1:${session.port}`, 'https://api.openai.com/v1/models']);
    await session.waitForFaults(1);
    expect(session.faults).toMatchObject([{ code: 'TLS_REFUSED' }]);
  });
});

describe('a client that closes without a word', () => {
  const refuse = async (): Promise<void> => {
    const { socket } = await openTunnel(session.port, 'api.openai.com:443', { 'User-Agent': 'node' });
    await new Promise<void>((resolve) => {
      const request = https.get({
        host: 'api.openai.com',
        path: '/v1/models',
        createConnection: () => tls.connect({ socket, servername: 'api.openai.com' }),
      });
      request.once('error', () => resolve());
    });
  };

  it('twice is named in one fault: Node without the CA', async () => {
    await refuse();
    await refuse();
    await session.waitForFaults(1);
    await refuse();
    await session.close();
    expect(session.faults).toMatchObject([
      { code: 'TLS_REFUSED', hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') },
    ]);
  });

  it('once, and then makes a call, is no fault', async () => {
    await refuse();
    await ask({ port: session.port, ca: rig.ca, body: chatRequest });
    await refuse();
    await refuse();
    expect(await session.close()).toMatchObject({ faults: 0, calls: 1 });
  });

  it('once, and never comes again, is a fault at the end of the session', async () => {
    await refuse();
    // The tap hears of the close on its own side of the connection.
    const other = await openSecure(session.port, 'api.anthropic.com', { ca: rig.ca });
    other.write('GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n');
    await new Promise((resolve) => other.once('data', resolve));
    expect(session.faults).toEqual([]);
    expect(await session.close()).toMatchObject({ faults: 1 });
    expect(session.faults).toMatchObject([{ code: 'TLS_REFUSED', message: expect.stringContaining('api.openai.com') }]);
  });

  it('because the session closed its idle connections is no fault', async () => {
    const idle = await Promise.all([0, 1, 2].map(() => openSecure(session.port, 'api.openai.com', { ca: rig.ca })));
    const gone = Promise.all(
      idle.map(
        (socket) =>
          new Promise((resolve) =>
            socket
              .on('error', () => undefined)
              .once('close', resolve)
              .resume(),
          ),
      ),
    );
    expect(await session.close()).toMatchObject({ faults: 0 });
    await gone;
    expect(session.faults).toEqual([]);
  });

  it('on connections opened ahead is no fault when calls were served', async () => {
    const idle = await Promise.all([0, 1, 2].map(() => openSecure(session.port, 'api.openai.com', { ca: rig.ca })));
    await ask({ port: session.port, ca: rig.ca, body: chatRequest });
    for (const socket of idle) socket.destroy();
    expect(await session.close()).toMatchObject({ faults: 0, calls: 1 });
  });
});

describe('the certificate the tap shows', () => {
  it.skipIf(isMissing('python3'))(
    'passes a verifier as strict as Python 3.13’s default, for names and for addresses',
    async () => {
      const strict = `
import socket, ssl, sys
port, target, name, cafile = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=cafile)
context.verify_flags |= ssl.VERIFY_X509_STRICT | getattr(ssl, 'VERIFY_X509_PARTIAL_CHAIN', 0)
raw = socket.create_connection(('127.0.0.1', port))
raw.sendall(('CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' % (target, target)).encode())
assert raw.recv(4096).startswith(b'HTTP/1.1 200')
with context.wrap_socket(raw, server_hostname=name) as secure:
    print(secure.version(), secure.getpeercert()['subjectAltName'])
`;
      writeFileSync(join(folder, 'ca.pem'), rig.ca);
      rig.host.registerProvider({ name: 'four', baseUrl: 'https://127.0.0.1:8443' });
      rig.host.registerProvider({ name: 'six', baseUrl: 'https://[::1]:8443' });
      for (const [target, name] of [
        ['api.openai.com:443', 'api.openai.com'],
        ['127.0.0.1:8443', '127.0.0.1'],
        ['[::1]:8443', '::1'],
      ] as const) {
        const { output, status } = await run('python3', [
          '-c',
          strict,
          String(session.port),
          target,
          name,
          join(folder, 'ca.pem'),
        ]);
        expect(output).toContain('TLSv1.3');
        expect(status).toBe(0);
      }
    },
  );
});
