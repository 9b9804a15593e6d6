// What a hostile provider or client may send over HTTP/1.1 and a WebSocket without end; over HTTP/2: test/proxy/http2-hostile-*.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { deflateRawSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, openSecure, readHead, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { readAll } from '../fixtures/tcp.js';
import { makeFrame } from '../providers/wire/websocket/frames.js';

const MiB = 1024 * 1024;
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
let rig: Rig;
let rssBefore: number;
beforeAll(() => void process.on('unhandledRejection', note).on('uncaughtExceptionMonitor', note));
afterAll(() => void process.off('unhandledRejection', note).off('uncaughtExceptionMonitor', note));
beforeEach(async () => {
  rig = await openRig();
  rssBefore = process.resourceUsage().maxRSS;
});
afterEach(async () => {
  await rig.close();
  expect(unhandled).toEqual([]);
  // Whatever came, it was not kept.
  expect((process.resourceUsage().maxRSS - rssBefore) / 1024).toBeLessThan(200);
});

/** Writes a piece so many times, no faster than it is taken. */
async function pump(to: Writable, piece: Buffer, times: number): Promise<void> {
  const isOver = (): boolean => to.destroyed || to.writableEnded;
  for (let i = 0; i < times && !isOver(); i++) {
    if (to.write(piece)) continue;
    const onTaken = new AbortController();
    const { signal } = onTaken;
    // A peer that resets while it is written to is the end of it, and no failure of the test's.
    await Promise.race([once(to, 'drain', { signal }), once(to, 'close', { signal })])
      .catch(() => to.destroy())
      .finally(() => onTaken.abort());
  }
}

/** Answers with `head`, `piece` again and again, and `tail`, as bare bytes of HTTP/1.1. */
function answerRaw(head: string, piece: string, tail: string): void {
  rig.upstream.handler = (request) => {
    const socket = request.socket as Socket;
    request.resume().once('end', () => {
      socket.write(head);
      void pump(socket, Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length))), 200).then(() => {
        if (!socket.destroyed) socket.write(tail);
      });
    });
  };
}

const json = 'Content-Type: application/json';
const chunked = `HTTP/1.1 200 OK\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\n${chatReply.length.toString(16)}`;
const whole = `HTTP/1.1 200 OK\r\n${json}\r\nContent-Length: ${chatReply.length}\r\n\r\n${chatReply}`;

describe('a provider that sends 13 MB', () => {
  it.each([
    ['of extensions of a chunk', `${chunked};a=`, 'x', `\r\n${chatReply}\r\n0\r\n\r\n`],
    ['of interim replies', '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', whole],
  ])(
    '%s is heard out, and its reply passed and read',
    async (_what, head, piece, tail) => {
      answerRaw(head, piece, tail);
      const reply = await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });
      expect([reply.status, reply.complete, reply.body.toString()]).toEqual([200, true, chatReply]);
      expect(await rig.waitForRecords(1)).toMatchObject([
        { outcome: 'ok', usage: { inputTokens: 10, outputTokens: 5 } },
      ]);
    },
    30_000,
  );

  it.each([
    ['of header lines is a 502', 'HTTP/1.1 200 OK\r\n', 'X-A: b\r\n', '\r\n', 'upstream_error', 0],
    ['of trailers is cut', `${chunked}\r\n${chatReply}\r\n0\r\n`, 'X-A: b\r\n', '\r\n', 'upstream_aborted', 200],
  ])(
    '%s, on record as such',
    async (_what, head, piece, tail, outcome, status) => {
      answerRaw(head, piece, tail);
      const reply = await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });
      expect([reply.status, reply.complete]).toEqual(status === 0 ? [502, true] : [200, false]);
      expect(await rig.waitForRecords(1)).toMatchObject([{ outcome, status }]);
    },
    30_000,
  );
});

const asMessages = { host: 'api.anthropic.com', path: '/v1/messages', body: chatStreamRequest };
const asChat = { host: 'api.openai.com', path: '/v1/chat/completions', body: chatStreamRequest };
const asConverse = { host: 'bedrock-runtime.us-east-1.amazonaws.com', path: '/model/m/converse-stream', body: '{}' };
const toolStart = (index: number): string =>
  `data: ${JSON.stringify({ type: 'content_block_start', index, content_block: { type: 'tool_use', name: `${'n'.repeat(300)}${index}` } })}\n\n`;

describe('a reply without end', () => {
  const letters = Buffer.alloc(MiB, 'x');
  it.each([
    ['in one line of an event', asMessages, 'text/event-stream', 'data: {"a":"', letters, /larger than \d+ bytes/],
    ['in one line of an event, asked for usage', asChat, 'text/event-stream', 'data: {"a":"', letters, /larger than/],
    ['in one string', { ...asChat, body: chatRequest }, 'application/json', '{"a":"', letters, /JSON/],
    [
      'in one message of AWS’s',
      asConverse,
      'application/vnd.amazon.eventstream',
      Buffer.from('7fffffff7ffffff000000000', 'hex').toString('latin1'),
      letters,
      /does not begin as one should/,
    ],
    [
      'of tool calls',
      asMessages,
      'text/event-stream',
      '',
      Buffer.from(Array.from({ length: 2500 }, (_, i) => toolStart(i)).join('')),
      /before its usage/,
    ],
  ])(
    '%s passes whole, and leaves a record of ordinary size',
    async (_what, asked, type, head, piece, problem) => {
      const sent = createHash('sha256').update(head, 'latin1');
      rig.upstream.handler = (request, response) => {
        request.resume().once('end', () => {
          response.writeHead(200, { 'content-type': type }).write(head, 'latin1');
          void pump(response, piece, 30).then(() => response.end());
        });
      };
      for (let i = 0; i < 30; i++) sent.update(piece);
      const request = await startRequest({ port: rig.session.port, ca: rig.ca, ...asked });
      request.end(asked.body);
      const got = createHash('sha256');
      for await (const chunk of await waitForResponse(request)) got.update(chunk as Buffer);
      expect(got.digest('hex')).toBe(sent.digest('hex'));
      const [record] = await rig.waitForRecords(1);
      expect(record?.usageProblem).toMatch(problem);
      expect(JSON.stringify({ ...record, responseBody: null }).length).toBeLessThan(400_000);
      expect(rig.faults).toEqual([]);
    },
    60_000,
  );
});

