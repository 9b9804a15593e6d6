import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import { readFixture } from '../contract/provider-fixtures.js';
import { ask, makeTunnelAgent, type Reply } from '../fixtures/proxy-client.js';
import { chatFrames, chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(async () => await rig.close());

const sse = { 'content-type': 'text/event-stream' };
const usage = {
  ...{ inputTokens: 10, outputTokens: 5, cacheReadTokens: 4, reasoningTokens: 2, totalTokens: 15 },
};
const askingRequest = chatStreamRequest.replace('{', '{"stream_options":{"include_usage":true},');
const askedChanges = [
  'request: stream_options.include_usage set',
  'reply: usage frame hidden',
  'reply: empty usage members hidden',
];

/** Answers when the request is whole, told whether usage was asked for. */
function answer(reply: (response: ServerResponse, asksForUsage: boolean) => void): void {
  rig.upstream.handler = (request: IncomingMessage, response) => {
    const own = rig.upstream.seen.at(-1);
    request.on('end', () => reply(response, own?.body.includes('"include_usage":true') === true));
  };
}

async function askChat(body: string): Promise<{ readonly reply: Reply; readonly record: CallRecord }> {
  const before = rig.records.length;
  const reply = await ask({ port: rig.session.port, ca: rig.ca, body });
  const record = (await rig.waitForRecords(before + 1))[before];
  if (record === undefined) throw new Error('no record');
  return { reply, record };
}

/** What a record says of a reply, times left out. */
function pickFacts(record: CallRecord | undefined) {
  const { model, outcome, usage: counts, usageProblem, finishReasons, toolCalls, responseId } = record ?? {};
  return { model, outcome, counts, usageProblem, finishReasons, toolCalls, responseId };
}

const dialects = [
  {
    file: 'openai-chat/answer.sse',
    host: 'api.openai.com',
    path: '/v1/chat/completions',
    body: askingRequest,
    step: 1,
  },
  {
    file: 'openai-completions/answer.sse',
    host: 'api.openai.com',
    path: '/v1/completions',
    body: askingRequest,
    step: 1,
  },
  // Long and of one kind: every third byte, and every one of its fixture by itself in test/contract.
  {
    file: 'openai-responses/answer.sse',
    host: 'api.openai.com',
    path: '/v1/responses',
    body: '{"stream":true}',
    step: 3,
  },
  {
    file: 'anthropic-messages/answer.sse',
    host: 'api.anthropic.com',
    path: '/v1/messages',
    body: '{"stream":true}',
    step: 1,
  },
  {
    file: 'google-generate/answer.sse',
    host: 'generativelanguage.googleapis.com',
    path: '/v1beta/models/m:streamGenerateContent?alt=sse',
    body: '{}',
    step: 1,
  },
];

describe('a stream whose bytes come in two pieces', () => {
  it.each(dialects)(
    'is read and passed on the same wherever it is cut: $file',
    { timeout: 60_000 },
    async (dialect) => {
      const bytes = readFixture(dialect.file);
      let cutAt = bytes.length;
      let sendRest: () => void = () => undefined;
      answer((response) => {
        response.writeHead(200, sse);
        response.write(bytes.subarray(0, cutAt));
        sendRest = () => response.end(bytes.subarray(cutAt));
      });
      const agent = makeTunnelAgent(rig.session.port, rig.ca);
      const { host, path, body } = dialect;
      const read = async (): Promise<void> => {
        // The client has the first piece before the provider sends the second.
        const onChunk = () => {
          sendRest();
          sendRest = () => undefined;
        };
        const reply = await ask({ port: rig.session.port, ca: rig.ca, agent, host, path, body, onChunk });
        if (!reply.body.equals(bytes)) throw new Error(`cut at ${cutAt}: other bytes`);
      };
      await read();
      const [whole] = await rig.waitForRecords(1);
      expect(whole?.usageProblem).toBeNull();
      for (cutAt = 1; cutAt < bytes.length; cutAt += dialect.step) {
        await read();
        expect({ cutAt, ...pickFacts(rig.records.at(-1)) }).toEqual({ cutAt, ...pickFacts(whole) });
      }
      agent.destroy();
      expect(rig.records).toHaveLength(1 + Math.ceil((bytes.length - 1) / dialect.step));
    },
  );

  it('has its usage hidden wherever it is cut', { timeout: 60_000 }, async () => {
    const bytes = Buffer.from(chatFramesWithUsage.join(''));
    let cutAt = 1;
    answer((response) => {
      response.writeHead(200, sse);
      response.write(bytes.subarray(0, cutAt), () => setImmediate(() => response.end(bytes.subarray(cutAt))));
    });
    const agent = makeTunnelAgent(rig.session.port, rig.ca);
    for (; cutAt < bytes.length; cutAt += 1) {
      const reply = await ask({ port: rig.session.port, ca: rig.ca, agent, body: chatStreamRequest });
      expect({ cutAt, text: reply.body.toString() }).toEqual({ cutAt, text: chatFrames.join('') });
      expect(rig.records.at(-1)).toMatchObject({ usage, changes: askedChanges });
    }
    agent.destroy();
  });

  it('is read byte by byte', async () => {
    const bytes = Buffer.from(chatFramesWithUsage.join(''));
    answer((response) => {
      response.writeHead(200, sse);
      let at = 0;
      const next = (): void => {
        if (at === bytes.length) return void response.end();
        at += 1;
        response.write(bytes.subarray(at - 1, at), next);
      };
      next();
    });
    const { reply, record } = await askChat(chatStreamRequest);
    expect(reply.body.toString()).toBe(chatFrames.join(''));
    expect(record).toMatchObject({ usage, changes: askedChanges, outcome: 'ok' });
  });
});

const spellings: readonly { readonly title: string; readonly spell: (frames: readonly string[]) => string }[] = [
  { title: 'without a space after the colon', spell: (frames) => frames.join('').replaceAll('data: ', 'data:') },
  { title: 'with CRLF', spell: (frames) => frames.join('').replaceAll('\n', '\r\n') },
  { title: 'with CR alone', spell: (frames) => frames.join('').replaceAll('\n', '\r') },
  { title: 'with U+2028 in the text', spell: (frames) => frames.join('').replaceAll('Hel', 'H\u2028l\u2029\u0085') },
  { title: 'with a byte order mark', spell: (frames) => `\ufeff${frames.join('')}` },
  { title: 'with comments between frames', spell: (frames) => frames.join(': ping\n\n') },
  { title: 'with names and ids', spell: (frames) => frames.map((frame) => `event: message\nid: 7\n${frame}`).join('') },
  { title: 'with data over two lines', spell: (frames) => frames.join('').replaceAll(',"model"', ',\ndata: "model"') },
];

describe('a stream spelled', () => {
  it.each(spellings)('$title is read, and passed to a client that asked for usage as it is', async ({ spell }) => {
    answer((response) => response.writeHead(200, sse).end(spell(chatFramesWithUsage)));
    const { reply, record } = await askChat(askingRequest);
    expect(reply.body.toString()).toBe(spell(chatFramesWithUsage));
    expect(record).toMatchObject({ usage, usageProblem: null, finishReasons: ['stop'], outcome: 'ok', changes: [] });
  });

  it.each(spellings)('$title has the usage nobody asked for taken out, and nothing else', async ({ spell }) => {
    answer((response, asks) => response.writeHead(200, sse).end(spell(asks ? chatFramesWithUsage : chatFrames)));
    const { reply, record } = await askChat(chatStreamRequest);
    const comments = spell(['', '']).startsWith(': ping') ? ': ping\n\n' : '';
    // Between the frames of the other stream there is one comment more.
    const expected = spell(chatFrames).replace('data: [DONE]', `${comments}data: [DONE]`);
    expect(reply.body.toString()).toBe(expected);
    expect(record).toMatchObject({ usage, changes: askedChanges });
  });
});

describe('a stream that is malformed', () => {
  const [first = '', ...rest] = chatFramesWithUsage;
  const cases = [
    { title: 'has a frame that is no JSON', text: [first, 'data: {"id": oops\n\n', ...rest].join(''), reads: true },
    { title: 'has fields nobody knows', text: [first, 'data\nfoo: bar\n:\n\n\n\n', ...rest].join(''), reads: true },
    {
      title: 'has bytes that are no UTF-8',
      text: [first, 'data: "\xff\xfe\xc3\x28"\n\n', ...rest].join(''),
      reads: true,
    },
    { title: 'lacks the blank line at its end', text: chatFramesWithUsage.join('').trimEnd(), reads: true },
    {
      title: 'has a line of four megabytes',
      text: [`: ${'x'.repeat(4 << 20)}\n\n`, first, ...rest].join(''),
      reads: true,
    },
    { title: 'is no event stream at all', text: 'Hello, I am a teapot.', reads: false },
    { title: 'is empty', text: '', reads: false },
    { title: 'has usage that is no object', text: first.replace('"usage":null', '"usage":[7]'), reads: false },
    { title: 'has counts that are no counts', text: makeUsageFrame('"ten"', '-5'), reads: false },
    { title: 'nests without end', text: `data: ${'[{"a":'.repeat(20_000)}\n\n`, reads: false },
  ];

  it.each(cases)('$title reaches its client unchanged and leaves one record', async ({ text, reads }) => {
    const bytes = Buffer.from(text, text.includes('\xff') ? 'latin1' : 'utf8');
    answer((response) => response.writeHead(200, sse).end(bytes));
    const { reply, record } = await askChat(askingRequest);
    expect(reply.body.equals(bytes)).toBe(true);
    expect(record).toMatchObject({ outcome: 'ok', status: 200 });
    if (reads) expect(record.usage).toMatchObject(usage);
    else {
      expect([record.usage.inputTokens, record.usage.outputTokens]).toEqual([null, null]);
      expect(record.usageProblem).toMatch(/^\S.*\.$/);
    }
    expect(rig.faults).toEqual([]);
  });

  it.each(cases)('$title ends for a client that asked for no usage, too', async ({ text }) => {
    const bytes = Buffer.from(text, text.includes('\xff') ? 'latin1' : 'utf8');
    answer((response) => response.writeHead(200, sse).end(bytes));
    const { reply, record } = await askChat(chatStreamRequest);
    expect([reply.complete, record.outcome]).toEqual([true, 'ok']);
    expect(rig.faults).toEqual([]);
  });
});

function makeUsageFrame(input: string, output: string): string {
  return `data: {"choices":[],"usage":{"prompt_tokens":${input},"completion_tokens":${output}}}\n\ndata: [DONE]\n\n`;
}

/** A frame of zstd with one raw block (RFC 8878, section 3.1.1): Node 20 has no encoder. */
function makeZstd(bytes: Buffer): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x60, 0, 0, 0, 0, 0]);
  head.writeUInt16LE(bytes.length - 256, 5);
  head.writeUIntLE(1 | (bytes.length << 3), 7, 3);
  return Buffer.concat([head, bytes]);
}

