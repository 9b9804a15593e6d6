import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSecure, readHead } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { makeFrame } from '../providers/wire/websocket/frames.js';

let rig: Rig;
let asked: () => Promise<string | null> = async () => null;
beforeEach(async () => {
  asked = async () => null;
  rig = await openRig({
    router: async () => await asked(),
    routerDeadlineMs: 500,
    session: { routed: true, budget: { maxCalls: 100 } },
  });
});
afterEach(async () => await rig.close());

const ask =
  'GET /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
const agreed =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n';

/** A socket of raw bytes through the gate; `behind` is what the client sends before it has the 101. */
async function openRaw(behind: Buffer = Buffer.alloc(0)): Promise<{ client: TLSSocket; provider: Duplex }> {
  const opened = new Promise<Duplex>((resolve) => {
    rig.upstream.onUpgrade = (_request, socket) => {
      socket.on('error', () => undefined).write(agreed);
      resolve(socket);
    };
  });
  const client = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
  client.on('error', () => undefined);
  client.write(Buffer.concat([Buffer.from(ask), behind]));
  expect(await readHead(client)).toBe(agreed);
  return { client, provider: await opened };
}

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

const mask = [1, 2, 3, 4];
const create = makeFrame({ payload: JSON.stringify({ type: 'response.create', model: 'gpt-5', input: 'x' }), mask });

describe('a WebSocket with a gate', () => {
  it('passes what nobody changes byte for byte, both ways, half-closed ends included', async () => {
    const { client, provider } = await openRaw();
    const up = Buffer.concat([
      makeFrame({ payload: '{"type":', final: false, mask }),
      makeFrame({ opcode: 0, payload: '"session.say"}', mask }),
      create,
      makeFrame({ opcode: 9, payload: 'ping', mask }),
      makeFrame({ opcode: 2, payload: randomBytes(300_000), mask }),
      makeFrame({ opcode: 8, payload: Buffer.from([3, 232]), mask }),
    ]);
    const down = Buffer.concat([makeFrame({ payload: 'x'.repeat(200_000) }), makeFrame({ opcode: 10, payload: '' })]);
    for (const byte of up.subarray(0, 60)) client.write(Buffer.from([byte]));
    client.write(up.subarray(60));
    expect((await readBytes(provider, up.length)).equals(up)).toBe(true);
    provider.write(down);
    expect((await readBytes(client, down.length)).equals(down)).toBe(true);
    const ended = new Promise((resolve) => provider.once('end', resolve));
    client.end();
    provider.resume();
    await ended;
    provider.end();
    expect((await rig.waitForRecords(1))[0]).toMatchObject({ outcome: 'client_aborted', changes: [] });
  });

  it('takes what a client sends before the provider has agreed', async () => {
    const { client, provider } = await openRaw(create);
    expect(await readBytes(provider, create.length)).toEqual(create);
    client.destroy();
  });

  it('passes what is cut off when its client ends', async () => {
    const { client, provider } = await openRaw();
    client.end(create.subarray(0, 20));
    expect(await readBytes(provider, 20)).toEqual(create.subarray(0, 20));
  });

  it('slows its client as the provider does, and has bounded memory', async () => {
    const { client, provider } = await openRaw();
    const frame = makeFrame({ opcode: 2, payload: randomBytes(64 * 1024), mask });
    const frames = 1200;
    const hash = createHash('sha256');
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < frames; i += 1) {
        hash.update(frame);
        written += frame.length;
        if (!client.write(frame)) await new Promise((resolve) => client.once('drain', resolve));
      }
    })();
    let before = -1;
    for (let quiet = 0; quiet < 3000; quiet += 1) {
      if (written !== before) quiet = 0;
      before = written;
      await turn();
    }
    expect(written).toBeLessThan(30 * 1024 * 1024);
    const heard = createHash('sha256');
    let seen = 0;
    const whole = new Promise<void>((resolve) => {
      provider.on('data', (chunk: Buffer) => {
        heard.update(chunk);
        seen += chunk.length;
        if (seen === frames * frame.length) resolve();
      });
    });
    await Promise.all([writing, whole]);
    expect(heard.digest('hex')).toBe(hash.digest('hex'));
    client.destroy();
  });

  it('leaves one record where its client leaves while a router is asked that never answers', async () => {
    let onAsked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    asked = async () => {
      onAsked();
      return await new Promise<null>(() => undefined);
    };
    const { client, provider } = await openRaw();
    client.write(create);
    await isAsked;
    client.destroy();
    await new Promise((resolve) => provider.resume().once('close', resolve));
    await rig.session.close();
    expect(rig.records).toMatchObject([{ outcome: 'client_aborted', requestedModel: 'gpt-5' }]);
    // What was waited for is not the tap's own work.
    expect(rig.records[0]?.selfMs).toBeLessThan(400);
  });

  it('gives the provider’s refusal of an upgrade as it is, and the connection goes on', async () => {
    const refusal = 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 4\r\nUpgrade: h2\r\n\r\nno\r\n';
    rig.upstream.onUpgrade = (_request, socket) => void socket.write(refusal);
    rig.upstream.handler = (_request, response) => response.end('{}');
    const client = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    client.write(ask);
    expect((await readBytes(client, refusal.length)).toString()).toBe(refusal);
    client.write('GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\n\r\n');
    expect(await readHead(client)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    client.destroy();
  });
});