const upgrade =
  'GET /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
const forgetting = 'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n';
const bomb = deflateRawSync(Buffer.alloc(15 * MiB, 'a')).subarray(0, -4);

/** Opens a socket, on which a response is asked for; `provider` is its other end. */
async function openRaw(extensions: string): Promise<{ client: Socket; provider: Duplex }> {
  const agreed = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n${extensions}\r\n`;
  const opened = new Promise<Duplex>((resolve) => {
    rig.upstream.onUpgrade = (_request, socket) => {
      socket.write(agreed);
      resolve(socket);
    };
  });
  const client = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
  client.write(upgrade);
  expect(await readHead(client)).toBe(agreed);
  const provider = await opened;
  const create = JSON.stringify({ type: 'response.create', model: 'm' });
  client.write(makeFrame({ payload: create, mask: [1, 2, 3, 4] }));
  await new Promise((resolve) => provider.once('data', resolve));
  provider.resume();
  return { client, provider };
}

describe('a WebSocket on which its provider sends', () => {
  it.each([
    ['a frame of four petabytes', '', Buffer.from('827f000fffffffffffff', 'hex'), Buffer.alloc(MiB, 'x'), 30, null],
    ['fragments without end', '', Buffer.from([1, 1, 0x61]), Buffer.alloc(60_000, Buffer.from([0, 1, 0x61])), 30, null],
    ['pings without end', '', Buffer.alloc(0), Buffer.alloc(60_000, Buffer.from([0x89, 0])), 30, null],
    [
      'small messages that are large',
      forgetting,
      Buffer.alloc(0),
      makeFrame({ payload: bomb, compressed: true }),
      200,
      /more than 100 times their size/,
    ],
  ])(
    '%s is relayed as it is, and its call recorded',
    async (_what, extensions, head, piece, times, fault) => {
      const { client, provider } = await openRaw(extensions);
      const sent = createHash('sha256').update(head);
      for (let i = 0; i < times; i++) sent.update(piece);
      const got = createHash('sha256');
      const ended = new Promise<void>((resolve) => {
        client
          .on('data', (chunk: Buffer) => got.update(chunk))
          .once('end', resolve)
          .resume();
      });
      provider.write(head);
      await pump(provider, piece, times);
      provider.end();
      await ended;
      client.destroy();
      expect(got.digest('hex')).toBe(sent.digest('hex'));
      expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'upstream_aborted', partial: true }]);
      expect(rig.faults.map(({ message }) => message)).toEqual(fault === null ? [] : [expect.stringMatching(fault)]);
    },
    60_000,
  );
});

describe('a client', () => {
  const request = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n${json}\r\nConnection: close\r\n`;

  it.each([
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unknown transfer coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a transfer coding behind chunks', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', 'Content-Length : 5\r\n\r\nhello'],
    ['a folded line', 'X-A: a\r\n Content-Length: 5\r\n\r\nhello'],
    ['a carriage return alone', 'X-A: a\rContent-Length: 5\r\n\r\nhello'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length with a sign', 'Content-Length: +5\r\n\r\nhello'],
    ['line ends without a carriage return', 'Content-Length: 5\n\nhello'],
    ['an extension of a chunk without end', `Transfer-Encoding: chunked\r\n\r\n5;${'x'.repeat(200_000)}`],
    ['a chunk longer than any', 'Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello'],
    ['a chunk longer than it says', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhelloGET / HTTP/1.1\r\n\r\n'],
  ])('that frames its request by %s is refused, and its provider hears no request', async (_what, head) => {
    const secure = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    secure.on('error', () => undefined);
    secure.write(request + head);
    expect((await readAll(secure)).toString()).toMatch(/^(HTTP\/1\.1 400 Bad Request\r\n.*)?$/s);
    expect(rig.upstream.seen).toEqual([]);
  });

  it('that sends three thousand header lines has all of them passed', async () => {
    rig.upstream.handler = (incoming, response) => {
      incoming
        .resume()
        .once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply));
    };
    const lines = Array.from({ length: 3000 }, (_, i) => `x-${i}: ${i}\r\n`).join('');
    const secure = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    secure.write(`${request}${lines}Content-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`);
    expect(await readHead(secure)).toMatch(/^HTTP\/1\.1 200 /);
    expect(rig.upstream.seen[0]?.rawHeaders.filter((name) => /^x-\d+$/.test(name))).toHaveLength(3000);
    secure.destroy();
  });
});
