import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, openSecure, type Reply, readHead } from '../fixtures/proxy-client.js';
import { openRawProvider } from '../fixtures/raw-provider.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { dial, readAll, readBytes } from '../fixtures/tcp.js';
import { type WatchedSession, watchSession } from '../fixtures/watch-session.js';

let rig: Rig;
let session: WatchedSession;
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
beforeAll(async () => {
  process.on('unhandledRejection', note).on('uncaughtExceptionMonitor', note);
  rig = await openRig();
});
afterAll(async () => {
  await rig.close();
  process.off('unhandledRejection', note).off('uncaughtExceptionMonitor', note);
});
beforeEach(async () => {
  session = await watchSession(rig.host);
});
afterEach(async () => {
  await session.session.close();
  expect(unhandled).toEqual([]);
});

/** The upstream answers with these bytes, and then closes or stays. */
function answer(text: string, then: 'close' | 'stay' | 'reset' = 'stay'): void {
  rig.upstream.handler = (request) => {
    const socket = request.socket as Socket;
    request.resume().once('end', () => {
      if (then === 'close') socket.end(text, 'latin1');
      else socket.write(text, 'latin1', () => then === 'reset' && socket.destroy());
    });
  };
}

const post = async (): Promise<Reply> => await ask({ port: session.port, ca: rig.ca, body: chatRequest });
const json = 'Content-Type: application/json';

describe('a reply that is no reply', () => {
  it.each([
    ['not HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 'stay'],
    ['nothing, and a close', '', 'close'],
    ['nothing, and a reset', '', 'reset'],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent-Ty', 'close'],
    ['a status line of another protocol', 'HTTP/3.0 200 OK\r\n\r\n', 'stay'],
    ['a head of 400 KB', `HTTP/1.1 200 OK\r\nX-Big: ${'b'.repeat(400_000)}\r\n\r\n`, 'stay'],
    ['two different lengths', `HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}`, 'stay'],
    ['a length that is no number', `HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}`, 'stay'],
    ['a header with a NUL', 'HTTP/1.1 200 OK\r\nX-A: a\u0000b\r\n\r\n{}', 'stay'],
    [
      '101 to a request that offered no upgrade',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
      'stay',
    ],
  ] as const)('(%s) is a 502, recorded once with status 0', async (_what, text, then) => {
    answer(text, then);
    const reply = await post();
    expect(reply.status).toBe(502);
    expect(JSON.parse(reply.body.toString())).toMatchObject({
      error: { type: 'llmtap_upstream_error', code: expect.stringMatching(/^UPSTREAM_/) },
    });
    await session.waitForRecords(1);
    await session.session.close();
    expect(session.records).toMatchObject([{ outcome: 'upstream_error', status: 0, usage: { inputTokens: null } }]);
  });
});

describe('a reply that breaks off', () => {
  it.each([
    ['shorter than its length', `HTTP/1.1 200 OK\r\n${json}\r\nContent-Length: 999\r\n\r\n{"id":"x"`, 'close'],
    [
      'a chunk that is none',
      `HTTP/1.1 200 OK\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"id":"x"\r\nzz\r\n`,
      'stay',
    ],
    ['no last chunk', `HTTP/1.1 200 OK\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"id":"x"\r\n`, 'close'],
    ['reset in mid-body', `HTTP/1.1 200 OK\r\n${json}\r\nContent-Length: 999\r\n\r\n{"id":"x"`, 'reset'],
  ] as const)('(%s) is cut for the client with what had come, and recorded once', async (_what, text, then) => {
    answer(text, then);
    const reply = await post();
    expect(reply).toMatchObject({ status: 200, complete: false });
    expect(reply.body.toString()).toBe('{"id":"x"');
    await session.waitForRecords(1);
    await session.session.close();
    expect(session.records).toMatchObject([{ outcome: 'upstream_aborted', status: 200 }]);
  });

  it.each([
    ['by its length', `HTTP/1.1 200 OK\r\n${json}\r\nContent-Length: 999\r\n\r\n`],
    ['by chunks', `HTTP/1.1 200 OK\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n`],
    ['by its connection', `HTTP/1.1 200 OK\r\n${json}\r\nConnection: close\r\n\r\n`],
  ])('and was reset is reset for the client, where it was to end %s', async (_how, head) => {
    const provider = await openRawProvider(rig.upstream.certificate);
    rig.host.registerProvider({ name: 'raw', baseUrl: `https://localhost:${provider.port}` });
    const path = '/v1/chat/completions';
    provider.answers.set(path, { text: `${head}{"id":"x"`, ending: 'reset' });
    const secure = await openSecure(session.port, 'localhost', { ca: rig.ca, connectAs: `localhost:${provider.port}` });
    secure.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}`);
    let text = '';
    const reset = once(secure.resume(), 'error');
    secure.on('data', (piece: Buffer) => {
      text += piece.toString();
      if (text.includes('{"id":"x"')) provider.reset(path);
    });
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(await session.waitForRecords(1)).toMatchObject([
      { outcome: 'upstream_aborted', status: 200, error: { code: 'UPSTREAM_ABORTED' } },
    ]);
    await provider.close();
  });

  it('has given a slow client every byte that came before the cut', async () => {
    const sent = 4_000_000;
    rig.upstream.handler = (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': sent * 2 });
      response.write(Buffer.alloc(sent, 'x'), () => (request.socket as Socket).destroySoon());
    };
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n${json}\r\nContent-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`,
    );
    await readHead(secure);
    let got = 0;
    await new Promise<void>((resolve) => {
      secure.on('data', (chunk: Buffer) => {
        got += chunk.length;
        secure.pause();
        setImmediate(() => secure.resume());
      });
      secure.on('error', () => undefined).once('close', resolve);
      secure.resume();
    });
    expect(got).toBe(sent);
    expect(await session.waitForRecords(1)).toMatchObject([{ outcome: 'upstream_aborted', responseBytes: sent }]);
  });
});

