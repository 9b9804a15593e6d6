// Failures of the field's tools with secrets and certificates; the numbers are those of test/regressions/README.md.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { HostOptions } from '../../src/core/host.js';
import { launch } from '../cli/launch.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openTcpServer } from '../fixtures/tcp.js';
import { openUpstream } from '../fixtures/upstream.js';

let rig: Rig;
afterEach(async () => await rig.close());

const key = 'AIzaSyC4naryQuery0011223344556677889900';
const path = `/v1beta/models/gemini-2.5-pro:generateContent?key=${key}`;
const echo = JSON.stringify({ error: { code: 400, message: `Bad request: https://host${path}`, status: 'INVALID' } });
const gemini = { host: 'generativelanguage.googleapis.com', path, body: '{"contents":[]}' };

/** Everything below a folder, as text. */
function readFiles(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => statSync(name).isFile())
    .map((name) => readFileSync(name).toString('latin1'))
    .join('');
}

describe('failure 30: a key in the URL of a call that fails', () => {
  // BerriAI/litellm PR 39964 (in a traceback's URL), vllm-project/semantic-router#2132, intrafind/ihub-apps#705 (`?key=`).
  it.each<[string, () => Promise<Partial<HostOptions>>]>([
    ['because nobody listens', async () => ({ connectTo: [':443:127.0.0.1:1'] })],
    ['because the certificate does not verify', async () => ({ upstreamCa: undefined }) as object],
    ['because the provider says so, and quotes the URL', async () => ({})],
    [
      'because the provider cuts it',
      async () => {
        const server = await openTcpServer((socket) => void socket.destroy());
        onTestFinished(() => server.close());
        return { connectTo: [`:443:127.0.0.1:${server.port}`] };
      },
    ],
  ])('is in no record, fault, file or answer of the tap: %s', async (_why, makeOptions) => {
    rig = await openRig(await makeOptions());
    rig.upstream.handler = (request, response) => {
      request.on('end', () => response.writeHead(400, { 'content-type': 'application/json' }).end(echo)).resume();
    };
    const reply = await ask({ port: rig.session.port, ca: rig.ca, ...gemini });
    if (reply.status === 502) expect(reply.body.toString()).not.toContain(key);
    const [record] = await rig.waitForRecords(1);
    expect(record?.error?.message).toMatch(/\w/);
    expect(JSON.stringify([rig.records, rig.faults])).not.toContain(key);
    await rig.session.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(readFiles(rig.home)).not.toContain(key);
  });
});

// anthropics/claude-code#10458, #26897, #3374: a CA that comes too late, and users who then trust anybody.
it('failure 12: a user who has told Node to trust anybody does not make the tap do so', async () => {
  rig = await openRig();
  const stranger = await openUpstream();
  const home = mkdtempSync(join(tmpdir(), 'llmtap-trust-anybody-'));
  try {
    const code = `fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body: ${JSON.stringify(chatRequest)},
      headers: { authorization: 'Bearer sk-x', 'content-type': 'application/json' } }).then((r) => console.log(r.status))`;
    const flags = ['--quiet', '--connect-to', `:443:127.0.0.1:${stranger.port}`];
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    const { stdout } = await launch(['run', ...flags, '--', process.execPath, '-e', code], { home, env });
    expect(stdout).toBe('502\n');
    expect(stranger.seen).toEqual([]);
  } finally {
    await stranger.close();
    rmSync(home, { recursive: true });
  }
});

// Lexus2016/hermes-agent-evolution PR 3420: variables that add and variables that replace, mixed: `npm install` broke, silently.
it('failure 13: npm and curl still trust the roots of their user, beside those of the tap', async () => {
  rig = await openRig();
  const { upstream } = rig;
  const home = mkdtempSync(join(tmpdir(), 'llmtap-user-roots-'));
  upstream.handler = (request, response) => {
    request
      .on('end', () => {
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(request.url === '/v1/chat/completions' ? chatReply : '{}');
      })
      .resume();
  };
  const script = [
    'npm ping --registry https://registry.example.org/ --cache "$LLMTAP_HOME/npm" --no-update-notifier 2>&1 | grep -c PONG',
    `curl -sS -o /dev/null -w '%{http_code}\\n' https://registry.example.org/-/ping`,
    `curl -sS -o /dev/null -w '%{http_code}\\n' -d '${chatRequest}' -H 'content-type: application/json' https://api.openai.com/v1/chat/completions`,
  ].join('\n');
  const env = { NODE_EXTRA_CA_CERTS: upstream.caPath, SSL_CERT_FILE: upstream.caPath };
  const flags = ['--connect-to', `:443:127.0.0.1:${upstream.port}`, '--upstream-ca', upstream.caPath];
  try {
    const { stdout, stderr } = await launch(['run', ...flags, '--', 'sh', '-c', script], { home, env });
    expect([stdout, stderr]).toEqual(['1\n200\n200\n', expect.stringContaining('1 model call')]);
    expect(upstream.seen.map(({ url }) => url)).toEqual(['/-/ping', '/-/ping', '/v1/chat/completions']);
  } finally {
    rmSync(home, { recursive: true });
  }
}, 60_000);
