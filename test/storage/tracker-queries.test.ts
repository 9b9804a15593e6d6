import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import { unknownCost } from '../../src/core/cost.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { openLedgerWriter } from '../../src/storage/ledger-writer.js';
import { openTrackerQueries } from '../../src/storage/tracker-queries.js';
import { at, makeCall, makeHome, makeSession } from './records.js';

const mine = 'tracker-1';

async function write(home: string, trackerId: string | null, calls: readonly CallRecord[]): Promise<void> {
  const writer = openLedgerWriter({
    home,
    ...(trackerId === null ? {} : { trackerId }),
    onFault: (fault) => expect.fail(fault.message),
  });
  for (const sessionId of new Set(calls.map((call) => call.sessionId))) {
    const [first] = calls.filter((call) => call.sessionId === sessionId);
    writer.saveSessionOpened(makeSession({ sessionId, runId: first?.runId ?? 'run-1' }));
  }
  for (const call of calls) writer.saveCall(call);
  await writer.close();
}

function openQueries(home: string, trackerId = mine) {
  const queries = openTrackerQueries({ home, trackerId });
  onTestFinished(() => queries.close());
  return queries;
}

const noTokens = { cacheReadTokens: null, cacheWriteTokens: null, reasoningTokens: null };

describe('what a tracker asks of a ledger', () => {
  it('is of its own sessions alone, whoever else writes to the file', async () => {
    const home = makeHome();
    const [own, other, command] = [
      makeCall({ sessionId: 'sess_00000000000a', runId: 'a' }),
      makeCall({ sessionId: 'sess_00000000000b', runId: 'b' }),
      makeCall({ sessionId: 'sess_00000000000c', runId: 'c' }),
    ];
    await write(home, mine, [own]);
    await write(home, 'tracker-2', [other]);
    await write(home, null, [command]);
    const queries = openQueries(home);
    expect([...queries.listCalls({})].map(({ callId }) => callId)).toEqual([own.callId]);
    expect(queries.listRuns().map(({ runId }) => runId)).toEqual(['a']);
    expect(queries.summarise({}).calls).toBe(1);
    expect(Object.keys(queries.usage({}))).toEqual(['gpt-4o']);
    expect(queries.usage({})['gpt-4o']?.calls).toBe(1);
  });

  it('is filtered as the command line’s questions are, null asking for calls without', async () => {
    const home = makeHome();
    await write(home, mine, [makeCall({ dataId: 'd1' }), makeCall({ dataId: null })]);
    const queries = openQueries(home);
    expect([...queries.listCalls({ dataId: 'd1' })]).toHaveLength(1);
    expect([...queries.listCalls({ dataId: null })]).toHaveLength(1);
    expect([...queries.listCalls({ dataId: 'd2' })]).toEqual([]);
  });

  it('adds up what calls state, and says how many state nothing', async () => {
    const home = makeHome();
    const unknown = { ...noTokens, inputTokens: null, outputTokens: null, totalTokens: null };
    const known = { ...noTokens, cacheReadTokens: 4, inputTokens: 10, outputTokens: 5, totalTokens: 15 };
    await write(home, mine, [
      makeCall({ usage: known, cost: { ...unknownCost, usd: 0.1 } }),
      makeCall({ usage: unknown }),
      makeCall({ usage: { ...known, cacheReadTokens: null }, cost: { ...unknownCost, usd: 0.2 } }),
      makeCall({ model: null, usage: unknown }),
    ]);
    const usage = openQueries(home).usage({});
    expect(usage['gpt-4o']).toEqual({
      ...{ calls: 3, inputTokens: 20, outputTokens: 10, cacheReadTokens: 4, cacheWriteTokens: null },
      ...{ reasoningTokens: null, totalTokens: 30, unknownCalls: 1, costUsd: 0.3, unpricedCalls: 1 },
    });
    expect(usage['(unknown)']).toMatchObject({ calls: 1, inputTokens: null, unknownCalls: 1, costUsd: null });
    expect('toString' in usage).toBe(false);
    expect(Object.isFrozen(usage)).toBe(true);
  });

  it('keeps a model that is named like a property of every object', async () => {
    const home = makeHome();
    await write(home, mine, [makeCall({ model: '__proto__' }), makeCall({ model: 'constructor' })]);
    expect(Object.keys(openQueries(home).usage({})).sort()).toEqual(['__proto__', 'constructor']);
  });

  it('counts a model that is named as unknown ones are with those', async () => {
    const home = makeHome();
    await write(home, mine, [makeCall({ model: null }), makeCall({ model: '(unknown)' })]);
    expect(openQueries(home).usage({})['(unknown)']?.calls).toBe(2);
  });

  it('groups by data id in order of first calls, those without one last and counted', async () => {
    const home = makeHome();
    await write(home, mine, [
      makeCall({ dataId: null, startedAt: at(1), latencyMs: 1 }),
      makeCall({ dataId: 'late', startedAt: at(5), latencyMs: 2 }),
      makeCall({ dataId: 'early', startedAt: at(2), latencyMs: 4, error: { code: 'X', message: 'x' } }),
      makeCall({ dataId: 'early', startedAt: at(9), latencyMs: 8 }),
    ]);
    const { groups, latencyMs } = openQueries(home).summarise({});
    expect(groups).toEqual([
      { dataId: 'early', calls: 2, errors: 1, latencyMs: 12 },
      { dataId: 'late', calls: 1, errors: 0, latencyMs: 2 },
      { dataId: null, calls: 1, errors: 0, latencyMs: 1 },
    ]);
    expect(latencyMs).toBe(15);
  });

  it('sums how long the replies of cached calls took when they were first given', async () => {
    const home = makeHome();
    await write(home, mine, [makeCall({ latencyMs: 7 })]);
    expect(openQueries(home).cachedLatencyMs({})).toBe(0);
    await write(home, mine, [
      makeCall({ cached: true, latencyMs: 1, cachedLatencyMs: 5 }),
      makeCall({ cached: true, cachedLatencyMs: 0.5 }),
    ]);
    expect(openQueries(home).cachedLatencyMs({})).toBe(5.5);
  });

  it('deletes its own calls with their bodies, and leaves those of others', async () => {
    const home = makeHome();
    const calls = Array.from({ length: 450 }, () =>
      makeCall({ sessionId: 'sess_00000000000a', requestBody: { a: 1 } }),
    );
    await write(home, mine, calls);
    await write(home, 'tracker-2', [makeCall({ sessionId: 'sess_00000000000b', requestBody: { b: 1 } })]);
    const queries = openQueries(home);
    expect([...queries.clear()]).toEqual([200, 200, 50]);
    expect([...queries.clear()]).toEqual([]);
    expect([...queries.listCalls({})]).toEqual([]);
    expect([...openQueries(home, 'tracker-2').listCalls({}, { bodies: true })].map((call) => call.requestBody)).toEqual(
      [{ b: 1 }],
    );
    const ledger = openLedgerReader({ home });
    onTestFinished(() => ledger.close());
    expect(ledger.info().calls).toBe(1);
  });

  it('is empty where there is no ledger yet', () => {
    const queries = openQueries(makeHome());
    expect([...queries.listCalls({})]).toEqual([]);
    expect(queries.summarise({})).toMatchObject({ calls: 0, groups: [] });
    expect({ ...queries.usage({}) }).toEqual({});
    expect([queries.cachedLatencyMs({}), [...queries.clear()], queries.listRuns()]).toEqual([0, [], []]);
  });
});

