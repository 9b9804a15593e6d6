import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openExampleProvider } from '../../examples/provider/provider.js';
import { hasProgram } from '../activation/tunnel-lab.js';
import { findChild, type Lab, openLab, runChild } from './lab.js';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(async () => await lab.close());

const openai = 'https://api.openai.com';
const node = process.execPath;

function makeBody(model: string, stream: boolean): string {
  return JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hello from a shell.' }] });
}

/** Without what differs from one answer to the next. */
function scrub(text: string): string {
  return text.replaceAll(/"(?:id|created)":\s*(?:"[^"]*"|\d+)/g, '');
}

describe.skipIf(!hasProgram('curl'))('curl', () => {
  const head = ['-H', 'content-type: application/json', '-H', 'authorization: Bearer sk-example'];
  const ask = (base: string, model: string, options: readonly string[]) => [
    ...['curl', '-sS', '--max-time', '20', ...head, ...options],
    ...['-d', makeBody(model, options.includes('-N')), `${base}/v1/chat/completions`],
  ];

  it.each([
    { title: 'plain, offering HTTP/2', options: [] },
    { title: 'plain over HTTP/1.1', options: ['--http1.1'] },
    { title: 'streamed, offering HTTP/2', options: ['-N'] },
    { title: 'streamed over HTTP/1.1', options: ['-N', '--http1.1'] },
    { title: 'compressed', options: ['--compressed'] },
    { title: 'streamed and compressed', options: ['-N', '--compressed'] },
  ])('gets what it gets without llmtap, and is on record: $title', async ({ title, options }) => {
    const trusting = ['--cacert', lab.caPath, ...options];
    const direct = await runChild(ask(lab.provider.url, 'curl', trusting), { env: lab.env });
    const tapped = await lab.run(ask(openai, 'curl', options), { flags: ['--run-id', title] });
    expect(tapped).toMatchObject({ status: 0, stderr: '' });
    expect(scrub(tapped.stdout)).toBe(scrub(direct.stdout));
    const records = lab.readCalls(title);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ provider: 'openai', outcome: 'ok', stream: options.includes('-N') });
    expect(records[0]?.usage).toEqual(lab.provider.requests.at(-1)?.bill);
  });

  it('reaches other hosts through a blind tunnel, unrecorded', async () => {
    const flags = ['--run-id', 'blind', '--summary-json', join(lab.folder, 'blind.json')];
    const asked = ['curl', '-sS', '--max-time', '20', '--cacert', lab.caPath, 'https://localhost:443/v1/models'];
    const { status, stdout } = await lab.run([...asked, '--noproxy', 'none.test'], { flags });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('error');
    expect(lab.readCalls('blind')).toEqual([]);
  });
});

it.skipIf(!hasProgram('python3'))('Python’s urllib gets its bytes and is on record, plain and streamed', async () => {
  const command = ['python3', findChild('ask.py')];
  const trusting = { ...lab.env, SSL_CERT_FILE: lab.caPath };
  const direct = await runChild([...command, lab.provider.url], { env: trusting });
  const tapped = await lab.run([...command, openai], { flags: ['--run-id', 'python'] });
  expect(tapped).toMatchObject({ status: 0, stderr: '' });
  expect(scrub(tapped.stdout)).toBe(scrub(direct.stdout));
  const bills = lab.provider.requests.slice(-2).map(({ bill }) => bill);
  expect(lab.readCalls('python').map(({ usage }) => usage)).toEqual(bills);
});

it.skipIf(!hasProgram('wget'))('wget gets its bytes and is on record', async () => {
  const head = ['--header', 'content-type: application/json', '--header', 'authorization: Bearer sk-example'];
  const body = ['--post-data', makeBody('wget', true)];
  const asked = ['wget', '-q', '-T', '20', '-t', '1', '-O', '-', ...head, ...body, `${openai}/v1/chat/completions`];
  const { status, stdout } = await lab.run(asked, { flags: ['--run-id', 'wget'] });
  expect([status, stdout.endsWith('data: [DONE]\n\n')]).toEqual([0, true]);
  expect(lab.readCalls('wget')).toMatchObject([{ outcome: 'ok', usage: lab.provider.requests.at(-1)?.bill }]);
});

it.skipIf(!hasProgram('git'))('git trusts the session, and its requests pass unrecorded', async () => {
  const asked = ['git', 'ls-remote', `${openai}/v1/chat/completions.git`];
  const { status, stderr } = await lab.run(asked, { flags: ['--run-id', 'git'] });
  expect(status).toBe(128);
  expect(stderr).toMatch(/not found/);
  expect(lab.provider.requests.at(-1)?.path).toBe('/v1/chat/completions.git/info/refs?service=git-upload-pack');
  expect(lab.readCalls('git')).toEqual([]);
});

const javaProgram = `
import java.net.URI;
import java.net.http.*;
public class Ask {
  public static void main(String[] args) throws Exception {
    var body = HttpRequest.BodyPublishers.ofString(args[1]);
    var call = HttpRequest.newBuilder(URI.create(args[0])).header("authorization", "Bearer sk-example").POST(body);
    System.out.print(HttpClient.newHttpClient().send(call.build(), HttpResponse.BodyHandlers.ofString()).body());
  }
}`;

