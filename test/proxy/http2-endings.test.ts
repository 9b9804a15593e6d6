import http2, { type ClientHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askHttp2, chatPath, openHttp2, readHttp2Reply } from '../fixtures/http2-client.js';
import { type Http2Rig, openHttp2Rig } from '../fixtures/http2-rig.js';
import type { Http2TestUpstream } from '../fixtures/http2-upstream.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants;

let provider: Http2TestUpstream;
let rig: Rig;
let client: ClientHttp2Session;
let close: Http2Rig['close'];

beforeEach(async () => {
  ({ provider, rig, client, close } = await openHttp2Rig());
});
afterEach(async () => await close());

const json = { ':status': 200, 'content-type': 'application/json' };

function answer(stream: ServerHttp2Stream): void {
  stream.respond(json);
  stream.end(chatReply);
}

/** Resolves with the next stream the provider sees, which the test answers itself. */
function nextStream(): Promise<ServerHttp2Stream> {
  return new Promise((resolve) => {
    provider.handler = resolve;
  });
}

function whenClosed(stream: ServerHttp2Stream): Promise<number> {
  return new Promise((resolve) => stream.once('close', () => resolve(stream.rstCode)));
}

describe('a stream the client resets', () => {
  it('before the reply is reset at the provider with the same code, and on record as left', async () => {
    const seen = nextStream();
    const stream = client.request(chatPath);
    stream.end(chatRequest);
    const reply = readHttp2Reply(stream);
    const closed = whenClosed(await seen);
    stream.close(NGHTTP2_ENHANCE_YOUR_CALM);
    await reply;
    expect(await closed).toBe(NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await rig.waitForRecords(1)).toMatchObject([
      { outcome: 'client_aborted', error: { code: 'CLIENT_ABORTED' }, status: 0, protocol: 'h2' },
    ]);
  });

  it('in mid-reply leaves the others on its connection alone', async () => {
    const first = nextStream();
    const cancelled = client.request(chatPath);
    cancelled.end(chatRequest);
    const far = await first;
    far.respond({ ':status': 200, 'content-type': 'text/event-stream' });
    far.write('data: {}\n\n');
    await new Promise((resolve) => cancelled.once('data', resolve));
    const other = nextStream();
    const going = askHttp2(client, {}, chatRequest);
    const otherFar = await other;
    const closed = whenClosed(far);
    cancelled.on('error', () => undefined).close(NGHTTP2_CANCEL);
    expect(await closed).toBe(NGHTTP2_CANCEL);
    answer(otherFar);
    expect((await going).body.toString()).toBe(chatReply);
    const records = await rig.waitForRecords(2);
    expect(records.map(({ outcome }) => outcome).sort()).toEqual(['client_aborted', 'ok']);
    expect(provider.connections).toBe(1);
  });

  it('in mid-upload resets it at the provider, which never takes the upload for whole', async () => {
    const seen = nextStream();
    // Nobody reads this one whole first.
    const stream = client.request({ ...chatPath, ':path': '/v1/embeddings' });
    stream.on('error', () => undefined);
    stream.write('{"half":');
    const far = await seen;
    let ended = false;
    far
      .on('data', () => undefined)
      .once('end', () => {
        ended = far.rstCode === 0;
      });
    const closed = whenClosed(far);
    stream.close(NGHTTP2_CANCEL);
    expect(await closed).toBe(NGHTTP2_CANCEL);
    expect(ended).toBe(false);
  });

  it('by leaving with its connection ends all its calls', async () => {
    const seen: ServerHttp2Stream[] = [];
    const three = new Promise<void>((resolve) => {
      provider.handler = (stream) => {
        seen.push(stream);
        if (seen.length === 3) resolve();
      };
    });
    const replies = [1, 2, 3].map(() => askHttp2(client, {}, chatRequest));
    await three;
    const closed = Promise.all(seen.map(whenClosed));
    client.destroy();
    await Promise.all(replies);
    await closed;
    const records = await rig.waitForRecords(3);
    expect(records.map(({ outcome }) => outcome)).toEqual(Array(3).fill('client_aborted'));
    expect(rig.faults).toEqual([]);
  });
});

