import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askHttp2, chatPath, readHttp2Reply } from '../fixtures/http2-client.js';
import { type Http2Rig, openHttp2Rig } from '../fixtures/http2-rig.js';
import type { Http2TestUpstream } from '../fixtures/http2-upstream.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import type { Rig } from '../fixtures/rig.js';

let provider: Http2TestUpstream;
let rig: Rig;
let client: ClientHttp2Session;
let close: Http2Rig['close'];

beforeEach(async () => {
  ({ provider, rig, client, close } = await openHttp2Rig({
    provider: { maxSessionMemory: 1000 },
    session: { maxSessionMemory: 1000 },
  }));
});
afterEach(async () => await close());

const chunk = Buffer.alloc(64 * 1024, 'x');
const pieces = 1600;
const total = chunk.length * pieces;

/** Writes as fast as the other end takes it; `stalled` resolves when it has taken nothing for a while of turns. */
function flood(stream: ServerHttp2Stream | ReturnType<ClientHttp2Session['request']>): {
  readonly written: () => number;
  readonly stalled: Promise<void>;
} {
  let left = pieces;
  const push = (): void => {
    while (left > 0) {
      left -= 1;
      if (!stream.write(chunk)) break;
    }
    if (left > 0) stream.once('drain', push);
    else stream.end();
  };
  push();
  const written = (): number => (pieces - left) * chunk.length;
  const watch = async (): Promise<void> => {
    let before = -1;
    // A flood that is let through moves in every few turns.
    for (let quiet = 0; quiet < 2000; quiet += 1) {
      if (written() !== before) quiet = 0;
      before = written();
      await turn();
    }
  };
  return { written, stalled: watch() };
}

describe('a client that stops reading', () => {
  it('stops its provider, and no other stream; what it asked for is whole when it reads on', async () => {
    let flooding: ReturnType<typeof flood> | undefined;
    provider.handler = (stream, headers) => {
      if (headers[':path'] === '/v1/flood') {
        stream.respond({ ':status': 200 });
        flooding = flood(stream);
        return;
      }
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.end(chatReply);
    };
    const stream = client.request({ ':path': '/v1/flood' });
    await new Promise((resolve) => stream.once('response', resolve));
    await flooding?.stalled;
    // Windows and buffers on the way: nothing near the whole.
    expect(flooding?.written()).toBeLessThan(8 * 1024 * 1024);
    for (let i = 0; i < 20; i += 1) expect((await askHttp2(client, {}, chatRequest)).body.toString()).toBe(chatReply);
    let received = 0;
    for await (const bytes of stream) received += (bytes as Buffer).length;
    expect(received).toBe(total);
  });
});

describe('a provider that stops reading', () => {
  it('stops its client, and gets the whole upload when it reads on', async () => {
    let far: ServerHttp2Stream | undefined;
    const seen = new Promise<void>((resolve) => {
      provider.handler = (stream) => {
        far = stream;
        resolve();
      };
    });
    const stream = client.request({ ...chatPath, ':path': '/v1/embeddings' });
    const flooding = flood(stream);
    await seen;
    await flooding.stalled;
    expect(flooding.written()).toBeLessThan(8 * 1024 * 1024);
    const reply = readHttp2Reply(stream);
    let received = 0;
    far?.on('data', (bytes: Buffer) => (received += bytes.length));
    far?.once('end', () => {
      far?.respond({ ':status': 200, 'content-type': 'application/json' });
      far?.end('{}');
    });
    expect((await reply).status).toBe(200);
    expect(received).toBe(total);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'ok', requestBytes: total }]);
  });

  it('and answers all the same is heard at once', async () => {
    provider.handler = (stream) => {
      stream.respond({ ':status': 413 });
      stream.end('too large');
    };
    const stream = client.request({ ...chatPath, ':path': '/v1/embeddings' });
    flood(stream).stalled.catch(() => undefined);
    const reply = await readHttp2Reply(stream);
    expect([reply.status, reply.body.toString()]).toEqual([413, 'too large']);
  });
});

describe('large bodies on many streams at once', () => {
  it('come whole both ways', async () => {
    const size = 3 * 1024 * 1024;
    provider.handler = (stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    };
    const sent = Array.from({ length: 20 }, (_, i) => Buffer.alloc(size, i + 1));
    const replies = await Promise.all(
      sent.map(async (body) => await askHttp2(client, { ':path': '/v1/embeddings' }, body)),
    );
    expect(replies.every((reply, i) => sent[i]?.equals(reply.body))).toBe(true);
    expect(
      (await rig.waitForRecords(20)).every(
        ({ requestBytes, responseBytes }) => requestBytes === size && responseBytes === size,
      ),
    ).toBe(true);
  });
});