describe('a reply that is odd but whole', () => {
  it('longer than its length ends at its length', async () => {
    answer(`HTTP/1.1 200 OK\r\n${json}\r\nContent-Length: ${chatReply.length}\r\n\r\n${chatReply}and more`);
    const reply = await post();
    expect([reply.complete, reply.body.toString()]).toEqual([true, chatReply]);
    expect(await session.waitForRecords(1)).toMatchObject([{ outcome: 'ok', usage: { inputTokens: 10 } }]);
  });

  it('after interim replies is the one the client gets', async () => {
    answer(
      `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n${json}\r\nContent-Length: ${chatReply.length}\r\n\r\n${chatReply}`,
    );
    const reply = await post();
    expect([reply.status, reply.body.toString()]).toEqual([200, chatReply]);
    expect(await session.waitForRecords(1)).toMatchObject([{ outcome: 'ok', status: 200 }]);
  });

  it.each([
    ['HTTP/1.1', 'Connection: close\r\n'],
    ['HTTP/1.1', ''],
    ['HTTP/1.0', ''],
  ])('of %s that ends with its connection (%j) is whole', async (version, extra) => {
    answer(`${version} 200 OK\r\n${json}\r\n${extra}\r\n${chatReply}`, 'close');
    const reply = await post();
    expect([reply.status, reply.complete, reply.body.toString()]).toEqual([200, true, chatReply]);
    expect(await session.waitForRecords(1)).toMatchObject([{ outcome: 'ok', usage: { inputTokens: 10 } }]);
  });

  it.each([301, 302, 303, 307, 308])('with status %i is not followed', async (status) => {
    rig.upstream.seen.length = 0;
    answer(`HTTP/1.1 ${status} Elsewhere\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n`);
    const reply = await post();
    expect([reply.status, reply.headers.location]).toEqual([status, 'https://evil.example/']);
    expect(rig.upstream.seen.length).toBe(1);
    expect(await session.waitForRecords(1)).toMatchObject([{ outcome: 'ok', status }]);
  });

  it.each(['Schön', '\u00e6\u00ad\u00a3\u00e5\u00b8\u00b8', '', 'Quite Fine'])(
    'with the reason phrase %j is passed on',
    async (reason) => {
      answer(`HTTP/1.1 299 ${reason}\r\nContent-Length: 0\r\n\r\n`);
      const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
      secure.write('GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await readHead(secure)).split('\r\n')[0]).toMatch(/^HTTP\/1\.1 299 /);
      secure.destroy();
    },
  );

  it.each([199, 999])('with status %i does not hang', async (status) => {
    answer(`HTTP/1.1 ${status} Odd\r\nContent-Length: 0\r\n\r\n`, 'close');
    const reply = await post();
    expect([999, 502]).toContain(reply.status);
    await session.waitForRecords(1);
  });

  it('with a hundred and fifty Set-Cookie lines keeps them all', async () => {
    answer(`HTTP/1.1 200 OK\r\n${'Set-Cookie: a=b\r\n'.repeat(150)}Content-Length: 0\r\n\r\n`);
    expect((await post()).rawHeaders.filter((name) => name === 'Set-Cookie').length).toBe(150);
  });
});

describe('a reply that comes before its request is whole', () => {
  it('reaches a client in mid-upload, whose rest is taken off its hands', async () => {
    rig.upstream.handler = (_request, response) =>
      response
        .writeHead(413, { 'content-type': 'application/json', connection: 'close' })
        .end('{"error":{"message":"too large"}}');
    const size = 30_000_000;
    const secure = await openSecure(session.port, 'api.anthropic.com', { ca: rig.ca });
    secure.write(
      `POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n`,
    );
    const head = readHead(secure);
    const uploaded = new Promise<void>((resolve) => {
      secure.write(Buffer.alloc(size, 'x'), () => resolve());
      secure.once('close', () => resolve());
    });
    expect(await head).toMatch(/^HTTP\/1\.1 413 /);
    secure.resume();
    await uploaded;
    expect(await session.waitForRecords(1)).toMatchObject([{ outcome: 'http_error', status: 413 }]);
    secure.destroy();
  });
});

describe('an upload nobody reads any more', () => {
  it('runs out into nothing, and its connection serves the next request', async () => {
    let reply: () => void = () => undefined;
    rig.upstream.handler = (request, response) => {
      request.pause();
      reply = () => response.writeHead(413, { 'content-type': 'application/json' }).end('{}');
    };
    const size = 30_000_000;
    const secure = await openSecure(session.port, 'api.anthropic.com', { ca: rig.ca });
    secure.write(
      `POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n`,
    );
    const head = readHead(secure);
    const chunk = Buffer.alloc(100_000, 'x');
    // The provider answers only when every buffer between is full.
    let idle: NodeJS.Timeout | undefined;
    const uploaded = new Promise<void>((resolve, reject) => {
      secure.once('close', () => reject(new Error('closed in mid-upload')));
      const push = (left: number): void => {
        clearTimeout(idle);
        if (left === 0) return resolve();
        idle = setTimeout(() => reply(), 300);
        secure.write(chunk, () => push(left - chunk.length));
      };
      push(size);
    });
    expect(await head).toMatch(/^HTTP\/1\.1 413 /);
    await uploaded;
    rig.upstream.handler = (_request, response) => response.end('next');
    secure.write('GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n');
    await new Promise<void>((resolve) => {
      let text = '';
      secure.on('data', (bytes: Buffer) => {
        text += bytes.toString();
        if (text.includes('next')) resolve();
      });
      secure.resume();
    });
    secure.destroy();
  });
});

describe('a client that asks for the end of its connection', () => {
  it.each([
    ['Connection: close', 'HTTP/1.1', 'Connection: close\r\n'],
    ['HTTP/1.0', 'HTTP/1.0', ''],
  ])('(%s) gets it, also where the provider keeps its own open', async (_what, version, header) => {
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        connection: 'keep-alive',
        'keep-alive': 'timeout=72',
      });
      response.write(chatReply.slice(0, 9));
      response.end(chatReply.slice(9));
    };
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write(
      `POST /v1/chat/completions ${version}\r\nHost: a\r\n${header}Content-Type: application/json\r\nContent-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`,
    );
    const text = (await readAll(secure)).toString();
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).not.toMatch(/keep-alive/i);
    if (version === 'HTTP/1.0') expect(text.split('\r\n\r\n')[1]).toBe(chatReply);
    else expect(text).toMatch(/\r\n0\r\n\r\n$/);
  });
});

