/**
 * T1 to T7 of the acceptance list (`agentopt-behaviours.test.ts` tells what that is), over real sockets: a router is asked
 * for the model of every call of a routed session. T8, of a program, stands in `test/e2e/routed-run.test.ts`, T9, of a
 * router that cannot be described, in `test/tracker/routers.test.ts`.
 */
import { afterEach, expect, it } from 'vitest';
import type { CacheUse } from '../../src/core/response-cache.js';
import type { RouteQuestion, RouterDescription } from '../../src/core/routing.js';
import { ask } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}';
const reply = '{"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}';

let rig: Rig;
afterEach(async () => await rig.close());

async function askRouted(answer: () => unknown) {
  const questions: RouteQuestion[] = [];
  const router = async (question: RouteQuestion): Promise<unknown> => {
    questions.push(question);
    return answer();
  };
  rig = await openRig({ router, session: { routed: true } });
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(reply)).resume();
  };
  const got = await ask({ port: rig.session.port, ca: rig.ca, body });
  expect([got.status, got.body.toString()]).toEqual([200, reply]);
  const [record] = await rig.waitForRecords(1);
  return { questions, record, sent: rig.upstream.seen[0]?.body.toString() };
}

it('T1 tells the router the model asked for and the provider', async () => {
  const { questions } = await askRouted(() => null);
  expect(questions).toMatchObject([{ requestedModel: 'gpt-4o', provider: 'openai', api: 'chat.completions' }]);
});

it.each([null, undefined])('T2 asks once and sends the body unchanged when the answer is %s', async (answer) => {
  const { questions, record, sent } = await askRouted(() => answer);
  expect(questions).toHaveLength(1);
  expect(sent).toBe(body);
  expect(record).toMatchObject({ requestedModel: 'gpt-4o', routedModel: 'gpt-4o', changes: [] });
  expect(rig.faults).toEqual([]);
});

it('T3 sends the model chosen, having told the one asked for and the session, and has both on record', async () => {
  const { questions, record, sent } = await askRouted(() => 'gpt-4o-mini');
  expect(sent).toBe(body.replace('gpt-4o', 'gpt-4o-mini'));
  const { sessionId } = rig.session.session;
  expect(questions).toEqual([
    { sessionId, provider: 'openai', api: 'chat.completions', requestedModel: 'gpt-4o', request: JSON.parse(body) },
  ]);
  expect(record).toMatchObject({
    sessionId,
    requestedModel: 'gpt-4o',
    routedModel: 'gpt-4o-mini',
    model: 'gpt-4o-mini',
    changes: ['request: model set to gpt-4o-mini by the router'],
  });
});

it('T4 sends the model asked for when the router throws', async () => {
  const { record, sent } = await askRouted(() => {
    throw new TypeError('no budget left');
  });
  expect(sent).toBe(body);
  expect(record).toMatchObject({ status: 200, routedModel: 'gpt-4o', changes: [] });
  expect(rig.faults).toMatchObject([{ code: 'ROUTER_FAILED', sessionId: rig.session.session.sessionId }]);
  expect(rig.faults[0]?.message).toContain('TypeError: no budget left');
});

it.each([42, true, { name: 'gpt-4o-mini' }, ['gpt-4o-mini'], ''])('T5 ignores the answer %j', async (answer) => {
  const { record, sent } = await askRouted(() => answer);
  expect(sent).toBe(body);
  expect(record).toMatchObject({ status: 200, routedModel: 'gpt-4o', changes: [] });
  expect(rig.faults).toMatchObject([{ code: 'ROUTER_FAILED' }]);
});

/** A rig whose session has a router of llmtap's own, and the models that are asked for so many calls. */
async function askDescribed(router: RouterDescription, times: number, cache?: CacheUse): Promise<unknown[]> {
  rig = await openRig({ cache: { path: null }, session: { router, ...(cache !== undefined && { cache }) } });
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(reply)).resume();
  };
  for (let i = 0; i < times; i++) await ask({ port: rig.session.port, ca: rig.ca, body });
  await rig.waitForRecords(times);
  return rig.upstream.seen.map(({ body: sent }) => (JSON.parse(sent.toString()) as { model: unknown }).model);
}

it('T6 sends models among the candidates alone, by a random router with the seed 42', async () => {
  const candidates = ['gpt-4o', 'gpt-4o-mini'];
  const models = await askDescribed({ name: 'random', options: { candidates, seed: 42 } }, 20);
  expect(new Set(models)).toEqual(new Set(candidates));
});

it('T7 sends the same request to one model and the other in turn, and each but once where replies are kept', async () => {
  const models = await askDescribed({ name: 'roundRobin', options: { candidates: ['a', 'b'] } }, 4, { mode: 'on' });
  expect(models).toEqual(['a', 'b']);
  expect(rig.records.map(({ routedModel, cached }) => [routedModel, cached])).toEqual([
    ['a', false],
    ['b', false],
    ['a', true],
    ['b', true],
  ]);
});
