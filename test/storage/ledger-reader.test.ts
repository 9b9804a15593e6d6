import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallRecord, JsonValue } from '../../src/core/call-record.js';
import { unknownCost } from '../../src/core/cost.js';
import type { CallFilter } from '../../src/core/ledger.js';
import { openReadable } from '../../src/storage/database.js';
import { makeCondition } from '../../src/storage/filters.js';
import { makeCallsSql } from '../../src/storage/ledger-queries.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { openLedgerWriter } from '../../src/storage/ledger-writer.js';
import { at, makeCall, makeHome, makeSession } from './records.js';

const unexpected = (fault: unknown): never => {
  throw new Error(`unexpected fault ${JSON.stringify(fault)}`);
};

/** A home holding these calls, and a reader of it. */
async function store(
  calls: readonly CallRecord[],
): Promise<{ home: string; reader: ReturnType<typeof openLedgerReader> }> {
  const home = makeHome();
  const writer = openLedgerWriter({ home, onFault: unexpected });
  for (const call of calls) writer.saveCall(call);
  await writer.close();
  return { home, reader: openLedgerReader({ home }) };
}

const counts = { calls: 2, passedRequests: 1, tunnels: 3, tunnelBytes: 4, upgrades: 5, faults: 6 };

describe('the ledger', () => {
  it('gives back every field of a record as it was saved', async () => {
    const full = makeCall({
      configKey: 'config',
      variationKey: 'v',
      version: 3,
      graphKey: 'g',
      graphRunId: 'gr',
      dataId: 'd',
      comboId: 'c',
      agentId: 'a',
      stream: true,
      cached: true,
      status: 429,
      outcome: 'http_error',
      usageProblem: 'none stated',
      timeToFirstTokenMs: 11.125,
      toolCalls: ['search', 'search'],
      wireSession: { 'session-id': 'abc' },
      changes: ['stream_options.include_usage'],
      error: { code: 'rate_limit', message: 'slow down' },
      requestBody: { messages: [{ content: 'hi \u0000 \u2028 ü 🎉' }] },
      responseBody: 'text, not JSON',
      usage: {
        inputTokens: 0,
        outputTokens: null,
        cacheReadTokens: 1,
        cacheWriteTokens: 2,
        reasoningTokens: 3,
        totalTokens: 4,
      },
    });
    const bare = makeCall({
      model: null,
      requestId: null,
      responseId: null,
      timeToFirstByteMs: null,
      startedAt: at(1),
    });
    const { reader } = await store([full, bare]);
    expect([...reader.listCalls({}, { bodies: true })]).toEqual([full, bare]);
    expect(reader.requireCall(full.callId)).toEqual(full);
    expect([...reader.listCalls({})][0]).toEqual({ ...full, requestBody: null, responseBody: null });
    reader.close();
  });

  it('gives back any JSON body', async () => {
    const home = makeHome();
    const writer = openLedgerWriter({ home, onFault: unexpected });
    const reader = openLedgerReader({ home });
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.string({ unit: 'binary' }), async (requestBody, responseBody) => {
        const call = makeCall({ requestBody: requestBody as JsonValue, responseBody });
        writer.saveCall(call);
        await writer.flush(1000);
        const kept = reader.requireCall(call.callId);
        expect(JSON.stringify([kept.requestBody, kept.responseBody])).toBe(JSON.stringify([requestBody, responseBody]));
      }),
      { numRuns: 100 },
    );
    reader.close();
    await writer.close();
  });

  it('lists calls oldest first, those of one instant in the order they were saved, over page boundaries', async () => {
    const calls = Array.from({ length: 600 }, (_, i) =>
      makeCall({ startedAt: at(Math.floor((600 - i) / 300)), model: `m${i}` }),
    );
    const { reader } = await store(calls);
    const expected = calls.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt)).map(({ model }) => model);
    expect([...reader.listCalls({})].map(({ model }) => model)).toEqual(expected);
    expect([...reader.listCalls({}, { limit: 259 })].map(({ model }) => model)).toEqual(expected.slice(0, 259));
    expect([...reader.listCalls({}, { limit: 0 })]).toEqual([]);
    reader.close();
  });

  it('lists lazily and lets the connection close half way', async () => {
    const { reader } = await store(Array.from({ length: 20 }, () => makeCall()));
    for (const call of reader.listCalls({}, { bodies: true })) {
      expect(reader.requireCall(call.callId).callId).toBe(call.callId);
      break;
    }
    const iterator = reader.listCalls({})[Symbol.iterator]();
    iterator.next();
    expect(() => reader.close()).not.toThrow();
  });

  it('filters by every id, and for null by its absence', async () => {
    const filters: readonly CallFilter[] = [
      { runId: 'run-2' },
      { sessionId: 'sess_2' },
      { configKey: 'k' },
      { graphKey: 'g' },
      { dataId: 'd' },
      { comboId: 'c' },
      { agentId: 'a' },
    ];
    const calls = [makeCall(), ...filters.map((filter) => makeCall(filter as Partial<CallRecord>))];
    const { reader } = await store(calls);
    for (const [i, filter] of filters.entries()) {
      expect([...reader.listCalls(filter)].map(({ callId }) => callId)).toEqual([calls[i + 1]?.callId]);
    }
    expect([...reader.listCalls({ configKey: null })]).toHaveLength(7);
    expect([...reader.listCalls({ configKey: null, runId: 'run-2' })]).toHaveLength(1);
    expect([...reader.listCalls({ configKey: 'k', runId: 'run-2' })]).toHaveLength(0);
    reader.close();
  });

  it.each([
    [{ runId: 'r' }, 'calls_by_run'],
    [{ sessionId: 's' }, 'calls_by_session'],
    [{ configKey: 'k' }, 'calls_by_config'],
    [{ graphKey: 'g' }, 'calls_by_graph'],
    [{ dataId: 'd' }, 'calls_by_data'],
    [{}, 'calls_by_start'],
  ] as const)('answers %j from its index, in order, without sorting', async (filter, index) => {
    const { home } = await store([makeCall()]);
    const db = openReadable(`${home}/llmtap.db`, 100);
    const { sql, values } = makeCondition(filter);
    for (const bodies of [true, false]) {
      const plan = db?.prepare(`EXPLAIN QUERY PLAN ${makeCallsSql(sql, bodies)}`).all(...values, '', 0, 10);
      const steps = JSON.stringify(plan);
      expect(steps).toContain(`USING INDEX ${index} `);
      expect(steps).not.toContain('TEMP B-TREE');
      expect(steps).not.toContain('SCAN');
    }
    db?.close();
  });

  it('finds a call and a run by an unambiguous beginning only', async () => {
    const calls = ['abcd-1111', 'abcd-2222', 'abce-3333'].map((callId, i) =>
      makeCall({ callId, runId: `run-${i}0`, startedAt: at(i) }),
    );
    const { reader } = await store([...calls, makeCall({ runId: 'run-1' }), makeCall({ runId: 'latest-of-all' })]);
    expect(reader.requireCall('abcd-1').callId).toBe('abcd-1111');
    for (const id of ['abcd', 'abc', 'zzzz', '', '%', 'abc_']) {
      expect(() => reader.requireCall(id)).toThrowError(expect.objectContaining({ code: 'RECORD_NOT_FOUND' }));
    }
    expect(() => reader.requireCall('abcd')).toThrowError(/abcd-1111, abcd-2222/);
    expect(reader.requireRunId('run-1')).toBe('run-1');
    expect(reader.requireRunId('run-2')).toBe('run-20');
    expect(reader.requireRunId('latest')).toBe('run-20');
    for (const id of ['run', '', 'zzz']) {
      expect(() => reader.requireRunId(id)).toThrowError(expect.objectContaining({ code: 'RUN_NOT_FOUND' }));
    }
    reader.close();
  });

  it('takes latest for the last call, and says so when there is none or what was given is too short', async () => {
    const calls = [makeCall({ startedAt: at(5) }), makeCall({ startedAt: at(9) }), makeCall({ startedAt: at(7) })];
    const { reader } = await store(calls);
    expect(reader.requireCall('latest').callId).toBe(calls[1]?.callId);
    expect(() => reader.requireCall('008')).toThrowError(/"008": that is too short, it takes at least four/);
    reader.close();
    const empty = openLedgerReader({ home: makeHome() });
    expect(() => empty.requireCall('latest')).toThrowError(/the latest call: nothing is on record yet/);
    expect(() => empty.requireRunId('latest')).toThrowError(/the latest run: nothing is on record yet/);
  });

  it('finds a session by an unambiguous beginning, also one that only its calls are left of', async () => {
    const home = makeHome();
    const writer = openLedgerWriter({ home, onFault: unexpected });
    for (const sessionId of ['sess_aa', 'sess_ab']) writer.saveSessionOpened(makeSession({ sessionId }));
    writer.saveCall(makeCall({ sessionId: 'sess_b1' }));
    await writer.close();
    const reader = openLedgerReader({ home });
    expect(reader.requireSessionId('sess_aa')).toBe('sess_aa');
    expect(reader.requireSessionId('sess_b')).toBe('sess_b1');
    for (const id of ['sess_a', 'sess_zz', '']) {
      expect(() => reader.requireSessionId(id), id).toThrowError(expect.objectContaining({ code: 'RECORD_NOT_FOUND' }));
    }
    reader.close();
  });

  it('does not take what may not be looked at for nothing', async () => {
    const file = join(makeHome(), 'file');
    writeFileSync(file, '');
    const reader = openLedgerReader({ home: file });
    const refused = expect.objectContaining({ code: 'STORE_UNOPENABLE', hint: expect.any(String) });
    const questions = [
      () => reader.listRuns(),
      () => [...reader.listCalls({})],
      () => reader.summarise({}),
      () => reader.info(),
      () => reader.planPrune({ bodiesOnly: true }),
      () => reader.prune({ bodiesOnly: true }),
    ];
    for (const ask of questions) expect(ask).toThrowError(refused);
  });

  it('reads as empty while there is no file, and sees the file once it is there', async () => {
    const home = makeHome();
    const reader = openLedgerReader({ home });
    expect(reader.listRuns()).toEqual([]);
    expect([...reader.listCalls({})]).toEqual([]);
    expect(reader.summarise({})).toEqual({ models: [], calls: 0, errors: 0, refusedCalls: 0, counts: null });
    expect(reader.listFaults({})).toEqual([]);
    expect(reader.info()).toMatchObject({ bytes: 0, calls: 0, oldest: null });
    expect(reader.prune({ before: at(0) })).toEqual({ calls: 0, bodies: 0, bytesBefore: 0, bytesAfter: 0 });
    expect(() => reader.requireRunId('latest')).toThrowError(expect.objectContaining({ code: 'RUN_NOT_FOUND' }));
    const writer = openLedgerWriter({ home, onFault: unexpected });
    writer.saveCall(makeCall());
    await writer.flush(1000);
    expect([...reader.listCalls({})]).toHaveLength(1);
    reader.close();
    reader.close();
    await writer.close();
  });
});

