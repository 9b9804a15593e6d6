import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { BudgetLimits } from '../../src/core/budget.js';
import { type AskOptions, ask } from '../fixtures/proxy-client.js';
import { chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const json = { 'content-type': 'application/json' };

let rig: Rig;
afterEach(async () => await rig.close());

async function openBudget(budget: BudgetLimits, options: Parameters<typeof openRig>[0] = {}): Promise<void> {
  rig = await openRig({ ...options, session: { budget, ...options.session } });
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(200, json).end(chatReply)).resume();
  };
}

const call = async (options: Partial<AskOptions> = {}) =>
  await ask({ port: rig.session.port, ca: rig.ca, headers: json, body: chatRequest, ...options });
const request = (more: object) => JSON.stringify({ ...(JSON.parse(chatRequest) as object), ...more });

describe('calls at once', () => {
  it('keep room for what they may take, so that together they do not pass the limit', async () => {
    await openBudget({ maxTokens: 250 });
    const waiting: (() => void)[] = [];
    let begun: () => void = () => undefined;
    const both = new Promise<void>((resolve) => {
      begun = resolve;
    });
    rig.upstream.handler = (incoming, response) => {
      incoming
        .on('end', () => {
          waiting.push(() => response.writeHead(200, json).end(chatReply));
          if (waiting.length === 2) begun();
        })
        .resume();
    };
    const body = request({ max_tokens: 100 });
    const first = [call({ body }), call({ body })];
    await both;
    const third = await call({ body });
    expect(third.status).toBe(429);
    expect(third.body.toString()).toMatch(/budget of 250 tokens has \d+ left, and this call may take 1\d\d\./);
    for (const answer of waiting.splice(0)) answer();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    // What they took is less than what was kept for them: there is room again.
    const fourth = call({ body });
    rig.upstream.handler = (incoming, response) => {
      incoming.on('end', () => response.writeHead(200, json).end(chatReply)).resume();
    };
    expect((await fourth).status).toBe(200);
  });
});

describe('a call beyond its budget', () => {
  it('is on record as refused: nothing used, nothing to pay, nobody asked', async () => {
    await openBudget({ maxCalls: 0 });
    const got = await call();
    const [record] = await rig.waitForRecords(1);
    expect(got.status).toBe(429);
    expect(rig.upstream.seen).toEqual([]);
    expect(record).toMatchObject({
      ...{ status: 429, outcome: 'http_error', requestedModel: 'gpt-4o', cached: false, partial: false },
      error: {
        code: 'BUDGET_EXCEEDED',
        message: "llmtap refused this call: the run's budget of 0 calls is spent.",
      },
      usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
      cost: { usd: 0, problem: null },
      changes: ['reply: a refusal by the tap, the provider was not asked'],
    });
    expect(record?.receipt).toMatchObject({ requestToProvider: null, replyFromProvider: null });
    expect(rig.faults).toMatchObject([{ code: 'BUDGET_EXCEEDED', sessionId: rig.session.session.sessionId }]);
  });

  it.each([
    ['a stream', { body: chatStreamRequest }],
    ['one compressed', { body: gzipSync(chatRequest), headers: { ...json, 'content-encoding': 'gzip' } }],
    ['one with an Idempotency-Key', { headers: { ...json, 'idempotency-key': 'k' } }],
    ['one too large to be read', { body: request({ padding: 'x'.repeat(17 * 1024 * 1024) }) }],
  ])('is refused whatever it is: %s', async (_, options) => {
    await openBudget({ maxCalls: 0 });
    expect((await call(options)).status).toBe(429);
    expect(rig.upstream.seen).toEqual([]);
  });

  it('is refused by what a compressed request says it may take', async () => {
    await openBudget({ maxTokens: 1000 });
    const body = gzipSync(request({ max_tokens: 5000 }));
    const got = await call({ body, headers: { ...json, 'content-encoding': 'gzip' } });
    expect([got.status, rig.upstream.seen.length]).toEqual([429, 0]);
  });

  it('is refused by the price of the model it is routed to', async () => {
    const body = request({ max_tokens: 1000 });
    const router = { name: 'fixed', options: { model: 'gpt-4o-mini' } };
    await openBudget({ maxCostUsd: 0.005 }, { session: { router } });
    expect((await call({ body })).status).toBe(200);
    await rig.close();
    await openBudget({ maxCostUsd: 0.005 });
    expect((await call({ body })).status).toBe(429);
  });
});

