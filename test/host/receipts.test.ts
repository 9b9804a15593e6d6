import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type AskOptions, ask, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatFrames, chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const json = { 'content-type': 'application/json' };
const stream = { 'content-type': 'text/event-stream' };

let rig: Rig;
afterEach(async () => await rig.close());

const hashOf = (...bytes: readonly (string | Buffer)[]): string => {
  const hash = createHash('sha256');
  for (const each of bytes) hash.update(each);
  return hash.digest('hex');
};

const call = async (options: Partial<AskOptions> = {}) =>
  await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest, ...options });

const findReceipt = async () => (await rig.waitForRecords(1))[0]?.receipt;

describe('a receipt', () => {
  it('has the same hash on both sides of bytes that pass untouched: those the client sent and got', async () => {
    rig = await openRig();
    const reply = gzipSync(chatReply);
    rig.upstream.handler = (request, response) => {
      request.on('end', () => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(reply)).resume();
    };
    const got = await call();
    expect(await findReceipt()).toEqual({
      requestFromClient: hashOf(chatRequest),
      requestToProvider: hashOf(rig.upstream.seen[0]?.body ?? ''),
      replyFromProvider: hashOf(reply),
      replyToClient: hashOf(got.body),
    });
    expect(hashOf(got.body)).toBe(hashOf(reply));
  });

  it('shows what asking for usage changed: another request, another reply from the provider, the client’s own reply', async () => {
    rig = await openRig();
    rig.upstream.handler = (request, response) => {
      request.on('end', () => response.writeHead(200, stream).end(chatFramesWithUsage.join(''))).resume();
    };
    const got = await call({ body: chatStreamRequest });
    const receipt = await findReceipt();
    expect(receipt).toEqual({
      requestFromClient: hashOf(chatStreamRequest),
      requestToProvider: hashOf(rig.upstream.seen[0]?.body ?? ''),
      replyFromProvider: hashOf(chatFramesWithUsage.join('')),
      replyToClient: hashOf(got.body),
    });
    expect(receipt?.requestToProvider).not.toBe(receipt?.requestFromClient);
    expect(receipt?.replyToClient).not.toBe(receipt?.replyFromProvider);
  });

  it('is of the request that was answered, where a first one was refused', async () => {
    rig = await openRig();
    rig.upstream.handler = (request, response) => {
      request
        .on('end', () => {
          const isAsked = rig.upstream.seen.length === 1;
          if (isAsked) response.writeHead(400, json).end('{"error":{"message":"unknown field stream_options"}}');
          else response.writeHead(200, stream).end(chatFrames.join(''));
        })
        .resume();
    };
    await call({ body: chatStreamRequest });
    expect(rig.upstream.seen).toHaveLength(2);
    expect(await findReceipt()).toMatchObject({
      requestFromClient: hashOf(chatStreamRequest),
      requestToProvider: hashOf(chatStreamRequest),
    });
  });

  it('has no hash where nothing passed, and that of our own 502 where the provider could not be reached', async () => {
    rig = await openRig();
    rig.upstream.handler = (request) => void request.socket.destroy();
    const got = await call();
    expect(got.status).toBe(502);
    expect(await findReceipt()).toEqual({
      requestFromClient: hashOf(chatRequest),
      requestToProvider: hashOf(chatRequest),
      replyFromProvider: null,
      replyToClient: hashOf(got.body),
    });
  });

  it('is of what had passed of a reply that is cut, and of an upload in pieces', async () => {
    rig = await openRig();
    const pieces = ['{"model":"gpt-4o","messages":[', ...Array<string>(40).fill(' '.repeat(30_000)), ']}'];
    rig.upstream.handler = (request, response) => {
      request
        .on('end', () => {
          response.writeHead(200, { ...json, 'content-length': 1000 });
          response.write('{"id":', () => response.destroy());
        })
        .resume();
    };
    const request = await startRequest({
      port: rig.session.port,
      ca: rig.ca,
      path: '/v1/embeddings',
      headers: { ...json, 'transfer-encoding': 'chunked' },
    });
    for (const piece of pieces) if (!request.write(piece)) await once(request, 'drain');
    request.end();
    const response = await waitForResponse(request);
    response.on('error', () => undefined).resume();
    expect(await findReceipt()).toEqual({
      requestFromClient: hashOf(...pieces),
      requestToProvider: hashOf(...pieces),
      replyFromProvider: hashOf('{"id":'),
      replyToClient: hashOf('{"id":'),
    });
  });
});