describe('runs', () => {
  it('tell what a run was, the newest first, also of runs without calls and calls without a session', async () => {
    const home = makeHome();
    const writer = openLedgerWriter({ home, onFault: unexpected });
    writer.saveSessionOpened(makeSession({ configKey: 'cfg', graphKey: 'graph' }));
    writer.saveCall(makeCall({ startedAt: at(1), model: 'b', cost: { ...unknownCost, usd: 0.25 } }));
    writer.saveCall(
      makeCall({
        startedAt: at(2),
        model: 'a',
        outcome: 'http_error',
        error: { code: 'HTTP_STATUS', message: 'HTTP 500' },
        usage: { ...makeCall().usage, outputTokens: null },
      }),
    );
    writer.saveSessionClosed('sess_000000000001', { endedAt: at(9), counts, exitCode: 3 });
    writer.saveSessionOpened(makeSession({ sessionId: 'sess_2', runId: 'run-2', openedAt: at(20), command: null }));
    writer.saveCall(makeCall({ runId: 'run-0', sessionId: 'gone', startedAt: at(-5), model: null }));
    await writer.flush(1000);
    const reader = openLedgerReader({ home });
    expect(reader.listRuns()).toEqual([
      {
        runId: 'run-2',
        startedAt: at(20),
        endedAt: null,
        command: null,
        exitCode: null,
        sessions: 1,
        calls: 0,
        errors: 0,
        models: [],
        inputTokens: null,
        outputTokens: null,
        unknownUsage: 0,
        costUsd: { known: null, unknownCalls: 0 },
        cachedCalls: 0,
        savedUsd: { known: null, unknownCalls: 0 },
        configKey: null,
        graphKey: null,
        outcome: null,
      },
      {
        runId: 'run-1',
        startedAt: at(0),
        endedAt: at(9),
        command: ['agent', '--fast'],
        exitCode: 3,
        sessions: 1,
        calls: 2,
        errors: 1,
        models: ['b', 'a'],
        inputTokens: 20,
        outputTokens: 5,
        unknownUsage: 1,
        costUsd: { known: 0.25, unknownCalls: 1 },
        cachedCalls: 0,
        savedUsd: { known: null, unknownCalls: 0 },
        configKey: 'cfg',
        graphKey: 'graph',
        outcome: null,
      },
      {
        runId: 'run-0',
        startedAt: at(-5),
        endedAt: null,
        command: null,
        exitCode: null,
        sessions: 0,
        calls: 1,
        errors: 0,
        models: [],
        inputTokens: 10,
        outputTokens: 5,
        unknownUsage: 0,
        costUsd: { known: null, unknownCalls: 1 },
        cachedCalls: 0,
        savedUsd: { known: null, unknownCalls: 0 },
        configKey: null,
        graphKey: null,
        outcome: null,
      },
    ]);
    expect(reader.listRuns({ limit: 1 }).map(({ runId }) => runId)).toEqual(['run-2']);
    expect(reader.info()).toMatchObject({
      calls: 3,
      runs: 3,
      oldest: at(-5),
      newest: at(2),
      bodyBytes: 0,
      schemaVersion: 5,
    });
    reader.close();
    await writer.close();
  });
});