const plain = (bytes: Buffer): Buffer => bytes;
const codings = [
  { coding: 'gzip', encode: gzipSync, decode: gunzipSync, kept: true },
  { coding: 'br', encode: brotliCompressSync, decode: brotliDecompressSync, kept: true },
  { coding: 'deflate', encode: deflateSync, decode: inflateSync, kept: true },
  { coding: 'deflate', encode: deflateRawSync, decode: inflateSync, kept: true },
  { coding: 'zstd', encode: makeZstd, decode: plain, kept: false },
  { coding: 'gzip, br', encode: (b: Buffer) => brotliCompressSync(gzipSync(b)), decode: plain, kept: false },
];

describe.each(codings)('a reply in $coding', ({ coding, encode, decode, kept }) => {
  it('reaches its client byte for byte, and its usage is read', async () => {
    const bytes = Buffer.from(encode(Buffer.from(chatReply)));
    const head = { 'content-type': 'application/json', 'content-encoding': coding, 'content-length': bytes.length };
    answer((response) => response.writeHead(200, head).end(bytes));
    const { reply, record } = await askChat(chatRequest);
    expect(reply.body.equals(bytes)).toBe(true);
    expect(reply.headers['content-encoding']).toBe(coding);
    expect(record).toMatchObject({ usage, responseBytes: bytes.length, responseBody: JSON.parse(chatReply) });
  });

  it('streamed to a client that asked for usage is untouched', async () => {
    const bytes = Buffer.from(encode(Buffer.from(chatFramesWithUsage.join(''))));
    answer((response) => response.writeHead(200, { ...sse, 'content-encoding': coding }).end(bytes));
    const { reply, record } = await askChat(askingRequest);
    expect(reply.body.equals(bytes)).toBe(true);
    expect(record).toMatchObject({ usage, changes: [] });
  });

  it('streamed to one that did not is the stream it would have got', async () => {
    answer((response, asks) => {
      const bytes = encode(Buffer.from((asks ? chatFramesWithUsage : chatFrames).join('')));
      response.writeHead(200, { ...sse, 'content-encoding': coding }).end(bytes);
    });
    const { reply, record } = await askChat(chatStreamRequest);
    expect(reply.headers['content-encoding']).toBe(kept ? coding : undefined);
    expect(decode(reply.body).toString()).toBe(chatFrames.join(''));
    expect(record).toMatchObject({ usage, changes: askedChanges });
  });

  it('that is not what it says reaches its client all the same', async () => {
    const bytes = Buffer.from(chatReply);
    const head = { 'content-type': 'application/json', 'content-encoding': coding };
    answer((response) => response.writeHead(200, head).end(bytes));
    const { reply, record } = await askChat(chatRequest);
    expect(reply.body.equals(bytes)).toBe(true);
    expect(record.usage.inputTokens).toBeNull();
    expect(record.usageProblem).toMatch(/\S/);
  });
});

