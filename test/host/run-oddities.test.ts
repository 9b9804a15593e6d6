import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { CallRecord, Outcome } from '../../src/core/call-record.js';
import type { HostOptions, SessionOptions } from '../../src/core/host.js';
import type { RunEvent } from '../../src/core/run-events.js';
import { unknownUsage } from '../../src/core/usage.js';
import { SessionRun } from '../../src/host/session-run.js';
import { ConfigTracker } from '../../src/trackers/config-tracker.js';
import { makeSessionToken } from '../../src/trackers/session-token.js';
import { ask, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const json = { 'content-type': 'application/json' };
const context = { kind: 'user', key: 'user-1' };
const runId = 'run-1';

let rig: Rig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

type Answer = (response: ServerResponse) => void;
const succeed: Answer = (response) => void response.writeHead(200, json).end(chatReply);
const stream: Answer = (response) =>
  void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFramesWithUsage.join(''));
const fail: Answer = (response) => void response.writeHead(500, json).end('{"error":{"message":"busy"}}');

async function start(session: SessionOptions = {}, options: Partial<HostOptions> = {}) {
  rig = await openRig({ ...options, session: { configKey: 'bot', runId, run: { context }, ...session } });
  const one = rig;
  const events: RunEvent[] = [];
  const outcomes: unknown[] = [];
  one.host.onEvent((event) => {
    if (event.type === 'run.tracked') events.push(event.event);
    if (event.type === 'session.closed') outcomes.push(event.outcome);
  });
  /** By the model that is asked for. */
  const answers: Record<string, Answer> = { 'gpt-4o': succeed };
  one.upstream.handler = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { model } = JSON.parse(Buffer.concat(chunks).toString()) as { model: string };
      answers[model]?.(response);
    });
  };
  const call = async (body = chatRequest) => await ask({ port: one.session.port, ca: one.ca, body });
  const said = () => events.map(({ name, value }) => [name.replace('$ld:ai:', ''), value]);
  const values = (name: string) => events.filter((event) => event.name === `$ld:ai:${name}`).map(({ value }) => value);
  const tracker = () => new ConfigTracker({ sink: one.host.sink, context, configKey: 'bot', runId });
  return { one, call, said, values, events, outcomes, answers, tracker };
}

describe('a call that a router sent again', () => {
  const router = () => Promise.resolve({ model: 'first', fallbacks: ['second'] });

  it('is a success where its last try is, also where a failed one is still being read then', async () => {
    const { one, call, values, outcomes, answers } = await start({ routed: true }, { router });
    answers.first = (response) => void response.writeHead(500, { ...json, 'content-length': 1000 }).write('{"error":');
    answers.second = succeed;
    expect((await call()).status).toBe(200);
    await one.session.close();
    const ends = one.records.map(({ startedAt, latencyMs, routedModel }) => [
      routedModel,
      Date.parse(startedAt) + latencyMs,
    ]);
    // The failed try is on record, and ended last.
    expect(ends.toSorted(([, a], [, b]) => Number(a) - Number(b)).map(([model]) => model)).toEqual(['second', 'first']);
    expect(outcomes).toEqual(['success']);
    expect(values('generation:success')).toEqual([1]);
    expect(values('tokens:total')).toEqual([15]);
  });

  it('has the time to first token of the try that was answered', async () => {
    const { one, call, values, answers } = await start({ routed: true }, { router });
    answers.first = fail;
    answers.second = stream;
    await call(chatStreamRequest);
    await one.session.close();
    const answered = one.records.find(({ routedModel }) => routedModel === 'second');
    expect(values('tokens:ttf')).toEqual([answered?.timeToFirstTokenMs]);
    expect(answered?.timeToFirstTokenMs).toBeGreaterThanOrEqual(0);
  });

  it('failed where all its tries did', async () => {
    const { one, call, outcomes, answers } = await start({ routed: true }, { router });
    answers.first = fail;
    answers.second = fail;
    await call();
    await one.session.close();
    expect(outcomes).toEqual(['error']);
  });
});

describe('a run with a budget', () => {
  it('failed where its last call was refused, whose tokens are none', async () => {
    const { one, call, values, outcomes } = await start({ budget: { maxCalls: 1 } });
    await call();
    expect((await call()).status).toBe(429);
    await one.session.close();
    expect([outcomes, values('tokens:total'), values('generation:error')]).toEqual([['error'], [15], [1]]);
    expect(values('generation:success')).toEqual([]);
  });

  it('states no tokens where all its calls were refused', async () => {
    const { one, call, said, outcomes } = await start({ budget: { maxTokens: 1 } });
    await call(JSON.stringify({ ...(JSON.parse(chatRequest) as object), max_tokens: 100 }));
    await one.session.close();
    expect(outcomes).toEqual(['error']);
    expect(said().map(([name]) => name)).toEqual(['duration:total', 'generation:error']);
  });
});