describe('a stream the provider resets', () => {
  it.each([
    ['INTERNAL_ERROR', NGHTTP2_INTERNAL_ERROR],
    ['ENHANCE_YOUR_CALM', NGHTTP2_ENHANCE_YOUR_CALM],
    ['CANCEL', NGHTTP2_CANCEL],
  ])('before its reply is reset at the client with %s, and on record', async (name, code) => {
    provider.handler = (stream) => stream.close(code);
    const reply = await askHttp2(client, {}, chatRequest);
    expect([reply.status, reply.resetCode]).toEqual([undefined, code]);
    expect(await rig.waitForRecords(1)).toMatchObject([
      { outcome: 'upstream_error', status: 0, error: { message: expect.stringContaining(name) } },
    ]);
  });

  it('in mid-reply is reset at the client with the same code, after what it had sent', async () => {
    provider.handler = (stream) => {
      // NOTE: without waiting for trailers node:http2 ends the stream before it resets it.
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' }, { waitForTrailers: true });
      stream.write('data: {"a":1}\n\n', () => stream.close(NGHTTP2_ENHANCE_YOUR_CALM));
    };
    const reply = await askHttp2(client, {}, chatRequest);
    expect([reply.status, reply.body.toString(), reply.resetCode]).toEqual([
      200,
      'data: {"a":1}\n\n',
      NGHTTP2_ENHANCE_YOUR_CALM,
    ]);
    expect(await rig.waitForRecords(1)).toMatchObject([
      { outcome: 'upstream_aborted', partial: true, error: { code: 'UPSTREAM_ABORTED' } },
    ]);
  });

  it('as refused, which means that nobody looked at it, is sent again once', async () => {
    let times = 0;
    provider.handler = (stream) => {
      times += 1;
      if (times === 1) stream.close(NGHTTP2_REFUSED_STREAM);
      else answer(stream);
    };
    expect((await askHttp2(client, {}, chatRequest)).body.toString()).toBe(chatReply);
    provider.handler = (stream) => stream.close(NGHTTP2_REFUSED_STREAM);
    expect((await askHttp2(client, {}, chatRequest)).resetCode).toBe(NGHTTP2_REFUSED_STREAM);
    expect((await rig.waitForRecords(2)).map(({ outcome }) => outcome)).toEqual(['ok', 'upstream_error']);
  });

  it('with its whole connection is never taken for one that ended', async () => {
    provider.handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      stream.write('data: {"a":1}\n\n', () => stream.session?.destroy());
    };
    const reply = await askHttp2(client, {}, chatRequest);
    expect([reply.body.toString(), reply.resetCode]).toEqual(['data: {"a":1}\n\n', NGHTTP2_INTERNAL_ERROR]);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'upstream_aborted', partial: true }]);
    provider.handler = answer;
    expect((await askHttp2(client, {}, chatRequest)).status).toBe(200);
    expect(provider.connections).toBe(2);
  });
});

describe('a provider that says goodbye', () => {
  it('ends what is under way, and the next request goes by another connection', async () => {
    const seen = nextStream();
    const going = askHttp2(client, {}, chatRequest);
    const far = await seen;
    const { session } = far;
    const leaving = new Promise<void>((resolve) => session?.once('close', resolve));
    session?.close();
    provider.handler = answer;
    const next = await askHttp2(client, {}, chatRequest);
    expect(next.body.toString()).toBe(chatReply);
    answer(far);
    expect((await going).body.toString()).toBe(chatReply);
    await leaving;
    expect(provider.connections).toBe(2);
    expect((await rig.waitForRecords(2)).every(({ outcome }) => outcome === 'ok')).toBe(true);
  });
});

describe('a provider that cannot be reached', () => {
  it('is told to the client by a 502 on its stream, and on record', async () => {
    const own = await openRig({ connectTo: [':443:127.0.0.1:1'], upstreamCa: provider.caPath });
    const session = await openHttp2({ port: own.session.port, ca: own.ca });
    const reply = await askHttp2(session, {}, chatRequest);
    expect(reply.status).toBe(502);
    expect(JSON.parse(reply.body.toString())).toMatchObject({ error: { type: 'llmtap_upstream_error' } });
    expect(await own.waitForRecords(1)).toMatchObject([
      { outcome: 'upstream_error', protocol: 'h2', error: { code: 'UPSTREAM_UNREACHABLE' } },
    ]);
    session.destroy();
    await own.close();
  });

  it('because its certificate does not verify is told so', async () => {
    const own = await openRig({ connectTo: [`:443:127.0.0.1:${provider.port}`] });
    const session = await openHttp2({ port: own.session.port, ca: own.ca });
    expect((await askHttp2(session, {}, chatRequest)).status).toBe(502);
    expect(await own.waitForRecords(1)).toMatchObject([{ error: { code: 'UPSTREAM_TLS_UNVERIFIED' } }]);
    session.destroy();
    await own.close();
  });

  it('over HTTP/1.1, because it speaks only HTTP/2, fails as it would without the tap', async () => {
    const reply = await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });
    expect(reply.status).toBe(502);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'upstream_error', protocol: 'http/1.1' }]);
  });
});

describe('a session that is closed', () => {
  it('with patience says goodbye, and lets what is under way end', async () => {
    const seen = nextStream();
    const going = askHttp2(client, {}, chatRequest);
    const far = await seen;
    const goodbye = new Promise<number>((resolve) => client.once('goaway', resolve));
    const closing = rig.session.close({ drain: true });
    expect(await goodbye).toBe(0);
    answer(far);
    expect((await going).body.toString()).toBe(chatReply);
    await closing;
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'ok' }]);
  });

  it('with patience ends an idle connection at once', async () => {
    provider.handler = answer;
    await askHttp2(client, {}, chatRequest);
    const closed = new Promise<void>((resolve) => client.once('close', resolve));
    await rig.session.close({ drain: true });
    await closed;
  });

  it('at once cuts its streams, which is on record as ours', async () => {
    const seen = nextStream();
    const going = askHttp2(client, {}, chatRequest);
    const closed = whenClosed(await seen);
    await rig.session.close();
    expect((await going).status).toBeUndefined();
    await closed;
    expect(await rig.waitForRecords(1)).toMatchObject([{ error: { code: 'SESSION_CLOSED' } }]);
  });
});

describe('a connection of HTTP/2 on which nothing was asked', () => {
  it('closes without a fault of trust', async () => {
    for (let i = 0; i < 3; i += 1) {
      const session = await openHttp2({ port: rig.session.port, ca: rig.ca });
      await new Promise<void>((resolve) => session.once('remoteSettings', () => session.close(resolve)));
    }
    await rig.session.close();
    expect(rig.faults).toEqual([]);
  });
});
