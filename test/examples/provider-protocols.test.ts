import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeExampleCertificates } from '../../examples/provider/certificates.js';
import { type ExampleProvider, openExampleProvider } from '../../examples/provider/provider.js';

const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Say it' }] });
let folder: string;
let ca: string;
let provider: ExampleProvider;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-example-'));
  const tls = await makeExampleCertificates(folder);
  ca = tls.caPem;
  const unbilled = { model: '', responseId: null, bill: null, tellsBill: false, contentType: 'text/plain' };
  provider = await openExampleProvider({
    tls,
    http2: true,
    routes: [{ api: 'own', method: 'GET', path: /^\/own$/u, answer: () => ({ ...unbilled, body: 'of its own' }) }],
    onUpgrade: (_request, socket) => void socket.end('HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n'),
  });
});
afterAll(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

async function askHttp2(headers: Readonly<Record<string, string>>, sent: string | Buffer): Promise<string> {
  const session = connect(provider.url, { ca });
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/v1/chat/completions',
      authorization: 'Bearer x',
      ...headers,
    });
    stream.end(sent);
    return await readAll(stream);
  } finally {
    session.destroy();
  }
}

it('answers over HTTP/2 where the client offers it, streamed and not', async () => {
  expect(JSON.parse(await askHttp2({}, body))).toHaveProperty('usage.total_tokens');
  expect(await askHttp2({}, body.replace('{', '{"stream":true,'))).toMatch(/data: \[DONE\]\n\n$/);
  expect(provider.requests.slice(-2)).toMatchObject([
    { httpVersion: '2.0', api: 'chat.completions', end: 'whole' },
    { httpVersion: '2.0', api: 'chat.completions', end: 'whole' },
  ]);
});

it('answers over HTTP/1.1 all others, by a route of its own where one is given', async () => {
  const [reply] = await once(get(`${provider.url}/own`, { ca, headers: { authorization: 'Bearer x' } }), 'response');
  expect(await readAll(reply)).toBe('of its own');
  expect(provider.requests.at(-1)).toMatchObject({ httpVersion: '1.1', api: 'own', bill: null });
});

it('reads a request that is compressed by zstd', async () => {
  // A frame that holds the bytes as they are: RFC 8878, sections 3.1.1 and 3.1.1.2.
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, body.length, 0, 0, 0]);
  head.writeUIntLE(body.length * 8 + 1, 6, 3);
  const frame = Buffer.concat([head, Buffer.from(body)]);
  expect(JSON.parse(await askHttp2({ 'content-encoding': 'zstd' }, frame))).toHaveProperty('choices');
  expect(JSON.parse(await askHttp2({ 'content-encoding': 'zstd' }, 'not zstd'))).toHaveProperty('error');
});

it('leaves upgrades to whoever takes them', async () => {
  const headers = { connection: 'Upgrade', upgrade: 'websocket' };
  const [reply] = await once(get(`${provider.url}/v1/responses`, { ca, headers }), 'response');
  reply.resume();
  expect(reply.statusCode).toBe(426);
});
