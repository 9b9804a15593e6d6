import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { type OpenLedgerWriter, openLedgerWriter } from '../../src/storage/ledger-writer.js';
import { startChild } from './children.js';
import { at, makeCall, makeHome, makeSession } from './records.js';

const unexpected = (fault: unknown): never => {
  throw new Error(`unexpected fault ${JSON.stringify(fault)}`);
};

function fill(home: string, calls: number): OpenLedgerWriter {
  const writer = openLedgerWriter({ home, onFault: unexpected });
  for (let i = 0; i < calls; i++)
    writer.saveCall(makeCall({ startedAt: at(i), requestBody: { text: `${i} `.repeat(5000) } }));
  return writer;
}

describe('prune', () => {
  it('deletes calls before an instant, their bodies, and what is left of their sessions, and the file shrinks', async () => {
    const home = makeHome();
    const writer = fill(home, 0);
    const end = {
      endedAt: at(1),
      counts: { calls: 0, passedRequests: 0, tunnels: 0, tunnelBytes: 0, upgrades: 0, faults: 0 },
      exitCode: 0,
    };
    for (const id of ['sess_old', 'sess_open', 'sess_used'])
      writer.saveSessionOpened(makeSession({ sessionId: id, runId: id }));
    for (const id of ['sess_old', 'sess_used']) writer.saveSessionClosed(id, end);
    writer.saveCall(makeCall({ sessionId: 'sess_used', runId: 'sess_used', startedAt: at(500) }));
    await writer.close();
    await fill(home, 300).close();
    const reader = openLedgerReader({ home });
    const result = reader.prune({ before: at(250) });
    expect(result).toMatchObject({ calls: 250, bodies: 250 });
    expect(result.bytesAfter).toBeLessThan(result.bytesBefore / 3);
    expect(statSync(join(home, 'llmtap.db')).size).toBe(result.bytesAfter);
    expect([...reader.listCalls({})].map(({ startedAt }) => startedAt)[0]).toBe(at(250));
    expect(
      reader
        .listRuns()
        .map(({ runId }) => runId)
        .toSorted(),
    ).toEqual(['run-1', 'sess_open', 'sess_used']);
    reader.close();
  });

  it('deletes bodies only, all or those before an instant', async () => {
    const home = makeHome();
    await fill(home, 100).close();
    const reader = openLedgerReader({ home });
    expect(reader.prune({ bodiesOnly: true, before: at(40) })).toMatchObject({ calls: 0, bodies: 40 });
    expect([...reader.listCalls({}, { bodies: true })].filter(({ requestBody }) => requestBody === null)).toHaveLength(
      40,
    );
    const result = reader.prune({ bodiesOnly: true });
    expect(result).toMatchObject({ calls: 0, bodies: 60 });
    expect(reader.info()).toMatchObject({ calls: 100, bodyBytes: 0 });
    expect(result.bytesAfter).toBeLessThan(250_000);
    reader.close();
  });

  it('deletes the oldest until the file is no larger than asked', async () => {
    const home = makeHome();
    await fill(home, 1000).close();
    const reader = openLedgerReader({ home });
    const { bytesBefore } = reader.info().bytes > 0 ? reader.prune({ maxBytes: 1e9 }) : { bytesBefore: 0 };
    expect(bytesBefore).toBeGreaterThan(8_000_000);
    const result = reader.prune({ maxBytes: 4_000_000 });
    expect(result.bytesAfter).toBeLessThanOrEqual(4_000_000);
    expect(result.bytesAfter).toBeGreaterThan(1_000_000);
    const left = [...reader.listCalls({})];
    expect(left).toHaveLength(1000 - result.calls);
    expect(left.at(-1)?.startedAt).toBe(at(999));
    expect(reader.prune({ maxBytes: 0 }).bytesAfter).toBeLessThan(200_000);
    expect(reader.info().calls).toBe(0);
    reader.close();
  });

  it('says beforehand what would go, and changes nothing', async () => {
    const home = makeHome();
    const writer = fill(home, 100);
    writer.saveSessionOpened(makeSession({ sessionId: 'sess_empty' }));
    const none = { calls: 0, passedRequests: 0, tunnels: 0, tunnelBytes: 0, upgrades: 0, faults: 0 };
    writer.saveSessionClosed('sess_empty', { endedAt: at(1), counts: none, exitCode: 0 });
    writer.saveCall(makeCall({ startedAt: at(5) }));
    await writer.close();
    const reader = openLedgerReader({ home });
    const plan = { matches: 0, total: 101, emptySessions: 0, exceedsSize: false };
    expect(reader.planPrune({ before: at(40) })).toEqual({ ...plan, matches: 41, emptySessions: 1 });
    expect(reader.planPrune({ before: at(40), bodiesOnly: true })).toEqual({ ...plan, matches: 40, total: 100 });
    expect(reader.planPrune({ bodiesOnly: true })).toEqual({ ...plan, matches: 100, total: 100 });
    expect(reader.planPrune({ before: at(-1) })).toEqual(plan);
    expect(reader.planPrune({ maxBytes: 1e9 })).toEqual(plan);
    expect(reader.planPrune({ maxBytes: 1000 })).toEqual({ ...plan, exceedsSize: true });
    expect(() => reader.planPrune({ before: 'yesterday' })).toThrowError(/"yesterday" is not a date/);
    expect(reader.info().calls).toBe(101);
    reader.close();
  });

  it('reads an instant as a person writes it and refuses what is none', async () => {
    const home = makeHome();
    await fill(home, 3).close();
    const reader = openLedgerReader({ home });
    expect(reader.prune({ before: '2026-01-01' }).calls).toBe(0);
    expect(reader.prune({ before: '2026-01-01T01:00:02+01:00' }).calls).toBe(2);
    for (const options of [{ before: 'yesterday' }, { maxBytes: -1 }, { maxBytes: Number.NaN }]) {
      expect(() => reader.prune(options)).toThrowError(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
    reader.close();
  });

  it('works while this and another process write, and loses none of their calls', async () => {
    const home = makeHome();
    const writer = fill(home, 400);
    const child = startChild('write-calls.mjs', [home, '2000', 'run-child', '500']);
    await child.printed(20);
    const reader = openLedgerReader({ home });
    expect(reader.prune({ before: at(400) }).calls).toBe(400);
    const mine = makeCall({ startedAt: at(1000) });
    writer.saveCall(mine);
    expect(await child.ended).toBe(0);
    expect(child.lines().at(-1)).toBe('closed 0');
    await writer.close();
    expect(reader.summarise({ runId: 'run-child' }).calls).toBe(2000);
    expect(reader.requireCall(mine.callId)).toEqual(mine);
    reader.close();
  });
});
