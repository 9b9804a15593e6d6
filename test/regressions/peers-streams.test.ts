// Failures of the field's tools with streams; the numbers are those of test/regressions/README.md.
import {
  brotliCompressSync,
  createBrotliCompress,
  createBrotliDecompress,
  createGunzip,
  createGzip,
  gzipSync,
} from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFixture } from '../contract/provider-fixtures.js';
import { openHttp2 } from '../fixtures/http2-client.js';
import { ask, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatStreamRequest, makeChatFrame } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(async () => await rig.close());

const pieces = 20;
const makePiece = (i: number): string =>
  makeChatFrame({ choices: [{ index: 0, delta: { content: `word ${i} ` }, finish_reason: null }] });

/** What a stream is sent through: nothing, or a coding whose every write is flushed. */
interface Coding {
  readonly name: string | null;
  readonly open: () => { readonly encode: NodeJS.ReadWriteStream; readonly decode: NodeJS.ReadWriteStream } | null;
}

const codings: readonly Coding[] = [
  { name: null, open: () => null },
  { name: 'gzip', open: () => ({ encode: createGzip(), decode: createGunzip() }) },
  { name: 'br', open: () => ({ encode: createBrotliCompress(), decode: createBrotliDecompress() }) },
];

/**
 * A provider that sends its next piece only when it is told to, a client that tells it as soon as it has the piece
 * before. Whoever holds a piece back until the next, or until the end, holds both up for good.
 */
async function playByTurns(coding: Coding, over: 'http/1.1' | 'h2'): Promise<string[]> {
  const streams = coding.open();
  let send: (i: number) => void = () => undefined;
  rig.upstream.handler = (request, response) => {
    request.resume();
    const headers = { 'content-type': 'text/event-stream', ...(coding.name && { 'content-encoding': coding.name }) };
    response.writeHead(200, headers).flushHeaders();
    const out = streams?.encode ?? response;
    if (streams !== null) streams.encode.pipe(response);
    send = (i) => {
      if (i === pieces) return void out.end('data: [DONE]\n\n');
      out.write(makePiece(i));
      (out as { flush?: () => void }).flush?.();
    };
  };
  const got: string[] = [];
  const incoming = await openStream(over);
  const text = streams === null ? incoming : incoming.pipe(streams.decode);
  send(0);
  await new Promise<void>((resolve) => {
    text.on('data', (chunk: Buffer) => {
      got.push(chunk.toString());
      if (got.length <= pieces) send(got.length);
    });
    text.once('end', resolve);
  });
  return got;
}

async function openStream(over: 'http/1.1' | 'h2'): Promise<NodeJS.ReadableStream> {
  const { session, ca } = rig;
  if (over === 'http/1.1') {
    const request = await startRequest({ port: session.port, ca });
    request.end(chatStreamRequest);
    return await waitForResponse(request);
  }
  const client = await openHttp2({ port: session.port, ca });
  const path = { ':method': 'POST', ':path': '/v1/chat/completions', 'content-type': 'application/json' };
  const stream = client.request(path);
  stream.end(chatStreamRequest);
  await new Promise((resolve) => stream.once('response', resolve));
  stream.once('close', () => client.close());
  return stream;
}

describe('failures 6, 7 and 8: a stream that is read, and whose usage frame is hidden', () => {
  // mitmproxy#4469; merchantprotocol/sulla-desktop PR 540 (time to the first token nearly the whole time); google/capsem#146.
  it.each(codings.flatMap((coding) => (['http/1.1', 'h2'] as const).map((over) => ({ ...coding, over }))))(
    'has each piece with its client before the next is written: coding $name, over $over',
    async ({ over, ...coding }) => {
      const got = await playByTurns(coding, over);
      expect(got).toEqual([...Array.from({ length: pieces }, (_, i) => makePiece(i)), 'data: [DONE]\n\n']);
      const [record] = await rig.waitForRecords(1);
      expect(record).toMatchObject({ outcome: 'ok', partial: false, streamTiming: { pieces } });
      expect(record?.changes[0]).toBe('request: stream_options.include_usage set');
      expect(record?.timeToFirstTokenMs).toBeLessThan(record?.latencyMs ?? 0);
    },
  );
});

describe('failure 21: a compressed stream of a provider that states no other', () => {
  // google/capsem, skills/dev-mitm-proxy/SKILL.md: gzip'd SSE made every model, token and cost field NULL, and nobody noticed.
  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ] as const)(
    'has its model, tokens and cost on record, and reaches its client as it was: %s',
    async (coding, encode) => {
      const bytes = encode(readFixture('anthropic-messages/answer.sse'));
      const headers = { 'content-type': 'text/event-stream', 'content-encoding': coding };
      rig.upstream.handler = (_request, response) => response.writeHead(200, headers).end(bytes);
      const body = JSON.stringify({ model: 'claude-sonnet-4-5', stream: true, max_tokens: 9, messages: [] });
      const { port } = rig.session;
      const reply = await ask({ port, ca: rig.ca, host: 'api.anthropic.com', path: '/v1/messages', body });
      expect(reply.body.equals(bytes)).toBe(true);
      const [record] = await rig.waitForRecords(1);
      const { model, usage, usageProblem, cost } = record ?? {};
      expect([model, usageProblem, cost?.problem]).toEqual(['claude-sonnet-4-5-20250929', null, null]);
      for (const known of [usage?.inputTokens, usage?.outputTokens, cost?.usd]) expect(known).toBeGreaterThan(0);
    },
  );

  it('that cannot be decoded says so, and is never taken for one without tokens', async () => {
    const headers = { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' };
    const bytes = gzipSync(readFixture('anthropic-messages/answer.sse')).fill(0, 20, 40);
    rig.upstream.handler = (_request, response) => response.writeHead(200, headers).end(bytes);
    const body = JSON.stringify({ model: 'claude-sonnet-4-5', stream: true, max_tokens: 9, messages: [] });
    const { port } = rig.session;
    const reply = await ask({ port, ca: rig.ca, host: 'api.anthropic.com', path: '/v1/messages', body });
    expect(reply.body.equals(bytes)).toBe(true);
    const [record] = await rig.waitForRecords(1);
    expect([record?.usage.inputTokens, record?.usage.outputTokens, record?.cost.usd]).toEqual([null, null, null]);
    expect(record?.usageProblem).toMatch(/decode/);
  });
});
