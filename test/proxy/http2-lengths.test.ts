/** Requests and replies whose heads say another length than their bodies have. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askHttp2, openHttp2 } from '../fixtures/http2-client.js';
import {
  endHeaders,
  endStream,
  type FrameProvider,
  type FrameSocket,
  frameTypes,
  openFrameClient,
  openFrameProvider,
  writeData,
  writeHeaders,
} from '../fixtures/http2-frames.js';
import { chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let provider: FrameProvider;
let rig: Rig;
let client: FrameSocket;

beforeEach(async () => {
  provider = await openFrameProvider();
  rig = await openRig({ connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath });
  client = await openFrameClient(rig.session.port, rig.ca);
});
afterEach(async () => {
  client.socket.destroy();
  await rig.close();
  await provider.close();
});

const ask = (length: string): string[] => [
  ...[':method', 'POST', ':scheme', 'https', ':authority', 'api.openai.com', ':path', '/v1/chat/completions'],
  ...['content-type', 'application/json', 'content-length', length],
];

describe('a request', () => {
  it('that ends with its head and says that a body follows is refused', async () => {
    client.send(writeHeaders(1, ask('5'), endHeaders + endStream));
    const reset = await client.waitFor(({ id }) => id === 1);
    expect([reset?.type, reset?.payload.readUInt32BE()]).toEqual([frameTypes.reset, 1]);
    expect(provider.connections.flatMap(({ frames }) => frames.filter(({ id }) => id > 0))).toEqual([]);
  });

  it('longer than it says is refused, and who sends them for ever is cut off', async () => {
    for (let id = 1; id < 6000; id += 2) client.send(writeHeaders(id, ask('1')), writeData(id, 'xx', endStream));
    const goodbye = await client.waitFor(({ type }) => type === frameTypes.goaway);
    expect(goodbye?.payload.readUInt32BE(4)).toBe(11);
  });

  it('shorter than it says is refused, and who sends them for ever is cut off', async () => {
    for (let id = 1; id < 6000; id += 2) client.send(writeHeaders(id, ask('3')), writeData(id, 'xx', endStream));
    const goodbye = await client.waitFor(({ type }) => type === frameTypes.goaway);
    expect(goodbye?.payload.readUInt32BE(4)).toBe(11);
  });
});

describe('a reply that ends with its head', () => {
  async function askOnce(method: string, status: string): Promise<[number | undefined, number]> {
    provider.onRequest = (id, connection) =>
      connection.send(writeHeaders(id, [':status', status, 'content-length', '5'], endHeaders + endStream));
    const own = await openHttp2({ port: rig.session.port, ca: rig.ca });
    const reply = await askHttp2(own, { ':method': method }, method === 'HEAD' ? undefined : chatRequest);
    own.destroy();
    return [reply.status, reply.resetCode];
  }

  it('and says that a body follows is not taken for whole', async () => {
    expect((await askOnce('POST', '200'))[0]).not.toBe(200);
    expect(await rig.waitForRecords(1)).toMatchObject([
      { outcome: 'upstream_error', error: { message: expect.stringContaining('the reply breaks HTTP/2') as string } },
    ]);
  });

  it('says how long a body would be where there can be none', async () => {
    expect(await askOnce('HEAD', '200')).toEqual([200, 0]);
    expect(await askOnce('POST', '304')).toEqual([304, 0]);
  });
});
