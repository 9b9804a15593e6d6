import { afterEach, describe, expect, it } from 'vitest';
import type { TrackerEvent } from '../../src/core/events.js';
import type { OpenSession, SessionOptions } from '../../src/core/host.js';
import type { RunEvent } from '../../src/core/run-events.js';
import { openEventSink } from '../../src/host/event-sink.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { ConfigTracker } from '../../src/trackers/config-tracker.js';
import { GraphTracker } from '../../src/trackers/graph-tracker.js';
import { makeSessionToken } from '../../src/trackers/session-token.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

const context = { kind: 'user', key: 'user-1' };
const runId = 'run-1';

async function start(options: SessionOptions = {}) {
  rig = await openRig({ session: { configKey: 'bot', runId, version: 3, run: { context }, ...options } });
  const one = rig;
  const announced: TrackerEvent[] = [];
  one.host.onEvent((event) => void announced.push(event));
  one.upstream.handler = (asked, response) => {
    asked.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply)).resume();
  };
  const answer = (status: number, reply: string) => {
    one.upstream.handler = (asked, response) =>
      void asked
        .on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(reply))
        .resume();
  };
  const call = async (session: OpenSession = one.session): Promise<void> => {
    const count = one.records.length;
    await ask({ port: session.port, ca: one.ca, body: chatRequest });
    await one.waitForRecords(count + 1);
  };
  const tracked = (): RunEvent[] => announced.flatMap((event) => (event.type === 'run.tracked' ? [event.event] : []));
  const outcomes = () => announced.flatMap((event) => (event.type === 'session.closed' ? [event.outcome] : []));
  const tracker = () => new ConfigTracker({ sink: one.host.sink, context, configKey: 'bot', runId, version: 3 });
  const stored = () => {
    const ledger = openLedgerReader({ home: one.home });
    try {
      return [...ledger.listEvents({})];
    } finally {
      ledger.close();
    }
  };
  return { one, call, answer, tracked, outcomes, tracker, stored };
}

const tokenOf = ({ session }: OpenSession): string => makeSessionToken(session) ?? '';
const names = (events: readonly RunEvent[]) => events.map(({ name }) => name.replace('$ld:ai:', ''));
const toolReply = JSON.stringify({
  ...(JSON.parse(chatReply) as object),
  choices: [
    {
      index: 0,
      finish_reason: 'tool_calls',
      message: {
        role: 'assistant',
        tool_calls: ['search', 'weather', 'search'].map((name, at) => ({
          id: `call_${at}`,
          type: 'function',
          function: { name, arguments: '{}' },
        })),
      },
    },
  ],
});