describe('summaries', () => {
  it('add up what is known and say how many calls did not tell', async () => {
    const unknown = {
      inputTokens: null,
      outputTokens: null,
      cacheReadTokens: null,
      cacheWriteTokens: null,
      reasoningTokens: null,
      totalTokens: null,
    };
    // Also that of a call whose stream had status 200 and stated an error.
    const error = { code: 'overloaded_error', message: 'Overloaded' };
    const { reader } = await store([
      makeCall({
        latencyMs: 10,
        timeToFirstTokenMs: 4,
        cached: true,
        cachedLatencyMs: 900,
        cost: { ...unknownCost, usd: 0, savedUsd: 5 },
      }),
      makeCall({
        ...{ latencyMs: 30, timeToFirstTokenMs: 8, usage: { ...makeCall().usage, reasoningTokens: 7 } },
        cost: { ...unknownCost, usd: 0.1 },
      }),
      makeCall({ latencyMs: 20, usage: unknown, outcome: 'upstream_aborted', error }),
      makeCall({ latencyMs: 40, error: { ...error, code: 'BUDGET_EXCEEDED' }, cost: { ...unknownCost, usd: 0.2 } }),
      makeCall({ model: null, provider: 'groq', latencyMs: 5, usage: unknown, outcome: 'upstream_error', error }),
    ]);
    const { models, ...rest } = reader.summarise({});
    expect(rest).toEqual({ calls: 5, errors: 3, refusedCalls: 1, counts: null });
    expect(models).toEqual([
      {
        model: 'gpt-4o',
        provider: 'openai',
        calls: 4,
        errors: 2,
        cachedCalls: 1,
        saved: {
          inputTokens: { known: 10, unknownCalls: 0 },
          outputTokens: { known: 5, unknownCalls: 0 },
          usd: { known: 5, unknownCalls: 0 },
          latencyMs: 900,
        },
        inputTokens: { known: 30, unknownCalls: 1 },
        cacheReadTokens: { known: null, unknownCalls: 4 },
        cacheWriteTokens: { known: null, unknownCalls: 4 },
        outputTokens: { known: 15, unknownCalls: 1 },
        reasoningTokens: { known: 7, unknownCalls: 3 },
        totalTokens: { known: 45, unknownCalls: 1 },
        // Neither 0.30000000000000004 nor what the cache saved.
        costUsd: { known: 0.3, unknownCalls: 1 },
        latencyP50Ms: 25,
        latencyMaxMs: 40,
        timeToFirstTokenP50Ms: 6,
      },
      expect.objectContaining({
        model: null,
        provider: 'groq',
        calls: 1,
        errors: 1,
        latencyP50Ms: 5,
        timeToFirstTokenP50Ms: null,
        inputTokens: { known: null, unknownCalls: 1 },
        costUsd: { known: null, unknownCalls: 1 },
      }),
    ]);
    reader.close();
  });

  it('find the exact median', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 20 }),
        async (latencies) => {
          const { reader } = await store(latencies.map((latencyMs) => makeCall({ latencyMs })));
          const sorted = latencies.toSorted((a, b) => a - b);
          const middle = [sorted[Math.floor((sorted.length - 1) / 2)] ?? 0, sorted[Math.floor(sorted.length / 2)] ?? 0];
          expect(reader.summarise({}).models[0]?.latencyP50Ms).toBe(((middle[0] ?? 0) + (middle[1] ?? 0)) / 2);
          reader.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  it('sum the counts of the sessions that have ended, of the run asked for', async () => {
    const home = makeHome();
    const writer = openLedgerWriter({ home, onFault: unexpected });
    for (const sessionId of ['sess_1', 'sess_2', 'sess_open']) writer.saveSessionOpened(makeSession({ sessionId }));
    writer.saveSessionOpened(makeSession({ sessionId: 'sess_other', runId: 'run-2' }));
    for (const id of ['sess_1', 'sess_2', 'sess_other'])
      writer.saveSessionClosed(id, { endedAt: at(1), counts, exitCode: null });
    await writer.flush(1000);
    const reader = openLedgerReader({ home });
    expect(reader.summarise({ runId: 'run-1' }).counts).toEqual({
      calls: 4,
      passedRequests: 2,
      tunnels: 6,
      tunnelBytes: 8,
      upgrades: 10,
      faults: 12,
    });
    reader.close();
    await writer.close();
  });
});

describe('faults', () => {
  it('are listed in order of time, for all or for the sessions of a filter', async () => {
    const home = makeHome();
    const writer = openLedgerWriter({ home, onFault: unexpected });
    writer.saveSessionOpened(makeSession());
    const first = { code: 'TLS_REFUSED', message: 'a', hint: 'h', sessionId: 'sess_000000000001', at: at(1) } as const;
    const second = { code: 'INTERNAL', message: 'b', hint: null, sessionId: null, at: at(2) } as const;
    writer.saveFault(second);
    writer.saveFault(first);
    await writer.flush(1000);
    const reader = openLedgerReader({ home });
    expect(reader.listFaults({})).toEqual([first, second]);
    expect(reader.listFaults({ runId: 'run-1' })).toEqual([first]);
    expect(reader.listFaults({ runId: 'run-2' })).toEqual([]);
    reader.close();
    await writer.close();
  });
});