describe('a reply of a megabyte that decompresses to a gigabyte', () => {
  const members = 64;
  const bomb = Buffer.concat(Array(members).fill(gzipSync(Buffer.alloc(16 << 20, 0x20))));

  it.each([
    { title: 'JSON', head: { 'content-type': 'application/json' }, body: chatRequest },
    { title: 'a stream', head: sse, body: askingRequest },
  ])('passes unchanged and costs little: $title', async ({ head, body }) => {
    answer((response) => response.writeHead(200, { ...head, 'content-encoding': 'gzip' }).end(bomb));
    const before = process.resourceUsage().maxRSS;
    const { reply, record } = await askChat(body);
    expect(reply.body.equals(bomb)).toBe(true);
    expect(record.usageProblem).toMatch(/more than|larger/);
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(150);
  });
});

describe('usage that a client did not ask for', () => {
  it('is asked for in the request and hidden in the reply: the client gets the stream of who did not ask', async () => {
    answer((response, asks) => response.writeHead(200, sse).end((asks ? chatFramesWithUsage : chatFrames).join('')));
    const { reply, record } = await askChat(chatStreamRequest);
    expect(reply.body.toString()).toBe(chatFrames.join(''));
    expect(record).toMatchObject({ usage, changes: askedChanges });
    const sent = JSON.parse(rig.upstream.seen[0]?.body.toString() ?? '');
    expect(sent).toEqual({ ...JSON.parse(chatStreamRequest), stream_options: { include_usage: true } });
    expect(record.requestBody).toEqual(JSON.parse(chatStreamRequest));
  });

  it('is left out of who said no to it', async () => {
    const body = chatStreamRequest.replace('{', '{"stream_options":{"include_usage":false},');
    answer((response, asks) => response.writeHead(200, sse).end((asks ? chatFramesWithUsage : chatFrames).join('')));
    const { reply, record } = await askChat(body);
    expect(reply.body.toString()).toBe(chatFrames.join(''));
    expect(record).toMatchObject({ usage, changes: askedChanges });
  });

  it('is not asked of a provider that answers without a stream, whose reply is untouched', async () => {
    answer((response) => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply));
    const { reply, record } = await askChat(chatStreamRequest);
    expect(reply.body.toString()).toBe(chatReply);
    expect(record).toMatchObject({ usage, changes: ['request: stream_options.include_usage set'] });
  });

  it('that a provider ignores leaves the stream as it is, and the reason on record', async () => {
    answer((response) => response.writeHead(200, sse).end(chatFrames.join('')));
    const { reply, record } = await askChat(chatStreamRequest);
    expect(reply.body.toString()).toBe(chatFrames.join(''));
    expect(record).toMatchObject({ changes: ['request: stream_options.include_usage set'] });
    expect([record.usage.inputTokens, record.usageProblem === null]).toEqual([null, false]);
  });

  it.each([400, 422])(
    'that a provider refuses by %i is not asked again: it gets the request as it was',
    async (status) => {
      const refusal = '{"error":{"message":"extra_forbidden: stream_options"}}';
      answer((response, asks) => {
        if (asks) response.writeHead(status, { 'content-type': 'application/json' }).end(refusal);
        else response.writeHead(200, sse).end(chatFrames.join(''));
      });
      const { reply, record } = await askChat(chatStreamRequest);
      expect([reply.status, reply.body.toString()]).toEqual([200, chatFrames.join('')]);
      const sent = rig.upstream.seen.map(({ body }) => body.toString());
      expect(sent).toEqual([expect.stringContaining('include_usage'), chatStreamRequest]);
      const changes = ['request: stream_options.include_usage set', 'request: refused, sent again as it was'];
      expect(record).toMatchObject({ outcome: 'ok', status: 200, changes });
      expect(record.usage.inputTokens).toBeNull();
      expect(record.usageProblem).toMatch(/\S/);
    },
  );

  it('does not stand between a client and the refusal of what it sent itself', async () => {
    const refusal = '{"error":{"message":"messages is missing"}}';
    answer((response) => response.writeHead(400, { 'content-type': 'application/json' }).end(refusal));
    const { reply, record } = await askChat(chatStreamRequest);
    expect([reply.status, reply.body.toString()]).toEqual([400, refusal]);
    expect(record).toMatchObject({ outcome: 'http_error', status: 400 });
    const asking = await askChat(askingRequest);
    expect([asking.reply.status, asking.record.changes]).toEqual([400, []]);
    expect(rig.upstream.seen).toHaveLength(2);
  });

  it('is not asked for by the record of a client that asked itself', async () => {
    answer((response) => response.writeHead(200, sse).end(chatFramesWithUsage.join('')));
    const { reply, record } = await askChat(askingRequest);
    expect(reply.body.toString()).toBe(chatFramesWithUsage.join(''));
    expect(record).toMatchObject({ usage, changes: [] });
    expect(rig.upstream.seen[0]?.body.toString()).toBe(askingRequest);
  });
});