describe('the session of a config', () => {
  it('tells what the wire saw when it closes, once, in order, with the payload of a tracker', async () => {
    const { one, call, answer, tracked, outcomes, stored } = await start();
    await call();
    answer(200, toolReply);
    await call();
    expect(tracked()).toEqual([]);
    await one.session.close();
    await one.session.close();
    const events = tracked();
    expect(names(events)).toEqual([
      ...['duration:total', 'generation:success', 'tokens:total', 'tokens:input', 'tokens:output'],
      ...['tool_call', 'tool_call', 'tool_call'],
    ]);
    expect(events.map(({ value }) => value).slice(1)).toEqual([1, 30, 20, 10, 1, 1, 1]);
    const [first, second] = one.records;
    const payload = {
      runId,
      configKey: 'bot',
      version: 3,
      modelName: 'gpt-4o',
      providerName: 'openai',
      modelVersion: 1,
    };
    expect(JSON.stringify(events[0]?.data)).toBe(JSON.stringify(payload));
    expect(events[5]).toMatchObject({ callId: second?.callId, data: { ...payload, toolKey: 'search' } });
    expect(new Set(events.map(({ source, sessionId }) => `${source} ${sessionId}`))).toEqual(
      new Set([`wire ${one.session.session.sessionId}`]),
    );
    expect(events[0]?.context).toEqual(context);
    expect(events[0]?.value).toBeGreaterThanOrEqual(Math.max(first?.latencyMs ?? 0, second?.latencyMs ?? 0));
    expect(outcomes()).toEqual(['success']);
    expect(stored()).toEqual(events.map((event) => ({ seq: expect.any(Number) as number, ...event })));
  });

  it('leaves to the caller what the caller says, by a tracker or from its token', async () => {
    const { one, call, tracked, tracker } = await start();
    await call();
    const own = tracker();
    own.trackDuration(7);
    own.trackTokens({ total: 1, input: 1, output: 0 });
    own.trackToolCall('mine');
    const resumed = ConfigTracker.fromResumptionToken(own.resumptionToken, { sink: one.host.sink, context });
    resumed.trackError();
    await one.session.close();
    expect(names(tracked()).sort()).toEqual(
      ['duration:total', 'generation:error', 'tokens:input', 'tokens:total', 'tool_call'].sort(),
    );
    expect(tracked().every(({ source }) => source === 'caller')).toBe(true);
  });

  it('ended as its caller said, whatever its calls were, also where it made none', async () => {
    const { one, call, answer, outcomes, tracker } = await start();
    await call();
    tracker().trackError();
    await one.session.close();
    const open = async (id: string) => await one.host.openSession({ configKey: 'bot', runId: id, run: { context } });
    const say = (id: string) => new ConfigTracker({ sink: one.host.sink, context, configKey: 'bot', runId: id });
    const idle = await open('run-2');
    say('run-2').trackSuccess();
    await idle.close();
    answer(500, '{}');
    const recovered = await open('run-3');
    await call(recovered);
    say('run-3').trackSuccess();
    await recovered.close();
    expect(outcomes()).toEqual(['error', 'success', 'success']);
  });

  it('is not told by what was said of another config under the same run id', async () => {
    const { one, call, tracked, tracker } = await start();
    const other = await one.openSession({ configKey: 'judge', runId, run: { context } });
    await call();
    tracker().trackSuccess();
    await call(other);
    await other.close();
    await one.session.close();
    new ConfigTracker({ sink: one.host.sink, context, configKey: 'third', runId }).trackError();
    await one.host.close();
    const outcomes = tracked().filter(({ name }) => name.includes('generation'));
    expect(outcomes.map(({ data, source }) => [(data as { configKey?: unknown }).configKey, source])).toEqual([
      ['bot', 'caller'],
      ['judge', 'wire'],
      ['third', 'caller'],
    ]);
  });

  it('leaves to a caller of another process what that one says by the token', async () => {
    const { one, call, answer, outcomes, stored } = await start();
    answer(200, toolReply);
    await call();
    const other = await openEventSink({ home: one.home });
    const token = tokenOf(one.session);
    const elsewhere = ConfigTracker.fromResumptionToken(token, { sink: other, context });
    elsewhere.trackToolCall('search');
    elsewhere.trackError();
    await other.close();
    await one.session.close();
    await one.host.close();
    const said = stored().filter(({ name }) => name.endsWith('tool_call') || name.includes('generation'));
    expect(said.map(({ name, source }) => [name.replace('$ld:ai:', ''), source])).toEqual([
      ['tool_call', 'caller'],
      ['generation:error', 'caller'],
    ]);
    expect(outcomes()).toEqual(['error']);
  });

  it('does not let a fact be stated after the wire has', async () => {
    const { one, call, tracked, tracker } = await start();
    await call();
    await one.session.close();
    const count = tracked().length;
    const late = tracker();
    late.trackError();
    late.trackDuration(1);
    late.trackFeedback({ kind: 'positive' });
    await one.host.close();
    expect(names(tracked()).slice(count)).toEqual(['feedback:user:positive']);
  });

  it.each([
    ['of no call states nothing', { calls: 0, end: {}, outcome: 'empty', said: [] }],
    ['of no call that failed states that', { calls: 0, end: { exitCode: 1 }, outcome: 'error', said: ['error'] }],
    ['whose program failed is an error', { calls: 1, end: { exitCode: 3 }, outcome: 'error', said: ['error'] }],
    [
      'whose program was interrupted is aborted',
      { calls: 1, end: { exitCode: 130 }, outcome: 'aborted', said: ['error'] },
    ],
    ['whose work threw is an error', { calls: 1, end: { verdict: 'error' }, outcome: 'error', said: ['error'] }],
    [
      'whose work went well is a success',
      { calls: 1, end: { verdict: 'success' }, outcome: 'success', said: ['success'] },
    ],
  ] as const)('%s', async (_, { calls, end, outcome, said }) => {
    const { one, call, tracked, outcomes } = await start();
    for (let at = 0; at < calls; at += 1) await call();
    await one.session.close(end);
    expect(outcomes()).toEqual([outcome]);
    expect(names(tracked()).filter((name) => name.startsWith('generation'))).toEqual(
      said.map((name) => `generation:${name}`),
    );
    if (calls === 0) expect(tracked()).toHaveLength(said.length);
    const error = tracked().find(({ name }) => name.endsWith('error'));
    if (error !== undefined) expect('outcome' in (error.data as object)).toBe(outcome === 'aborted');
  });

  it('is no success when its last call failed, and one when a failed call was made again', async () => {
    const { one, call, answer, outcomes } = await start();
    answer(429, '{"error":{"message":"slow down","type":"rate_limit"}}');
    await call();
    const again = await one.openSession({ configKey: 'bot', runId: 'run-2' });
    await call(again);
    answer(200, chatReply);
    await call(again);
    await one.session.close({ verdict: 'success' });
    await again.close({ verdict: 'success' });
    expect(outcomes()).toEqual(['error', 'success']);
  });

  it('says of how many calls the tokens are not known', async () => {
    const { one, call, answer, tracked } = await start();
    await call();
    answer(200, JSON.stringify({ ...(JSON.parse(chatReply) as object), usage: undefined }));
    await call();
    await one.session.close();
    const tokens = tracked().filter(({ name }) => name.includes('tokens'));
    expect(tokens.map(({ value, data }) => [value, (data as { unknownCalls?: number }).unknownCalls])).toEqual([
      [15, 1],
      [10, 1],
      [5, 1],
    ]);
  });

  it('is for nobody without a config key', async () => {
    const { one, call, tracked, outcomes } = await start({ configKey: null });
    await call();
    await one.session.close();
    expect([tracked(), outcomes()]).toEqual([[], [null]]);
  });

  it('states each fact once in all sessions of its run, where that is asked', async () => {
    const { one, call, tracked } = await start({ run: { context, dedupe: 'run' } });
    const second = await one.openSession({ configKey: 'bot', runId, run: { context, dedupe: 'run' } });
    await call();
    await call(second);
    await Promise.all([one.session.close(), second.close()]);
    const all = names(tracked());
    expect(all.toSorted()).toEqual(
      ['duration:total', 'generation:success', 'tokens:input', 'tokens:output', 'tokens:total'].toSorted(),
    );
    expect(
      new Set(
        tracked()
          .filter(({ name }) => name.includes('tokens'))
          .map(({ sessionId }) => sessionId),
      ).size,
    ).toBe(1);
  });
});

