import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { RouteQuestion } from '../../src/core/routing.js';
import { openHost } from '../../src/host/host.js';
import { type AskOptions, ask, makeTunnelAgent, startRequest } from '../fixtures/proxy-client.js';
import { chatFrames, chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const json = { 'content-type': 'application/json' };
const setToSmall = 'request: model set to small by the router';

let rig: Rig;
afterEach(async () => await rig.close());

type Answer = (question: RouteQuestion) => unknown;

/** A rig whose session is routed, with the questions asked. */
async function openRouted(answer: Answer, options: Parameters<typeof openRig>[0] = {}): Promise<RouteQuestion[]> {
  const questions: RouteQuestion[] = [];
  const router = async (question: RouteQuestion): Promise<unknown> => {
    questions.push(question);
    return await answer(question);
  };
  rig = await openRig({ router, session: { routed: true }, ...options });
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(200, json).end(chatReply)).resume();
  };
  return questions;
}

const call = async (options: Partial<AskOptions> = {}) =>
  await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest, ...options });

const readSent = (at = 0) => rig.upstream.seen[at]?.body.toString();

describe('a routed call', () => {
  it('keeps its headers, and its length fits the body sent', async () => {
    await openRouted(() => 'a-model-with-a-longer-name');
    await call({
      headers: { 'content-type': 'application/json', 'x-mine': '1', 'content-length': chatRequest.length },
    });
    const sent = readSent() ?? '';
    expect(sent).toBe(chatRequest.replace('gpt-4o', 'a-model-with-a-longer-name'));
    const headers = rig.upstream.seen[0]?.rawHeaders ?? [];
    expect(headers[headers.indexOf('content-length') + 1]).toBe(String(sent.length));
    expect(headers).toContain('x-mine');
  });

  it('goes on chunked when it came so', async () => {
    await openRouted(() => 'small');
    const request = await startRequest({
      port: rig.session.port,
      ca: rig.ca,
      headers: { ...json, 'transfer-encoding': 'chunked' },
    });
    request.write(chatRequest.slice(0, 20));
    request.end(chatRequest.slice(20));
    await rig.waitForRecords(1);
    expect(readSent()).toBe(chatRequest.replace('gpt-4o', 'small'));
    expect(rig.upstream.seen[0]?.rawHeaders.map((value) => value.toLowerCase())).toContain('chunked');
  });

  it('has the request the client sent on record, and the model of the reply', async () => {
    await openRouted(() => 'small');
    await call();
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      requestedModel: 'gpt-4o',
      routedModel: 'small',
      model: 'gpt-4o-2024-08-06',
      requestBytes: chatRequest.length,
      requestBody: JSON.parse(chatRequest),
      changes: [setToSmall],
    });
  });

  it('is not changed by an answer that is the model asked for', async () => {
    await openRouted(({ requestedModel }) => requestedModel);
    await call({ body: '{"model":"gpt\\u002d4o"}' });
    const [record] = await rig.waitForRecords(1);
    expect(readSent()).toBe('{"model":"gpt\\u002d4o"}');
    expect(record).toMatchObject({ routedModel: 'gpt-4o', changes: [] });
  });

  it('has secrets removed from what is said of it', async () => {
    await openRouted(() => 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD');
    await call();
    const [record] = await rig.waitForRecords(1);
    expect(JSON.stringify(record)).not.toContain('abcdefghijklmnop');
    expect(record?.changes).toHaveLength(1);
  });

  it('shows the router the whole of a large request', async () => {
    const questions = await openRouted(() => 'small');
    const content = 'x'.repeat(3_000_000);
    await call({ body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }) });
    expect(questions[0]?.request).toEqual({ model: 'gpt-4o', messages: [{ role: 'user', content }] });
    expect(JSON.parse(readSent() ?? '')).toMatchObject({ model: 'small', messages: [{ content }] });
  });
});