describe('what is spent', () => {
  it('counts streams by the usage that the tap asks for', async () => {
    await openBudget({ maxTokens: 14 });
    rig.upstream.handler = (incoming, response) => {
      incoming
        .on('end', () =>
          response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFramesWithUsage.join('')),
        )
        .resume();
    };
    expect((await call({ body: chatStreamRequest })).status).toBe(200);
    const [record] = await rig.waitForRecords(1);
    expect(record?.usage.totalTokens).toBeGreaterThan(13);
    expect((await call({ body: chatStreamRequest })).status).toBe(429);
  });

  it('counts no tokens of a call that failed, and each try of a call as one', async () => {
    const router = async () => ({ model: 'first', fallbacks: ['second'] });
    await openBudget({ maxCalls: 3, maxTokens: 1000 }, { router, session: { routed: true } });
    rig.upstream.handler = (incoming, response) => {
      incoming
        .on('end', () => response.writeHead(rig.upstream.seen.length % 2 === 1 ? 503 : 200, json).end(chatReply))
        .resume();
    };
    expect((await call()).status).toBe(200);
    await rig.waitForRecords(2);
    // The third try is made and fails; a fourth there may not be.
    const last = await call();
    expect([last.status, rig.upstream.seen.length]).toEqual([429, 3]);
  });

  it('is that of the run, also by its sessions without a budget', async () => {
    await openBudget({ maxCalls: 2 }, { session: { runId: 'one' } });
    const other = await rig.openSession({ runId: 'one' });
    for (let i = 0; i < 2; i++) expect((await call({ port: other.port })).status).toBe(200);
    await rig.waitForRecords(2);
    expect((await call()).status).toBe(429);
    expect((await call({ port: other.port })).status).toBe(200);
  });

  it('counts of what the run did before nothing that went to nobody', async () => {
    rig = await openRig({ cache: { path: null }, session: { runId: 'one', cache: { mode: 'only' } } });
    rig.upstream.handler = (incoming, response) => {
      incoming.on('end', () => response.writeHead(200, json).end(chatReply)).resume();
    };
    for (let i = 0; i < 3; i++) expect((await call()).status).toBe(412);
    const caching = await rig.openSession({ runId: 'one', cache: { mode: 'on' } });
    for (let i = 0; i < 3; i++) expect((await call({ port: caching.port })).status).toBe(200);
    await rig.waitForRecords(6);
    const limited = await rig.openSession({ runId: 'one', budget: { maxCalls: 2 } });
    const statuses = [];
    for (let i = 0; i < 2; i++) statuses.push((await call({ port: limited.port })).status);
    expect(statuses).toEqual([200, 429]);
    expect(rig.upstream.seen).toHaveLength(2);
  });

  it('says so once where a call states no tokens, and counts what was kept', async () => {
    await openBudget({ maxTokens: 120 });
    rig.upstream.handler = (incoming, response) => {
      incoming.on('end', () => response.writeHead(200, json).end('{"id":"x","choices":[]}')).resume();
    };
    const body = request({ max_tokens: 100 });
    expect((await call({ body })).status).toBe(200);
    expect((await call({ body })).status).toBe(429);
    expect(rig.faults.map(({ code }) => code)).toEqual(['BUDGET_UNCOUNTED', 'BUDGET_EXCEEDED']);
  });
});