describe('the sink of a host', () => {
  it('keeps and announces what it is given, secrets removed and `key` left as it is', async () => {
    const secret = 'sk-proj-canary00000000000000000000000000000002';
    rig = await openRig({ env: { MY_TOKEN: 'plain-secret-of-mine' } });
    const events: RunEvent[] = [];
    rig.host.onEvent((event) => event.type === 'run.tracked' && events.push(event.event));
    const given = { key: `user ${secret}`, nested: ['plain-secret-of-mine', 1, null, { key: 'kept' }] };
    rig.host.sink.track('my:event', given, { api_key: 'short', text: secret }, Number.POSITIVE_INFINITY);
    rig.host.sink.track('my:event', context, 'a bare text', 2);
    await rig.host.close();
    expect(events.map(({ value, data }) => [value, data])).toEqual([
      [null, { api_key: '[redacted:api-key]', text: expect.stringMatching(/^\[redacted:/) as string }],
      [2, 'a bare text'],
    ]);
    expect(JSON.stringify(events)).not.toMatch(/sk-proj|plain-secret/);
    expect(events[0]?.context).toMatchObject({
      nested: [expect.stringContaining('redacted'), 1, null, { key: 'kept' }],
    });
  });

  it('masks what a name gives away, in contexts and data, and names that are secrets', async () => {
    const secret = 'sk-proj-canary00000000000000000000000000000003';
    rig = await openRig();
    const events: RunEvent[] = [];
    rig.host.onEvent((event) => event.type === 'run.tracked' && events.push(event.event));
    const user = { ...context, authorization: 'Basic dXNlcjpwYXNz', account: { apiKey: 'hunter2hunter2' } };
    rig.host.sink.track('my:event', user, { [secret]: 1, configKey: 'my-config', password: 'correct horse' }, 1);
    await rig.host.close();
    expect(events[0]).toMatchObject({ context, data: { configKey: 'my-config', '[redacted:api-key]': 1 } });
    expect(JSON.stringify(events)).not.toMatch(/canary|dXNlc|hunter2|correct horse/);
  });

  it('refuses what is no JSON, or more than an event is', async () => {
    rig = await openRig();
    const { sink } = rig.host;
    const itself: { self?: object } = {};
    itself.self = itself;
    for (const data of [itself, 1n, 'x'.repeat(5_000_000)]) {
      expect(() => sink.track('e', context, data, 1)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
    const user = { kind: 'user', key: 'x'.repeat(70_000) };
    expect(() => sink.track('e', user, {}, 1)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('keeps the path of a graph’s run that went 10,000 steps', async () => {
    rig = await openRig();
    const { host } = rig;
    const events: RunEvent[] = [];
    host.onEvent((event) => void (event.type === 'run.tracked' && events.push(event.event)));
    const path = Array.from({ length: 10_000 }, (_, at) => `node-of-the-graph-${at}`);
    new GraphTracker({ sink: host.sink, context, graphKey: 'support' }).trackPath(path);
    await host.close();
    expect(events.map(({ data }) => (data as { path?: unknown }).path)).toEqual([path]);
  });
});
