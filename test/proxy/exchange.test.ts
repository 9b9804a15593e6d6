import http from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ask,
  makeTunnelAgent,
  openSecure,
  readHead,
  readReply,
  startRequest,
  waitForResponse,
} from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(async () => {
  await rig.close();
});

const json = ['content-type', 'application/json'];

describe('a reply', () => {
  it('reaches the client with its status line, header order, case and repeats as the provider sent them', async () => {
    const sent =
      'HTTP/1.1 200 Quite Fine\r\nX-First: 1\r\ncontent-TYPE: application/json\r\nSet-Cookie: a=1\r\nX-Mixed-Case: \xe9\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\n{}';
    rig.upstream.handler = (request) => void (request.socket as Socket).write(sent, 'latin1');
    const socket = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    socket.write('GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\n\r\n');
    const head = await readHead(socket);
    expect(head).toBe(sent.slice(0, -2));
    socket.destroy();
  });

  it('keeps trailers, and content-length where there was one', async () => {
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, { Trailer: 'X-Sum', 'Content-Type': 'text/plain' });
      response.write('body');
      response.addTrailers({ 'X-Sum': 'abc' });
      response.end();
    };
    const reply = await ask({ port: rig.session.port, ca: rig.ca, method: 'GET', path: '/v1/models' });
    expect(reply.trailers).toEqual({ 'x-sum': 'abc' });
    rig.upstream.handler = (_request, response) => response.writeHead(200, { 'content-length': 5 }).end('12345');
    const sized = await ask({ port: rig.session.port, ca: rig.ca, method: 'GET', path: '/v1/models' });
    expect(sized.headers['content-length']).toBe('5');
    expect(sized.headers['transfer-encoding']).toBeUndefined();
  });

  it('without a body stays without one', async () => {
    rig.upstream.handler = (request, response) =>
      request.method === 'HEAD'
        ? response.writeHead(200, { 'content-length': 9 }).end()
        : response.writeHead(204, 'No Content').end();
    const none = await ask({ port: rig.session.port, ca: rig.ca, method: 'DELETE', path: '/v1/responses/r1' });
    expect([none.status, none.body.length, none.headers['content-length']]).toEqual([204, 0, undefined]);
    const head = await ask({ port: rig.session.port, ca: rig.ca, method: 'HEAD', path: '/v1/models' });
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, '9']);
  });

  it('passes chunk by chunk: each is with the client before the provider sends the next', async () => {
    let send: () => void = () => undefined;
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      let count = 0;
      send = () => {
        count += 1;
        if (count > 20) response.end();
        else response.write(`data: ${count}\n\n`);
      };
    };
    const request = await startRequest({ port: rig.session.port, ca: rig.ca, path: '/v1/responses' });
    request.end('{"model":"m","stream":true}');
    // The head comes by itself, before any piece of the body.
    const response = await waitForResponse(request);
    const got: string[] = [];
    const reading = readReply(response, (chunk) => {
      got.push(chunk.toString());
      send();
    });
    send();
    const reply = await reading;
    expect(reply.complete).toBe(true);
    expect(got).toEqual(Array.from({ length: 20 }, (_, i) => `data: ${i + 1}\n\n`));
  });

  it('is held back at the provider when the client reads slowly: never much more is under way than it took', async () => {
    const total = 96 * 1024 * 1024;
    let written = 0;
    let received = 0;
    let lead = 0;
    rig.upstream.handler = (_request, response) => {
      const chunk = Buffer.alloc(256 * 1024, 'x');
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      const push = (): void => {
        while (written < total) {
          written += chunk.length;
          lead = Math.max(lead, written - received);
          if (!response.write(chunk)) return void response.once('drain', push);
        }
        response.end();
      };
      push();
    };
    const request = await startRequest({
      port: rig.session.port,
      ca: rig.ca,
      method: 'GET',
      path: '/v1/files/f/content',
    });
    request.end();
    const response = await waitForResponse(request);
    // A turn of the loop for every piece: far slower than the provider pushes.
    for await (const piece of response) {
      received += (piece as Buffer).length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(received).toBe(total);
    expect(lead).toBeLessThan(48 * 1024 * 1024);
  });

  it('cut by the provider in mid-body is cut for the client, and recorded as such', async () => {
    rig.upstream.handler = (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('{"id":"chatcmpl-9","model":"gpt-4o",', () => request.socket.destroySoon());
    };
    const reply = await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });
    expect(reply.complete).toBe(false);
    expect(reply.body.toString()).toBe('{"id":"chatcmpl-9","model":"gpt-4o",');
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ outcome: 'upstream_aborted', status: 200, error: { code: 'UPSTREAM_ABORTED' } });
    expect(record?.usage.inputTokens).toBeNull();
    expect(record?.usageProblem).toBeTruthy();
  });

  it.each([429, 500, 503])('with status %i passes through and is recorded as an http_error', async (status) => {
    const body = JSON.stringify({ error: { message: 'Slow down', type: 'requests', code: 'rate_limit_exceeded' } });
    rig.upstream.handler = (_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '7' }).end(body);
    const reply = await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });
    expect([reply.status, reply.headers['retry-after'], reply.body.toString()]).toEqual([status, '7', body]);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ outcome: 'http_error', status, requestedModel: 'gpt-4o' });
    expect(record?.error?.message).toContain(`HTTP ${status}`);
    expect(record?.usage.inputTokens).toBeNull();
    expect(record?.latencyMs).toBeGreaterThan(0);
  });
});