describe('requests pipelined on one connection', () => {
  const one = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: api.openai.com\r\nContent-Type: application/json\r\nContent-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`;

  it('are all recorded when their client goes away, and all given up upstream', async () => {
    let asked = 0;
    let onAll: () => void = () => undefined;
    let gone = 0;
    const all = new Promise<void>((resolve) => {
      onAll = resolve;
    });
    const allGone = new Promise<void>((resolve) => {
      rig.upstream.handler = (request, response) => {
        request.resume().once('end', () => ++asked === 3 && onAll());
        response.once('close', () => ++gone === 3 && resolve());
      };
    });
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write(one('/v1/chat/completions') + one('/v1/responses') + one('/v1/embeddings'));
    await all;
    secure.destroy();
    await allGone;
    const records = await session.waitForRecords(3);
    expect(records.map((record) => [record.outcome, record.status])).toEqual(Array(3).fill(['client_aborted', 0]));
  });

  it('do not lose the first to the failure of the second', async () => {
    let finish: () => void = () => undefined;
    rig.upstream.handler = (request, response) => {
      request.resume();
      if (request.url === '/v1/chat/completions') {
        finish = () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 99 });
      response.write('{', () => (request.socket as Socket).destroySoon());
    };
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write(one('/v1/chat/completions') + one('/v1/responses'));
    expect(await session.waitForRecords(1)).toMatchObject([{ api: 'responses', outcome: 'upstream_aborted' }]);
    const all = readAll(secure);
    finish();
    expect((await all).toString()).toContain(chatReply);
    await session.waitForRecords(2);
    expect(session.records[1]).toMatchObject({ api: 'chat.completions', outcome: 'ok' });
  });

  it('by the dozen warn nobody of leaks', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    rig.upstream.handler = (request, response) => void request.resume().once('end', () => response.end('{}'));
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write(one('/v1/responses').repeat(40));
    await session.waitForRecords(40);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    secure.destroy();
  });
});

describe('the tap itself', () => {
  it('is not to be had as its own destination', async () => {
    const client = await dial(session.port);
    client.write(`GET http://127.0.0.1:${session.port}/http://127.0.0.1:${session.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(await readHead(client)).toMatch(/^HTTP\/1\.1 400 /);
    client.destroy();
    const tunnel = await dial(session.port);
    tunnel.write(`CONNECT 127.0.0.1:${session.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(await readHead(tunnel)).toMatch(/^HTTP\/1\.1 200 /);
    tunnel.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await readBytes(tunnel, 12)).toString()).toMatch(/^HTTP\/1\.1 400/);
    tunnel.destroy();
  });

  it.each([
    ['with a broken escape', '/%zz/chat/completions'],
    ['with a broken query', '/v1/chat/completions?key=%'],
    ['with a NUL', '/v1beta/models/%00:generateContent'],
    ['of 100 KB', `/${'a'.repeat(100_000)}`],
    ['of bytes beyond ASCII', '/v1/\u00e9\u00ff'],
    ['that is no path', '*'],
  ])('survives a path %s', async (_what, path) => {
    rig.upstream.handler = (_request, response) => response.end('{}');
    for (const method of ['POST', 'OPTIONS']) {
      const secure = await openSecure(session.port, 'generativelanguage.googleapis.com', { ca: rig.ca });
      secure.write(Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`, 'latin1'));
      expect(await readHead(secure)).toMatch(/^HTTP\/1\.1 \d{3} /);
      secure.destroy();
    }
  });
});
