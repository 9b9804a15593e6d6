import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { RouteDecision } from '../../src/core/routing.js';
import { ask, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatFrames, chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const json = { 'content-type': 'application/json' };

let rig: Rig;
afterEach(async () => await rig.close());

type Answer = (response: ServerResponse) => void;
const fail =
  (status: number, body = '{"error":{"message":"busy","code":"busy"}}'): Answer =>
  (response) =>
    void response.writeHead(status, json).end(body);
const succeed: Answer = (response) => void response.writeHead(200, json).end(chatReply);

/** A rig whose calls are tried with these models in turn; each is answered as it says. */
async function openFallback(answers: Readonly<Record<string, Answer>>, options: Partial<RouteDecision> = {}) {
  const [model = '', ...fallbacks] = Object.keys(answers);
  const router = () => Promise.resolve({ model, fallbacks, ...options });
  rig = await openRig({ router, session: { routed: true } });
  rig.upstream.handler = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as { model: string };
      answers[asked.model]?.(response);
    });
  };
}

const call = async (body = chatRequest) => await ask({ port: rig.session.port, ca: rig.ca, body });
const models = (): unknown[] =>
  rig.upstream.seen.map(({ body }) => (JSON.parse(body.toString()) as { model: string }).model);

describe('a call with something to fall back on', () => {
  it.each([429, 500, 503, 529])(
    'is tried again after %i, and its client sees the second reply alone',
    async (status) => {
      await openFallback({ first: fail(status), second: succeed });
      const got = await call();
      expect([got.status, got.body.toString()]).toEqual([200, chatReply]);
      expect(models()).toEqual(['first', 'second']);
      const records = await rig.waitForRecords(2);
      const failed = records.find(({ routedModel }) => routedModel === 'first');
      const passed = records.find(({ routedModel }) => routedModel === 'second');
      expect(failed).toMatchObject({
        status,
        outcome: 'http_error',
        error: { code: 'busy' },
        requestedModel: 'gpt-4o',
      });
      expect(failed?.changes).toEqual([
        'request: model set to first by the router',
        'reply: not passed on, the router had the request sent again',
      ]);
      expect(failed?.receipt).toMatchObject({ replyToClient: null });
      expect(failed?.receipt?.replyFromProvider).not.toBeNull();
      expect(passed).toMatchObject({ status: 200, outcome: 'ok', requestedModel: 'gpt-4o' });
      expect(passed?.changes).toEqual([
        `request: sent again by the router, since call ${failed?.callId} ended in ${status}`,
        'request: model set to second by the router',
      ]);
      expect(passed?.usage.inputTokens).toBe(10);
      expect(rig.session.counts()).toMatchObject({ calls: 2, faults: 0 });
    },
  );

  it('is not tried again after a 400, nor after a 200 that fails later', async () => {
    await openFallback({
      first: (response) => {
        response.writeHead(200, { ...json, 'content-length': 1000 }).write('{"id":');
        setImmediate(() => response.destroy());
      },
      second: succeed,
    });
    expect((await call()).complete).toBe(false);
    await rig.close();
    await openFallback({ first: fail(400), second: succeed });
    expect((await call()).status).toBe(400);
    expect(models()).toEqual(['first']);
    expect(await rig.waitForRecords(1)).toHaveLength(1);
  });

  it('is tried again where the connection is cut before a reply', async () => {
    await openFallback({ first: (response) => void response.socket?.destroy(), second: succeed });
    expect((await call()).body.toString()).toBe(chatReply);
    const records = await rig.waitForRecords(2);
    expect(records[0]).toMatchObject({ routedModel: 'first', outcome: 'upstream_error', status: 0 });
    expect(records[1]?.changes[0]).toContain('ended in no reply');
  });

  it('is tried again where a reply takes longer than it may to begin', async () => {
    await openFallback({ first: () => undefined, second: succeed }, { timeoutMs: 40 });
    expect((await call()).body.toString()).toBe(chatReply);
    const [late, passed] = await rig.waitForRecords(2);
    expect(late).toMatchObject({ routedModel: 'first', outcome: 'upstream_error', error: { code: 'UPSTREAM_LATE' } });
    expect(late?.latencyMs).toBeGreaterThanOrEqual(39);
    expect(passed).toMatchObject({ routedModel: 'second', outcome: 'ok' });
  });

  it('gets the last reply, when all fail, as that provider gave it', async () => {
    await openFallback({ first: fail(500), second: fail(503), third: fail(429, '{"error":{"message":"last"}}') });
    const got = await call();
    expect([got.status, got.body.toString()]).toEqual([429, '{"error":{"message":"last"}}']);
    const records = await rig.waitForRecords(3);
    expect(new Set(records.map(({ status }) => status))).toEqual(new Set([429, 500, 503]));
  });

  it('streams from the try that succeeds, asked for usage like any other', async () => {
    await openFallback({
      first: fail(503),
      second: (response) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFramesWithUsage.join('')),
    });
    expect((await call(chatStreamRequest)).body.toString()).toBe(chatFrames.join(''));
    const records = await rig.waitForRecords(2);
    expect(records.find(({ status }) => status === 200)).toMatchObject({
      stream: true,
      usage: { inputTokens: 10, outputTokens: 5 },
    });
  });

  it('passes over what cannot be sent', async () => {
    const router = () => Promise.resolve({ model: 'a', provider: 'gemini-cli-oauth', fallbacks: ['second'] });
    rig = await openRig({ router, session: { routed: true } });
    rig.upstream.handler = (request, response) => request.on('end', () => succeed(response)).resume();
    expect((await call()).status).toBe(200);
    expect(models()).toEqual(['second']);
    expect(await rig.waitForRecords(1)).toHaveLength(1);
  });

  it('ends for a client that leaves while the second try is under way', async () => {
    let arrived: () => void = () => undefined;
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await openFallback({ first: fail(500), second: () => arrived() });
    const request = await startRequest({ port: rig.session.port, ca: rig.ca });
    request.on('error', () => undefined).end(chatRequest);
    await arrival;
    request.destroy();
    const records = await rig.waitForRecords(2);
    expect(records.map(({ outcome }) => outcome).sort()).toEqual(['client_aborted', 'http_error']);
  });

  it('does not wait for the rest of a failed reply, and has its record all the same', async () => {
    await openFallback({
      first: (response) => void response.writeHead(500, { ...json, 'content-length': 1000 }).write('{"error":'),
      second: succeed,
    });
    const request = await startRequest({ port: rig.session.port, ca: rig.ca });
    request.end(chatRequest);
    expect((await waitForResponse(request)).statusCode).toBe(200);
    await rig.waitForRecords(1);
    await rig.session.close();
    expect(new Set(rig.records.map(({ status }) => status))).toEqual(new Set([200, 500]));
  });
});