describe('a routed stream', () => {
  it('is asked for usage as well, and the client notices neither', async () => {
    await openRouted(() => 'small');
    rig.upstream.handler = (request, response) => {
      const send = () =>
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFramesWithUsage.join(''));
      request.on('end', send).resume();
    };
    const got = await call({ body: chatStreamRequest });
    expect(got.body.toString()).toBe(chatFrames.join(''));
    expect(JSON.parse(readSent() ?? '')).toMatchObject({ model: 'small', stream_options: { include_usage: true } });
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ routedModel: 'small', stream: true, usage: { inputTokens: 10, outputTokens: 5 } });
    expect(record?.changes.slice(0, 2)).toEqual([setToSmall, 'request: stream_options.include_usage set']);
  });

  it('keeps its model when the provider refuses to be asked for usage', async () => {
    const questions = await openRouted(() => 'small');
    rig.upstream.handler = (request, response) => {
      const isFirst = rig.upstream.seen.length === 1;
      const send = () =>
        isFirst
          ? response.writeHead(400, json).end('{"error":{"message":"Unknown parameter: stream_options"}}')
          : response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFrames.join(''));
      request.on('end', send).resume();
    };
    const got = await call({ body: chatStreamRequest });
    expect([got.status, got.body.toString()]).toEqual([200, chatFrames.join('')]);
    expect(questions).toHaveLength(1);
    expect(readSent(1)).toBe(chatStreamRequest.replace('gpt-4o', 'small'));
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ requestedModel: 'gpt-4o', routedModel: 'small' });
    expect(record?.changes).toEqual([
      setToSmall,
      'request: stream_options.include_usage set',
      'request: refused, sent again without stream_options.include_usage',
    ]);
  });
});

describe('where a dialect keeps its model in the path', () => {
  const gemini = 'generativelanguage.googleapis.com';
  const generate = '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse';

  it.each([
    ['Gemini', gemini, generate, generate.replace('gemini-2.5-pro', 'small'), 'gemini-2.5-pro'],
    [
      'Azure',
      'mine.openai.azure.com',
      '/openai/deployments/big/chat/completions?api-version=2024-02-01',
      '/openai/deployments/small/chat/completions?api-version=2024-02-01',
      'big',
    ],
  ])(
    'the path of a call to %s is routed, its body sent as it is',
    async (_, host, path, routedPath, requestedModel) => {
      const questions = await openRouted(() => 'small');
      await call({ host, path, body: '{"contents":[]}' });
      expect(rig.upstream.seen[0]?.url).toBe(routedPath);
      expect(readSent()).toBe('{"contents":[]}');
      expect(questions).toMatchObject([{ requestedModel, request: { contents: [] } }]);
      const [record] = await rig.waitForRecords(1);
      expect(record).toMatchObject({ requestedModel, routedModel: 'small', changes: [setToSmall] });
      expect(record?.url).toBe(`https://${host}${path}`);
    },
  );

  it('a name that cannot stand there leaves the call as asked, with one fault', async () => {
    await openRouted(() => '../files');
    for (let i = 0; i < 3; i++) await call({ host: gemini, path: generate, body: '{"contents":[]}' });
    expect(rig.upstream.seen.map(({ url }) => url)).toEqual([generate, generate, generate]);
    expect((await rig.waitForRecords(3))[2]).toMatchObject({ routedModel: 'gemini-2.5-pro', changes: [] });
    expect(rig.faults).toHaveLength(1);
    expect(rig.faults[0]?.message).toContain('"../files"');
  });

  it("the Gemini CLI's body is routed, which names it there", async () => {
    await openRouted(() => 'small');
    const path = '/v1internal:generateContent';
    await call({ host: 'cloudcode-pa.googleapis.com', path, body: '{"model":"gemini-2.5-pro","request":{}}' });
    expect([rig.upstream.seen[0]?.url, readSent()]).toEqual([path, '{"model":"small","request":{}}']);
  });
});

