import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { openSecure, readHead } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { type WatchedSession, watchSession } from '../fixtures/watch-session.js';
import { makeFrame, openCompressor } from '../providers/wire/websocket/frames.js';

let rig: Rig;
let session: WatchedSession;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => await rig.close());
beforeEach(async () => {
  session = await watchSession(rig.host);
});
afterEach(async () => await session.session.close());

const ask =
  'GET /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
const agreed =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Extensions: permessage-deflate\r\nX-Request-Id: req_7\r\n\r\n';

/** Opens a recognised socket of raw bytes; `provider` is its other end. */
async function openRaw(): Promise<{ client: TLSSocket; provider: Duplex }> {
  const opened = new Promise<Duplex>((resolve) => {
    rig.upstream.onUpgrade = (_request, socket) => {
      socket.write(agreed);
      resolve(socket);
    };
  });
  const client = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
  client.write(ask);
  expect(await readHead(client)).toBe(agreed);
  return { client, provider: await opened };
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function readBytes(socket: Duplex, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let seen = 0;
  await new Promise<void>((resolve) => {
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      seen += chunk.length;
      if (seen < length) return;
      socket.off('data', take);
      resolve();
    };
    socket.on('data', take).resume();
  });
  return Buffer.concat(chunks);
}

describe('a WebSocket that is read', () => {
  it('passes every byte of both directions as it came: pings, masks, fragments, compression, close codes', async () => {
    const { client, provider } = await openRaw();
    const compress = openCompressor();
    const request = JSON.stringify({ type: 'response.create', model: 'gpt-5', input: 'x' });
    const response = { id: 'resp_1', status: 'completed', usage: { input_tokens: 3, output_tokens: 4 } };
    const squeezed = await compress(JSON.stringify({ type: 'response.completed', response }));
    const mask = [1, 2, 3, 4];
    const up = Buffer.concat([
      makeFrame({ opcode: 9, payload: 'are you there', mask }),
      makeFrame({ payload: request.slice(0, 10), final: false, mask }),
      makeFrame({ opcode: 10, payload: '', mask }),
      makeFrame({ opcode: 0, payload: request.slice(10), mask }),
      makeFrame({ opcode: 8, payload: Buffer.from([0x0f, 0xa1]), mask }),
    ]);
    const down = Buffer.concat([
      makeFrame({ opcode: 10, payload: 'are you there' }),
      makeFrame({ payload: squeezed.subarray(0, 5), final: false, compressed: true }),
      makeFrame({ opcode: 9, payload: randomBytes(125) }),
      makeFrame({ opcode: 0, payload: squeezed.subarray(5) }),
      makeFrame({ opcode: 8, payload: Buffer.from([0x0f, 0xa1]) }),
    ]);
    client.write(up);
    expect(await readBytes(provider, up.length)).toEqual(up);
    provider.write(down);
    expect(await readBytes(client, down.length)).toEqual(down);
    const [record] = await session.waitForRecords(1);
    expect(record).toMatchObject({
      outcome: 'ok',
      usage: { inputTokens: 3, outputTokens: 4 },
      requestId: 'req_7',
      requestBytes: request.length,
      responseBytes: squeezed.length,
    });
    const { receipt } = record ?? {};
    expect(receipt).toMatchObject({ requestFromClient: hashOf(up), requestToProvider: hashOf(up) });
    expect(receipt?.replyFromProvider).toMatch(/^[0-9a-f]{64}$/);
    expect(receipt?.replyToClient).toBe(receipt?.replyFromProvider);
    expect(record?.selfMs).toBeGreaterThan(0);
    client.destroy();
  });

  it('has in each record the hashes of all its bytes until then, on both sides', async () => {
    const { client, provider } = await openRaw();
    const asked = makeFrame({
      payload: JSON.stringify({ type: 'response.create', model: 'gpt-5', input: 'x' }),
      mask: [1, 2, 3, 4],
    });
    const answer = (id: string): Buffer => {
      const response = { id, status: 'completed', usage: { input_tokens: 3, output_tokens: 4 } };
      return makeFrame({ payload: JSON.stringify({ type: 'response.completed', response }) });
    };
    const [first, second] = [answer('resp_1'), answer('resp_2')];
    for (const [at, reply] of [first, second].entries()) {
      client.write(asked);
      await readBytes(provider, asked.length);
      provider.write(reply);
      await readBytes(client, reply.length);
      await session.waitForRecords(at + 1);
    }
    const up = [asked, Buffer.concat([asked, asked])].map(hashOf);
    const down = [first, Buffer.concat([first, second])].map(hashOf);
    expect(session.records.map(({ receipt }) => receipt)).toEqual(
      up.map((hash, at) => ({
        ...{ requestFromClient: hash, requestToProvider: hash },
        ...{ replyFromProvider: down[at], replyToClient: down[at] },
      })),
    );
    client.destroy();
  });

  it('has them from the first byte, also where the provider speaks with its 101', async () => {
    const response = { id: 'resp_1', status: 'completed', usage: { input_tokens: 3, output_tokens: 4 } };
    const frame = (value: object): Buffer => makeFrame({ payload: JSON.stringify(value) });
    const down = Buffer.concat([
      frame({ type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } }),
      frame({ type: 'response.done', response }),
    ]);
    rig.upstream.onUpgrade = (_request, socket) => void socket.write(Buffer.concat([Buffer.from(agreed), down]));
    const client = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    client.write(ask.replace('/v1/responses', '/v1/realtime?model=gpt-realtime'));
    await readBytes(client, agreed.length + down.length);
    const hash = hashOf(down);
    expect(await session.waitForRecords(1)).toMatchObject([
      {
        receipt: {
          ...{ requestFromClient: null, requestToProvider: null },
          ...{ replyFromProvider: hash, replyToClient: hash },
        },
      },
    ]);
    client.destroy();
  });

  it('passes what is no WebSocket at all', async () => {
    const { client, provider } = await openRaw();
    const bytes = randomBytes(1_000_000);
    client.write(bytes);
    provider.write(bytes);
    const [up, down] = await Promise.all([readBytes(provider, bytes.length), readBytes(client, bytes.length)]);
    expect(up.equals(bytes) && down.equals(bytes)).toBe(true);
    expect(session.records).toEqual([]);
    client.destroy();
  });

  it('holds a provider back whose client reads slowly, and loses nothing', async () => {
    const { client, provider } = await openRaw();
    const frame = makeFrame({ payload: JSON.stringify({ type: 'response.other', pad: 'x'.repeat(60_000) }) });
    const total = 1500 * frame.length;
    const sent = createHash('sha256');
    const got = createHash('sha256');
    let written = 0;
    let received = 0;
    let lead = 0;
    const push = (): void => {
      while (written < total) {
        written += frame.length;
        sent.update(frame);
        lead = Math.max(lead, written - received);
        if (!provider.write(frame)) return void provider.once('drain', push);
      }
    };
    push();
    // A turn of the loop for every piece: far slower than the provider pushes.
    for await (const piece of client) {
      got.update(piece as Buffer);
      received += (piece as Buffer).length;
      await new Promise((resolve) => setImmediate(resolve));
      if (received >= total) break;
    }
    expect(received).toBe(total);
    expect(got.digest('hex')).toBe(sent.digest('hex'));
    expect(lead).toBeLessThan(48 * 1024 * 1024);
  });

  it('may be ended by its provider with its last words, which pass and are read', async () => {
    const { client, provider } = await openRaw();
    const request = makeFrame({ payload: JSON.stringify({ type: 'response.create', model: 'm' }), mask: [9, 9, 9, 9] });
    const response = { id: 'resp_1', status: 'completed', usage: { input_tokens: 3, output_tokens: 4 } };
    const reply = makeFrame({ payload: JSON.stringify({ type: 'response.completed', response }) });
    provider.once('data', () => void setImmediate(() => provider.end(reply)));
    client.write(request);
    expect(await readBytes(client, reply.length)).toEqual(reply);
    expect(await session.waitForRecords(1)).toMatchObject([{ outcome: 'ok', responseId: 'resp_1' }]);
    client.destroy();
  });

  it('is in the ledger as it was announced', async () => {
    const { client, provider } = await openRaw();
    client.write(makeFrame({ payload: JSON.stringify({ type: 'response.create', model: 'm' }), mask: [0, 0, 0, 0] }));
    provider.write(makeFrame({ payload: JSON.stringify({ type: 'error', error: { code: 'no', message: 'No.' } }) }));
    const [record] = await session.waitForRecords(1);
    client.destroy();
    await session.session.close();
    const ledger = openLedgerReader({ home: rig.home });
    try {
      const kept = ledger.listCalls({ sessionId: record?.sessionId ?? '' } as never, { bodies: true });
      expect([...kept].filter(({ callId }) => callId === record?.callId)).toEqual([record]);
    } finally {
      ledger.close();
    }
  });
});
