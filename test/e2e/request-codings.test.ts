import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFixture } from '../contract/provider-fixtures.js';
import { ask } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const host = 'chatgpt.com';
const path = '/backend-api/codex/responses';
const text = JSON.stringify({ model: 'gpt-5-codex', stream: true, prompt_cache_key: 'conv-1', input: 'x'.repeat(500) });

/** A zstd frame that holds the bytes as they are (RFC 8878 sections 3.1.1 and 3.1.1.2). */
function storeZstd(bytes: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(0xfd2fb528, 0);
  head[4] = 0xa0;
  head.writeUInt32LE(bytes.length, 5);
  head.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([head, bytes]);
}

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ bodies: 'redacted' });
  rig.upstream.handler = (request, response) => {
    const status = request.url === path ? 200 : 403;
    request.resume().once('end', () => {
      if (status === 200) response.writeHead(200, { 'content-type': 'text/event-stream' });
      else response.writeHead(403, { 'content-type': 'text/html', 'cf-mitigated': 'challenge' });
      response.end(status === 200 ? readFixture('openai-responses/answer.sse') : '<html></html>');
    });
  };
});
afterAll(async () => await rig.close());

async function send(body: Buffer, headers: Readonly<Record<string, string>>, to = path) {
  const at = rig.records.length;
  await ask({
    port: rig.session.port,
    ca: rig.ca,
    host,
    path: to,
    method: 'POST',
    headers: { host, 'content-type': 'application/json', 'content-length': body.length, ...headers },
    body,
  });
  return (await rig.waitForRecords(at + 1))[at];
}

describe('a request of Codex signed in with ChatGPT', () => {
  const body = Buffer.from(text);

  it.each([
    ['no coding', body, null],
    ['zstd', storeZstd(body), 'zstd'],
    ['gzip', gzipSync(body), 'gzip'],
    ['br', brotliCompressSync(body), 'br'],
    ['deflate', deflateSync(body), 'deflate'],
    ['bare deflate', deflateRawSync(body), 'deflate'],
    ['gzip, then zstd', storeZstd(gzipSync(body)), 'gzip, zstd'],
  ])('in %s is read from a copy and goes upstream as it was', async (_, bytes, coding) => {
    const faults = rig.faults.length;
    const record = await send(bytes, coding === null ? {} : { 'content-encoding': coding });
    expect(record).toMatchObject({
      provider: 'chatgpt-codex',
      api: 'responses',
      requestedModel: 'gpt-5-codex',
      stream: true,
      wireSession: { prompt_cache_key: 'conv-1' },
      requestBytes: bytes.length,
      requestBody: JSON.parse(text),
      usage: { inputTokens: 328, outputTokens: 152 },
      changes: [],
    });
    expect(rig.upstream.seen.at(-1)?.body.equals(bytes)).toBe(true);
    expect(rig.faults).toHaveLength(faults);
  });

  it.each([
    ['a coding nobody knows', body, 'compress', 'The body\'s content encoding "compress" is not known.'],
    ['five codings', body, 'gzip, gzip, gzip, gzip, gzip', 'The body is encoded 5 times over; at most 4 are read.'],
    ['a coding it is not in', body, 'gzip', 'The encoded body could not be decoded: incorrect header check.'],
    ['zstd that was cut', storeZstd(body).subarray(0, 300), 'zstd', 'The encoded body ends in the middle.'],
  ])('in %s goes upstream as it was, and a fault says what could not be read', async (_, bytes, coding, problem) => {
    const faults = rig.faults.length;
    const record = await send(bytes, { 'content-encoding': coding });
    expect(record).toMatchObject({ requestedModel: null, model: 'gpt-5-2025-08-07', outcome: 'ok' });
    expect(rig.upstream.seen.at(-1)?.body.equals(bytes)).toBe(true);
    expect((await rig.waitForFaults(faults + 1))[faults]).toMatchObject({
      code: 'READER_FAILED',
      message: `Could not read a chatgpt-codex responses call: its request: ${problem} The call itself went through.`,
    });
  });

  it('leaves a record that names Cloudflare when that refuses it', async () => {
    const record = await send(body, {}, `${path}/compact`);
    expect(record).toMatchObject({ status: 403, outcome: 'http_error', error: { code: 'HTTP_STATUS' } });
    expect(record?.error?.message).toMatch(/^HTTP 403: Cloudflare stopped the request .* NO_PROXY/);
  });

  it('is the only traffic of that host on record', async () => {
    const records = rig.records.length;
    for (const other of ['/backend-api/wham/accounts/check', '/backend-api/conversation', '/ces/v1/t'])
      await ask({
        port: rig.session.port,
        ca: rig.ca,
        host,
        path: other,
        method: 'POST',
        headers: { host },
        body: '{}',
      });
    await send(body, {});
    expect(rig.records).toHaveLength(records + 1);
  });
});