describe('a request', () => {
  it('reaches the provider with its headers in order and case, but for those of the connection', async () => {
    rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(chatReply);
    const headers = [
      ...['Host', 'api.openai.com', 'X-B', '2', 'Authorization', 'Bearer sk-test-000000', 'x-a', '1', 'X-B', '3'],
      ...['Content-Type', 'application/json', 'Accept-Encoding', 'zstd, br', 'Proxy-Connection', 'keep-alive'],
      ...['Content-Length', String(chatRequest.length)],
    ];
    await ask({ port: rig.session.port, ca: rig.ca, headers, body: chatRequest });
    const seen = rig.upstream.seen[0];
    const names = seen?.rawHeaders.filter((_value, i) => i % 2 === 0) ?? [];
    const own = names.filter((name) => !['host', 'connection', 'content-length'].includes(name.toLowerCase()));
    expect(own).toEqual(['X-B', 'Authorization', 'x-a', 'X-B', 'Content-Type', 'Accept-Encoding']);
    expect(seen?.body.toString()).toBe(chatRequest);
  });

  it('with a hundred header lines passes whole', async () => {
    rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(chatReply);
    const headers = Array.from({ length: 100 }, (_, i) => [`X-Line-${i}`, `${i}-${'v'.repeat(500)}`]).flat();
    await ask({
      port: rig.session.port,
      ca: rig.ca,
      headers: ['Host', 'api.openai.com', ...json, 'Content-Length', String(chatRequest.length), ...headers],
      body: chatRequest,
    });
    expect(rig.upstream.seen[0]?.rawHeaders.filter((name) => name.startsWith('X-Line-')).length).toBe(100);
  });

  it('is streamed on: its first part is with the provider before the client sends the second', async () => {
    let onFirst: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      onFirst = resolve;
    });
    rig.upstream.handler = (request, response) => {
      request.once('data', onFirst);
      request.on('end', () => response.writeHead(200, json).end('{}'));
    };
    const body = JSON.stringify({ model: 'claude-x', messages: [] });
    const request = await startRequest({
      port: rig.session.port,
      ca: rig.ca,
      host: 'api.anthropic.com',
      path: '/v1/messages',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    });
    request.write(body.slice(0, 10));
    await first;
    request.end(body.slice(10));
    const reply = await readReply(await waitForResponse(request));
    expect(reply.status).toBe(200);
    expect(rig.upstream.seen[0]?.body.toString()).toBe(body);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      provider: 'anthropic',
      api: 'messages',
      requestedModel: 'claude-x',
      requestBytes: body.length,
    });
  });

  it('of 50 MB passes unchanged, both ways, and is read all the same', async () => {
    const text = 'a'.repeat(50 * 1024 * 1024);
    rig.upstream.handler = (request, response) => {
      request.on('end', () => {
        const reply = JSON.parse(chatReply) as { choices: { message: { content: string } }[] };
        if (reply.choices[0] !== undefined) reply.choices[0].message.content = text;
        response.writeHead(200, json).end(JSON.stringify(reply));
      });
    };
    const body = JSON.stringify({ messages: [{ role: 'user', content: text }], model: 'gpt-4o' });
    const reply = await ask({ port: rig.session.port, ca: rig.ca, body });
    expect(rig.upstream.seen[0]?.body.length).toBe(body.length);
    expect(reply.body.length).toBeGreaterThan(text.length);
    const [record] = await rig.waitForRecords(1);
    expect(record?.usage).toMatchObject({ inputTokens: 10, outputTokens: 5 });
    expect(record).toMatchObject({ requestedModel: 'gpt-4o', model: 'gpt-4o-2024-08-06', requestBytes: body.length });
  }, 60_000);

  it('stays chunked when it was, and is asked to continue when it waits for that', async () => {
    rig.upstream.handler = (request, response) => {
      request.on('end', () => response.writeHead(200, json).end(chatReply));
    };
    const request = await startRequest({
      port: rig.session.port,
      ca: rig.ca,
      headers: { 'content-type': 'application/json', expect: '100-continue' },
    });
    const continued = new Promise((resolve) => request.once('continue', resolve));
    request.flushHeaders();
    await continued;
    request.end(chatRequest);
    await readReply(await waitForResponse(request));
    const headers = rig.upstream.seen[0]?.rawHeaders.map((value) => value.toLowerCase()) ?? [];
    expect(headers[headers.indexOf('transfer-encoding') + 1]).toBe('chunked');
    expect(rig.upstream.seen[0]?.body.toString()).toBe(chatRequest);
  });

  it('pipelined behind another is answered in order, each once', async () => {
    rig.upstream.handler = (request, response) => {
      request.on('end', () => response.writeHead(200, json).end(JSON.stringify({ url: request.url })));
      request.resume();
    };
    const socket = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    const one = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: api.openai.com\r\nContent-Type: application/json\r\nContent-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`;
    socket.write(one('/v1/chat/completions') + one('/v1/responses') + one('/v1/models'));
    let text = '';
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('/v1/models"}')) resolve();
      });
    });
    expect([...text.matchAll(/"url":"([^"]+)"/g)].map((match) => match[1])).toEqual([
      '/v1/chat/completions',
      '/v1/responses',
      '/v1/models',
    ]);
    expect((await rig.waitForRecords(2)).map((record) => record.api).sort()).toEqual(['chat.completions', 'responses']);
    expect(rig.session.counts().passedRequests).toBe(1);
    socket.destroy();
  });

  it('goes where the CONNECT said, whatever its Host header says', async () => {
    rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(chatReply);
    await ask({
      port: rig.session.port,
      ca: rig.ca,
      headers: { host: 'evil.example', 'content-type': 'application/json' },
      body: chatRequest,
    });
    expect(rig.upstream.seen[0]?.servername).toBe('api.openai.com');
    expect((await rig.waitForRecords(1))[0]?.url).toBe('https://api.openai.com/v1/chat/completions');
  });
});

describe('a client that leaves', () => {
  it('before the head ends the upstream request, and is recorded with status 0', async () => {
    let onGone: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      onGone = resolve;
    });
    let onAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    rig.upstream.handler = (request, response) => {
      response.once('close', onGone);
      request.on('end', onAsked).resume();
    };
    const request = await startRequest({ port: rig.session.port, ca: rig.ca });
    request.on('error', () => undefined);
    request.end(chatRequest);
    await asked;
    request.destroy();
    await gone;
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ outcome: 'client_aborted', status: 0, error: { code: 'CLIENT_ABORTED' } });
  });

  it('in mid-stream ends the upstream stream, and what was seen is recorded', async () => {
    let onGone: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      onGone = resolve;
    });
    rig.upstream.handler = (_request, response) => {
      response.once('close', onGone);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(
        'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"claude-x","usage":{"input_tokens":7,"output_tokens":1}}}\n\n',
      );
    };
    const request = await startRequest({
      port: rig.session.port,
      ca: rig.ca,
      host: 'api.anthropic.com',
      path: '/v1/messages',
    });
    request.on('error', () => undefined);
    request.end('{"model":"claude-x","stream":true}');
    const response = await waitForResponse(request);
    await new Promise((resolve) => response.once('data', resolve));
    request.destroy();
    await gone;
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ outcome: 'client_aborted', status: 200, stream: true, responseId: 'msg_1' });
    expect(record?.usage.inputTokens).toBe(7);
    expect(record?.usageProblem).toBeTruthy();
  });
});

describe('an upstream', () => {
  it('that refuses is a 502 for the client and a record with status 0', async () => {
    const refusing = await openRig({ connectTo: [':443:127.0.0.1:1'] });
    try {
      const reply = await ask({ port: refusing.session.port, ca: refusing.ca, body: chatRequest });
      expect(reply.status).toBe(502);
      expect(JSON.parse(reply.body.toString())).toMatchObject({ error: { code: 'UPSTREAM_UNREACHABLE' } });
      const [record] = await refusing.waitForRecords(1);
      expect(record).toMatchObject({ outcome: 'upstream_error', status: 0, error: { code: 'UPSTREAM_UNREACHABLE' } });
      expect(record?.error?.message).toContain('ECONNREFUSED');
      expect(record?.usage).toMatchObject({ inputTokens: null, outputTokens: null });
    } finally {
      await refusing.close();
    }
  });

  it('whose certificate does not verify gets nothing of the call', async () => {
    const home = await openRig();
    const strict = await openRig({ connectTo: [`:443:127.0.0.1:${home.upstream.port}`] });
    try {
      const reply = await ask({ port: strict.session.port, ca: strict.ca, body: chatRequest });
      expect(reply.status).toBe(502);
      expect((await strict.waitForRecords(1))[0]?.error?.code).toBe('UPSTREAM_TLS_UNVERIFIED');
      expect(home.upstream.seen).toEqual([]);
    } finally {
      await strict.close();
      await home.close();
    }
  });

  it('is asked over one kept-alive connection by calls that follow each other, of any session', async () => {
    rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(chatReply);
    const other = await rig.openSession();
    for (const { port } of [rig.session, other, rig.session]) {
      const agent = makeTunnelAgent(port, rig.ca);
      await ask({ port, ca: rig.ca, body: chatRequest, agent });
      await ask({ port, ca: rig.ca, body: chatRequest, agent });
      agent.destroy();
    }
    expect(rig.upstream.seen.length).toBe(6);
    expect(rig.upstream.connections).toBe(1);
  });
});

it('tells a request that names no destination what this port is', async () => {
  const reply = await new Promise<number | undefined>((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port: rig.session.port, path: '/' }, (response) =>
        resolve(response.resume().statusCode),
      )
      .on('error', reject);
  });
  expect(reply).toBe(400);
});