describe('a ledger of the first schema', () => {
  it('is brought up to date with what is in it', async () => {
    const home = makeHome();
    await write(home, mine, [makeCall()]);
    const path = join(home, 'llmtap.db');
    // As the first version left it: without the columns of later ones.
    const db = new BetterSqlite3(path);
    db.exec('DROP INDEX sessions_by_tracker; ALTER TABLE sessions DROP COLUMN tracker_id; PRAGMA user_version = 1;');
    db.exec('DROP TABLE events; DROP TABLE run_claims; ALTER TABLE sessions DROP COLUMN outcome');
    const later = [
      'protocol',
      'partial',
      'service_tier',
      'cost_usd',
      'saved_usd',
      'reported_usd',
      'self_ms',
      'details',
    ];
    for (const column of later) db.exec(`ALTER TABLE calls DROP COLUMN ${column}`);
    db.close();
    await write(home, mine, [makeCall({ sessionId: 'sess_00000000000b' })]);
    const ledger = openLedgerReader({ home });
    onTestFinished(() => ledger.close());
    expect([...ledger.listCalls({})]).toMatchObject([
      { protocol: 'http/1.1', partial: false, cost: unknownCost, receipt: null },
      { protocol: 'http/1.1', partial: false, cost: unknownCost, receipt: null },
    ]);
    expect([...openQueries(home).listCalls({})].map((call) => call.sessionId)).toEqual(['sess_00000000000b']);
  });
});