describe('the last call of a run', () => {
  const record = (startedAt: string, latencyMs: number, outcome: Outcome) =>
    ({
      ...{ startedAt, latencyMs, outcome, error: null, changes: [], toolCalls: [], provider: 'openai' },
      ...{ usage: unknownUsage, timeToFirstTokenMs: null, requestedModel: 'gpt-4o', model: null },
    }) as unknown as CallRecord;

  it('is the refusal that took less than the clock can tell', async () => {
    const { one } = await start();
    const run = new SessionRun({ ...one.session.session, configKey: 'bot' }, {});
    // It began at 10.95 ms, of which the record knows ten.
    run.note(record('2026-11-27T12:00:00.000Z', 10.9, 'ok'));
    run.note(record('2026-11-27T12:00:00.010Z', 0.2, 'http_error'));
    expect(run.decide(null)).toBe('error');
  });

  it('is not one that is recorded late, since its tokens had to be counted', async () => {
    const { one } = await start();
    const run = new SessionRun({ ...one.session.session, configKey: 'bot' }, {});
    run.note(record('2026-11-27T12:00:00.100Z', 50, 'ok'));
    run.note(record('2026-11-27T12:00:00.000Z', 20, 'upstream_aborted'));
    expect(run.decide(null)).toBe('success');
  });
});

describe('a run that is closed over a call', () => {
  it('says what had passed, and is aborted', async () => {
    const { one, answers, values, outcomes, events } = await start();
    answers['gpt-4o'] = (response) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatFramesWithUsage[0]);
    const request = await startRequest({ port: one.session.port, ca: one.ca });
    request.on('error', () => undefined).end(chatStreamRequest);
    const response = await waitForResponse(request);
    response.on('error', () => undefined);
    await once(response, 'data');
    await one.session.close();
    expect(outcomes).toEqual(['aborted']);
    expect(values('generation:error')).toEqual([1]);
    expect(events.find(({ name }) => name.endsWith('error'))?.data).toMatchObject({ outcome: 'aborted' });
    expect(values('duration:total')).toHaveLength(1);
  });

  it('takes what a caller says while it closes, or leaves it to the wire: never both', async () => {
    const { one, call, values, tracker } = await start();
    await call();
    const own = tracker();
    const closing = one.session.close();
    own.trackError();
    own.trackFeedback({ kind: 'negative' });
    await closing;
    await one.host.close();
    expect([...values('generation:success'), ...values('generation:error')]).toHaveLength(1);
    expect(values('feedback:user:negative')).toEqual([1]);
  });

  it('is known by its token while it is open, and what is said by it goes before the wire', async () => {
    const { one, call, values } = await start();
    const token = makeSessionToken(one.session.session) ?? '';
    const resumed = ConfigTracker.fromResumptionToken(token, { sink: one.host.sink, context });
    await call();
    resumed.trackDuration(3);
    await one.session.close();
    expect(values('duration:total')).toEqual([3]);
  });
});

describe('a listener', () => {
  it('that throws at each event, or asks for the end of the host from inside, stands in nobody’s way', async () => {
    const { one, call, values } = await start();
    one.host.onEvent(() => {
      throw new Error('a listener of a bad day');
    });
    let closing: Promise<void> | null = null;
    one.host.onEvent((event) => {
      if (event.type === 'run.tracked') closing ??= one.host.close();
    });
    await call();
    await one.session.close();
    await (closing as Promise<void> | null);
    expect([values('duration:total').length, values('generation:success'), values('tokens:total')]).toEqual([
      1,
      [1],
      [15],
    ]);
  });

  it('that answers each event with another does not keep session and host from closing', async () => {
    const { one, call, values } = await start();
    let echoes = 0;
    one.host.onEvent((event) => {
      if (event.type !== 'run.tracked') return;
      echoes += 1;
      one.host.sink.track('echo', context, { runId }, echoes);
    });
    one.host.sink.track('first', context, { runId }, 1);
    await call();
    await one.session.close();
    await one.host.close();
    expect(echoes).toBeGreaterThan(1);
    expect(values('duration:total')).toHaveLength(1);
  });
});

describe('what a caller says', () => {
  it('may hold half characters and a megabyte, which each sink gets as it can be written', async () => {
    const { one, events } = await start();
    const large = 'é'.repeat(1_000_000);
    one.host.sink.track('my:event', context, { runId, half: 'a\ud83c', '\udf0a': 1, large }, 1);
    await one.host.close();
    expect(events[0]?.data).toMatchObject({ large });
    expect(JSON.stringify(events[0])).toContain('large');
  });
});