describe('a router that takes long', () => {
  it('is waited for until its deadline, then the call goes as asked, with one fault', async () => {
    await openRouted(() => new Promise(() => undefined), { routerDeadlineMs: 30 });
    expect((await call()).status).toBe(200);
    expect((await call()).status).toBe(200);
    expect(readSent()).toBe(chatRequest);
    expect(rig.faults).toMatchObject([{ code: 'ROUTER_FAILED', sessionId: rig.session.session.sessionId }]);
    expect(rig.faults[0]?.message).toContain('had not answered after 30 ms');
    expect(rig.session.counts()).toMatchObject({ calls: 2, faults: 1 });
  });

  it.each(['small', new Error('the client is gone')])(
    'sends nothing for a client that has left meanwhile, and tells of no failure then: %s',
    async (end) => {
      let asked: () => void = () => undefined;
      let answer: (end: string | Promise<never>) => void = () => undefined;
      const asking = new Promise<void>((resolve) => {
        asked = resolve;
      });
      await openRouted(
        () =>
          new Promise((resolve) => {
            answer = resolve;
            asked();
          }),
      );
      const request = await startRequest({ port: rig.session.port, ca: rig.ca });
      request.on('error', () => undefined).end(chatRequest);
      await asking;
      request.destroy();
      const [record] = await rig.waitForRecords(1);
      expect(record).toMatchObject({ outcome: 'client_aborted', status: 0, routedModel: 'gpt-4o', changes: [] });
      answer(typeof end === 'string' ? end : Promise.reject(end));
      const second = await rig.openSession();
      await call({ port: second.port });
      expect(rig.upstream.seen).toHaveLength(1);
      expect([readSent(), rig.faults]).toEqual([chatRequest, []]);
    },
  );

  it('does not keep a host from closing', async () => {
    let asked: () => void = () => undefined;
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await openRouted(
      () =>
        new Promise(() => {
          asked();
        }),
      { routerDeadlineMs: 600_000 },
    );
    const cut = call().then(
      ({ complete }) => complete,
      () => false,
    );
    await asking;
    await rig.host.close();
    expect(await cut).toBe(false);
    expect(rig.upstream.seen).toEqual([]);
    expect(rig.records).toMatchObject([{ outcome: 'client_aborted' }]);
  });
});

describe('no router is asked', () => {
  it('for a thousand calls of a session that is not routed', async () => {
    const questions = await openRouted(() => 'small', { session: {} });
    const agent = makeTunnelAgent(rig.session.port, rig.ca);
    const callMany = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) await call({ agent });
    };
    await Promise.all(Array.from({ length: 10 }, callMany));
    agent.destroy();
    expect(questions).toEqual([]);
    expect(rig.upstream.seen).toHaveLength(1000);
    expect(rig.upstream.seen.every(({ body }) => body.toString() === chatRequest)).toBe(true);
  });

  it('for a routed session of a host that has none', async () => {
    rig = await openRig({ session: { routed: true } });
    expect((await call()).status).toBe(200);
    expect((await rig.waitForRecords(1))[0]).toMatchObject({ routedModel: 'gpt-4o', changes: [] });
  });

  it('for a call that names no model, nor for a request that is no call', async () => {
    const questions = await openRouted(() => 'small');
    await call({ body: '{"messages":[]}' });
    await call({ body: '{"model":7}' });
    await call({ path: '/v1/models', body: chatRequest });
    expect([questions, rig.faults]).toEqual([[], []]);
    expect(rig.upstream.seen.map(({ body }) => body.toString())).toEqual([
      '{"messages":[]}',
      '{"model":7}',
      chatRequest,
    ]);
  });

  it.each([
    ['compressed', { body: gzipSync(chatRequest), headers: { ...json, 'content-encoding': 'gzip' } }, 'is compressed'],
    ['keyed', { headers: { ...json, 'idempotency-key': 'k1' } }, 'has an Idempotency-Key'],
    [
      'over 16 MiB',
      { body: JSON.stringify({ model: 'gpt-4o', input: 'x'.repeat(17 * 1024 * 1024) }) },
      'more than 16777216 bytes',
    ],
  ])('for a request that is %s, and one fault says so', async (_, options: Partial<AskOptions>, why) => {
    const questions = await openRouted(() => 'small');
    expect((await call(options)).status).toBe(200);
    await call(options);
    const records = await rig.waitForRecords(2);
    expect(records[1]).toMatchObject({ requestedModel: 'gpt-4o', routedModel: 'gpt-4o', changes: [] });
    expect(questions).toEqual([]);
    expect(rig.upstream.seen[0]?.body.equals(Buffer.from(options.body ?? chatRequest))).toBe(true);
    expect(rig.faults).toMatchObject([{ code: 'ROUTER_FAILED' }]);
    expect(rig.faults[0]?.message).toContain('could not be routed because');
    expect(rig.faults[0]?.message).toContain(why);
  });

  it('for a path that names the model before a body that cannot be read', async () => {
    const questions = await openRouted(() => 'small');
    const path = '/v1beta/models/gemini-2.5-pro:generateContent';
    await call({ host: 'generativelanguage.googleapis.com', path, body: '{"contents":' });
    expect([questions, rig.upstream.seen[0]?.url]).toEqual([[], path]);
    expect(rig.faults[0]?.message).toMatch(/could not be routed because its body could not be read: /);
  });
});

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a router cannot be given %d ms to answer', async (ms) => {
  await openRouted(() => null);
  const opening = openHost({ home: rig.home, env: {}, routerDeadlineMs: ms });
  await expect(opening).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});
