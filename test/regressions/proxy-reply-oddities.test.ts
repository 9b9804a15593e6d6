// Replies that are legal or common enough, and that a tap must not make worse than they are.
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ask } from '../fixtures/proxy-client.js';
import { chatFrames, chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(async () => {
  await rig.close();
});

const askStream = () => ask({ port: rig.session.port, ca: rig.ca, body: chatStreamRequest });

it.each(['utf-8', 'none', 'x-foo'])('passes a stream in the unknown coding %s on as it came', async (coding) => {
  rig.upstream.handler = (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': coding })
      .end(chatFramesWithUsage.join(''));
  const reply = await askStream();
  expect([reply.complete, reply.body.toString()]).toEqual([true, chatFramesWithUsage.join('')]);
  const [record] = await rig.waitForRecords(1);
  expect(record?.outcome).toBe('ok');
  expect(record?.changes).toContain('reply: in a coding that cannot be read, usage frame not hidden');
});

it('passes a stream that is not in the coding it names on as it came', async () => {
  rig.upstream.handler = (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
      .end(chatFramesWithUsage.join(''));
  const reply = await askStream();
  expect([reply.complete, reply.body.toString()]).toEqual([true, chatFramesWithUsage.join('')]);
  expect((await rig.waitForRecords(1))[0]?.changes).toContain(
    'reply: not in the coding it names, passed on as it came',
  );
});

it('passes a compressed stream of any ratio on whole, the usage frame taken out', async () => {
  const filler = `: ${'z'.repeat(90 * 1024 * 1024)}\n\n`;
  rig.upstream.handler = (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
      .end(gzipSync(filler + chatFramesWithUsage.join('')));
  const reply = await ask({
    port: rig.session.port,
    ca: rig.ca,
    body: chatStreamRequest,
    headers: { 'content-type': 'application/json', 'accept-encoding': 'gzip' },
  });
  expect(reply.complete).toBe(true);
  const { gunzipSync } = await import('node:zlib');
  const text = gunzipSync(reply.body);
  expect(text.length).toBe(filler.length + chatFrames.join('').length);
  expect(text.subarray(filler.length).toString()).toBe(chatFrames.join(''));
}, 60_000);

it('hides the usage frame of a stream that is not labelled as one', async () => {
  rig.upstream.handler = (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/plain' }).end(chatFramesWithUsage.join(''));
  expect((await askStream()).body.toString()).toBe(chatFrames.join(''));
});

it('passes a reply that announces trailers and has a length', async () => {
  rig.upstream.handler = (request) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTrailer: X-T\r\nContent-Length: ${chatReply.length}\r\n\r\n`;
    request.socket.write(head + chatReply);
  };
  const reply = await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });
  expect([reply.status, reply.body.toString()]).toEqual([200, chatReply]);
});

it('sends a refused stream once when the refusal is about something else', async () => {
  const refusal = JSON.stringify({ error: { message: 'maximum context length is 8192', code: 'context_length' } });
  rig.upstream.handler = (_request, response) =>
    response.writeHead(400, { 'content-type': 'application/json' }).end(refusal);
  const reply = await askStream();
  expect([reply.status, reply.body.toString()]).toEqual([400, refusal]);
  expect(rig.upstream.seen).toHaveLength(1);
});

it('asks an origin no more that refused to be asked once', async () => {
  rig.upstream.handler = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (Buffer.concat(chunks).includes('stream_options'))
        response.writeHead(422).end('{"detail":"extra fields not permitted: stream_options"}');
      else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFrames.join(''));
    });
  };
  for (let i = 0; i < 2; i++) expect((await askStream()).body.toString()).toBe(chatFrames.join(''));
  expect(rig.upstream.seen).toHaveLength(3);
  const records = await rig.waitForRecords(2);
  expect(records[0]?.changes).toContain('request: refused, sent again as it was');
  expect(records[1]?.changes).toEqual([]);
});

it('does not ask a request that is keyed as one and the same', async () => {
  rig.upstream.handler = (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFrames.join(''));
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'k1' };
  await ask({ port: rig.session.port, ca: rig.ca, body: chatStreamRequest, headers });
  expect(rig.upstream.seen[0]?.body.toString()).toBe(chatStreamRequest);
});

it('keeps what a provider says in odd places out of usageProblem when it is a secret', async () => {
  const secret = 'sk-c4naryProblem0011223344556677';
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` };
  const replies = [
    { type: 'text/event-stream', body: `data: {"error":{"message":"no","code":"${secret}"}}\n\n` },
    { type: 'application/json', body: `{"error":{"message":"no","code":"${secret}"}}` },
    { type: 'application/json', body: `{"${secret}":1}` },
    { type: `application/${secret}`, body: 'hello' },
    { type: 'application/json', body: `{"id":"x","status":"${secret}"}` },
  ];
  for (const { type, body } of replies) {
    rig.upstream.handler = (_request, response) => response.writeHead(200, { 'content-type': type }).end(body);
    await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest, headers });
    await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest, headers, path: '/v1/responses' });
  }
  const records = await rig.waitForRecords(replies.length * 2);
  for (const record of records) expect(JSON.stringify(record)).not.toContain(secret.slice(0, 16));
});