it.skipIf(!hasProgram('javac', '-version'))(
  'Java’s own client is on record by --with java',
  { timeout: 60_000 },
  async () => {
    const source = join(lab.folder, 'Ask.java');
    writeFileSync(source, javaProgram);
    const asked = ['java', source, `${openai}/v1/chat/completions`, makeBody('java', true)];
    const flags = ['--with', 'java', '--run-id', 'java'];
    const { status, stdout } = await lab.run(asked, { flags, limitMs: 50_000 });
    expect([status, stdout.endsWith('data: [DONE]\n\n')]).toEqual([0, true]);
    expect(lab.readCalls('java')).toMatchObject([{ outcome: 'ok', usage: lab.provider.requests.at(-1)?.bill }]);
  },
);

describe.each(['fetch', 'request', 'agent', 'undici'])('Node’s %s', (client) => {
  const rounds = 3;
  const child = [node, findChild('fetch-child.js'), client];

  it('has every call on record over TLS', async () => {
    const runId = `tls-${client}`;
    const ended = await lab.run([...child, openai, String(rounds)], { flags: ['--run-id', runId] });
    expect(ended).toEqual({ status: 0, signal: null, stdout: `done ${rounds}\n`, stderr: '' });
    expectEveryCall(runId, 'openai', rounds);
  });

  it.each(['localhost', '127.0.0.1'])('has every call to a local model on record: %s', async (host) => {
    const runId = `local-${client}-${host}`;
    const base = `http://${host}:${lab.local.port}`;
    const flags = ['--run-id', runId, '--provider', `by-this-name=${base}`];
    const ended = await lab.run([...child, base, String(rounds)], { flags });
    expect(ended).toEqual({ status: 0, signal: null, stdout: `done ${rounds}\n`, stderr: '' });
    expectEveryCall(runId, 'local', rounds);
  });

  function expectEveryCall(runId: string, provider: string, count: number): void {
    const records = lab.readCalls(runId);
    const seen = (provider === 'local' ? lab.local : lab.provider).requests.slice(-count * 10);
    const bills = new Map(seen.map(({ responseId, bill }) => [responseId, bill]));
    expect(records).toHaveLength(count * 10);
    expect(bills.size).toBe(count * 10);
    for (const record of records) {
      expect(record).toMatchObject({ provider, outcome: 'ok', usage: bills.get(record.responseId) });
    }
  }
});

describe('a local model', () => {
  it('asked by many programs at once has every call of each on record', async () => {
    const clients = ['fetch', 'request', 'undici', 'fetch', 'agent', 'fetch'];
    const ends = await Promise.all(
      clients.map((client, i) =>
        lab.run([node, findChild('fetch-child.js'), client, lab.localUrl, '5'], { flags: ['--run-id', `many-${i}`] }),
      ),
    );
    expect(ends.map(({ status }) => status)).toEqual(clients.map(() => 0));
    const counts = clients.map((_client, i) => lab.readCalls(`many-${i}`).length);
    expect(counts).toEqual(clients.map(() => 50));
  });

  it('that is not running is a 502 that says so, and leaves one record', async () => {
    const stopped = await openExampleProvider();
    await stopped.close();
    const script = `fetch('${stopped.url}/v1/chat/completions', { method: 'POST', body: '{"model":"m"}' }).then(
      async (reply) => console.log('status', reply.status, (await reply.json()).error.code))`;
    const flags = ['--run-id', 'stopped', '--provider', `stopped=${stopped.url}`];
    const { status, stdout } = await lab.run([node, '-e', script], { flags });
    expect([status, stdout]).toEqual([0, 'status 502 UPSTREAM_UNREACHABLE\n']);
    expect(lab.readCalls('stopped')).toMatchObject([{ status: 0, outcome: 'upstream_error', requestedModel: 'm' }]);
  });

  it('whose replies a program leaves unread does not keep that program', async () => {
    const script = `const ask = () => fetch('${lab.localUrl}/v1/chat/completions', { method: 'POST',
      body: JSON.stringify({ model: 'words-5000', stream: true, messages: [{ role: 'user', content: 'x' }] }) });
      await Promise.all([ask(), ask(), ask()]); console.log('left'); process.exit(0);`;
    const flags = ['--run-id', 'unread'];
    const ended = await lab.run([node, '--input-type=module', '-e', script], { flags });
    expect(ended).toMatchObject({ status: 0, stdout: 'left\n' });
    const outcomes = lab.readCalls('unread').map(({ outcome }) => outcome);
    expect(outcomes).toHaveLength(3);
    for (const outcome of outcomes) expect(['ok', 'client_aborted']).toContain(outcome);
  });

  it('that closes every connection after its reply is asked again and again', async () => {
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
        response.end('{"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const script = `for (let i = 0; i < 20; i++) await (await fetch('http://127.0.0.1:${port}/v1/chat/completions',
      { method: 'POST', body: '{"model":"m"}' })).text(); console.log('done');`;
    const flags = ['--run-id', 'closing', '--provider', `closing=http://127.0.0.1:${port}`];
    const { stdout } = await lab.run([node, '--input-type=module', '-e', script], { flags });
    server.close();
    expect(stdout).toBe('done\n');
    expect(lab.readCalls('closing').map(({ usage }) => usage.totalTokens)).toEqual(Array(20).fill(5));
  });

  it('that is not registered is asked directly', async () => {
    const flags = ['--run-id', 'unregistered', '--provider', 'other=http://localhost:1'];
    const child = [node, findChild('fetch-child.js'), 'fetch', `http://127.0.0.1:${lab.local.port}`, '1'];
    expect(await lab.run(child, { flags })).toMatchObject({ status: 0, stdout: 'done 1\n' });
    expect(lab.readCalls('unregistered')).toEqual([]);
  });
});
