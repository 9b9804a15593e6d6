import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startRequest } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { answerWith, json, openCacheRig } from './cache-rig.js';

/** A promise, and what resolves it. */
function openGate(): { readonly passed: Promise<void>; readonly pass: () => void } {
  let pass: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    pass = resolve;
  });
  return { passed, pass: () => pass() };
}

describe('a cached call of a budget', () => {
  it('takes nothing of it, and is answered also where all is spent', async () => {
    const rig = await openCacheRig({}, { session: { budget: { maxCalls: 1 } } });
    for (let i = 0; i < 3; i++) expect((await rig.call()).status).toBe(200);
    expect((await rig.waitForRecords(3)).map(({ cached }) => cached)).toEqual([false, true, true]);
    expect((await rig.call({ body: chatRequest.replace('Hi', 'Ho') })).status).toBe(429);
    expect((await rig.call()).status).toBe(200);
    expect(rig.upstream.seen).toHaveLength(1);
  });

  it('is not kept where it was refused, and has a receipt of what the client got alone', async () => {
    const rig = await openCacheRig({}, { session: { budget: { maxCalls: 0 } } });
    for (let i = 0; i < 2; i++) expect((await rig.call()).status).toBe(429);
    const records = await rig.waitForRecords(2);
    expect(records.map(({ cached, error }) => [cached, error?.code])).toEqual([
      [false, 'BUDGET_EXCEEDED'],
      [false, 'BUDGET_EXCEEDED'],
    ]);
    expect(records[0]?.receipt).toMatchObject({ replyFromProvider: null, requestToProvider: null });
    expect(records[0]?.receipt?.replyToClient).not.toBeNull();
  });

  it('tells no lie of what was changed for a provider that was not asked', async () => {
    const rig = await openCacheRig({}, { session: { budget: { maxCalls: 0 } } });
    await rig.call({ body: JSON.stringify({ ...JSON.parse(chatRequest), stream: true }) });
    const [record] = await rig.waitForRecords(1);
    expect(record?.changes).toEqual(['reply: a refusal by the tap, the provider was not asked']);
  });
});

describe('a cached call its router sends to another provider', () => {
  it('is answered from what that provider said, never from what its own did', async () => {
    let decision: object | null = null;
    const rig = await openCacheRig({}, { router: () => Promise.resolve(decision), session: { routed: true } });
    await rig.call();
    decision = { model: 'gpt-4o', provider: 'groq', apiKey: 'gsk-canary-of-the-router-123' };
    for (let i = 0; i < 2; i++) await rig.call();
    const records = await rig.waitForRecords(3);
    expect(records.map(({ provider, cached }) => [provider, cached])).toEqual([
      ['openai', false],
      ['groq', false],
      ['groq', true],
    ]);
    expect(rig.upstream.seen.map(({ servername }) => servername)).toEqual(['api.openai.com', 'api.groq.com']);
  });

  it('is not kept where the reply repeats the key of the router', async () => {
    const apiKey = 'gsk-canary-of-the-router-123';
    const decision = { model: 'm', provider: 'groq', apiKey };
    const rig = await openCacheRig({}, { router: () => Promise.resolve(decision), session: { routed: true } });
    rig.upstream.handler = answerWith(chatReply.replace('chatcmpl-1', apiKey));
    for (let i = 0; i < 2; i++) await rig.call();
    expect((await rig.waitForRecords(2)).map(({ cached }) => cached)).toEqual([false, false]);
  });
});

describe('a cached call with something to fall back on', () => {
  it('has the try that succeeded kept, under its own model', async () => {
    const decision = { model: 'first', fallbacks: ['second'] };
    const rig = await openCacheRig({}, { router: () => Promise.resolve(decision), session: { routed: true } });
    rig.upstream.handler = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const isFirst = Buffer.concat(chunks).toString().includes('"first"');
        response.writeHead(isFirst ? 503 : 200, json).end(isFirst ? '{}' : chatReply);
      });
    };
    for (let i = 0; i < 2; i++) expect((await rig.call()).body.toString()).toBe(chatReply);
    const records = await rig.waitForRecords(4);
    const told = records.map(({ routedModel, status, cached }) => `${routedModel} ${status} ${cached}`).sort();
    expect(told).toEqual(['first 503 false', 'first 503 false', 'second 200 false', 'second 200 true']);
  });

  it('has its failure told to who waits for the same when its client leaves', async () => {
    const second = openGate();
    let questions = 0;
    const router = () => {
      questions += 1;
      if (questions === 2) second.pass();
      return Promise.resolve({ model: 'first', fallbacks: ['second'] });
    };
    const rig = await openCacheRig({}, { router, session: { routed: true } });
    const arrived = openGate();
    const waiting: ServerResponse[] = [];
    rig.upstream.handler = (request, response) => {
      request
        .on('end', () => {
          if (waiting.push(response) > 1) response.writeHead(200, json).end(chatReply);
          arrived.pass();
        })
        .resume();
    };
    const leader = await startRequest({ port: rig.session.port, ca: rig.ca, headers: json });
    leader.on('error', () => undefined).end(chatRequest);
    await arrived.passed;
    const follower = rig.call();
    await second.passed;
    // Its router has answered, and it waits for the first.
    await new Promise(setImmediate);
    leader.destroy();
    await rig.waitForRecords(1);
    expect(rig.upstream.seen).toHaveLength(1);
    waiting[0]?.destroy();
    expect((await follower).body.toString()).toBe(chatReply);
  });
});
