import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { EventClaim, EventSaved } from '../../src/core/ledger.js';
import type { RunEvent } from '../../src/core/run-events.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { openLedgerWriter } from '../../src/storage/ledger-writer.js';
import { makeCall, makeHome } from './records.js';

let count = 0;
function makeEvent(changes: Partial<RunEvent> = {}): RunEvent {
  count += 1;
  return {
    ...{ eventId: `event-${count}`, name: 'my:event', value: 1, data: { runId: 'run-1', n: count } },
    ...{ context: { kind: 'user', key: 'u' }, runId: 'run-1', sessionId: null, callId: null, source: 'caller' },
    at: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}

function openWriter(home: string) {
  const saved: EventSaved[] = [];
  const writer = openLedgerWriter({ home, onFault: (fault) => expect(fault).toBeUndefined() });
  const save = (event: RunEvent, claim: EventClaim | null = null) =>
    writer.saveEvent(event, claim, (what) => void saved.push(what));
  return { writer, save, saved };
}

function read<T>(home: string, use: (ledger: ReturnType<typeof openLedgerReader>) => T): T {
  const ledger = openLedgerReader({ home });
  try {
    return use(ledger);
  } finally {
    ledger.close();
  }
}

const listIds = (home: string, filter = {}): string[] =>
  read(home, (ledger) => [...ledger.listEvents(filter)].map(({ eventId }) => eventId));

describe('events in a ledger', () => {
  it('come back as they were, in the order they were written, of one run or of all', async () => {
    const home = makeHome();
    const { writer, save, saved } = openWriter(home);
    const events = [makeEvent({ value: null, data: 'bare' }), makeEvent({ runId: 'run-2', callId: 'c' }), makeEvent()];
    for (const event of events) save(event);
    await writer.close();
    expect(saved).toEqual(['kept', 'kept', 'kept']);
    const stored = read(home, (ledger) => [...ledger.listEvents({})]);
    expect(stored).toEqual(events.map((event) => ({ seq: expect.any(Number) as number, ...event })));
    expect(listIds(home, { runId: 'run-1' })).toEqual([events[0]?.eventId, events[2]?.eventId]);
    expect(listIds(home, { afterSeq: stored[0]?.seq })).toHaveLength(2);
    const last = read(home, (ledger) => ledger.findLastEvents({}, 1));
    expect(listIds(home, { afterSeq: last })).toEqual([events[2]?.eventId]);
  });

  it('are there once, however often they are sent', async () => {
    const home = makeHome();
    const { writer, save, saved } = openWriter(home);
    const event = makeEvent();
    save(event);
    save(event);
    await writer.close();
    expect([saved, listIds(home)]).toEqual([['kept', 'refused'], [event.eventId]]);
  });

  it('state a fact for their owner alone, where the run is to have it once', async () => {
    const home = makeHome();
    const { writer, save, saved } = openWriter(home);
    const claim = (owner: string, dedupe: EventClaim['dedupe'] = 'run') => ({ fact: 'tokens', owner, dedupe });
    save(makeEvent(), claim('a'));
    save(makeEvent(), claim('a'));
    save(makeEvent(), claim('b'));
    save(makeEvent({ runId: 'run-2' }), claim('b'));
    save(makeEvent(), claim('caller', 'tracker'));
    save(makeEvent({ source: 'wire' }), claim('wire', 'tracker'));
    await writer.close();
    expect(saved).toEqual(['kept', 'kept', 'refused', 'kept', 'kept', 'refused']);
  });

  it('are written as they come, however many come in one turn of the loop', async () => {
    const home = makeHome();
    const { writer, save, saved } = openWriter(home);
    for (let at = 0; at < 30_000; at += 1) save(makeEvent());
    await writer.close();
    expect(saved).toHaveLength(30_000);
    expect(new Set(saved)).toEqual(new Set(['kept']));
  });

  it('are told to be lost when the ledger was closed before', async () => {
    const saved: EventSaved[] = [];
    const writer = openLedgerWriter({ home: makeHome(), onFault: () => undefined });
    await writer.close();
    writer.saveEvent(makeEvent(), null, (what) => void saved.push(what));
    expect(saved).toEqual(['lost']);
  });

  it('go with the calls when what is older is pruned, claims as well, and make room where no call is left', async () => {
    const home = makeHome();
    const { writer, save } = openWriter(home);
    writer.saveCall(makeCall());
    const claim: EventClaim = { fact: 'outcome', owner: 'a', dedupe: 'run' };
    save(makeEvent(), claim);
    const kept = makeEvent({ at: '2026-03-01T00:00:00.000Z', runId: 'run-2' });
    save(kept, claim);
    await writer.close();
    read(home, (ledger) => ledger.prune({ before: '2026-02-01' }));
    expect(listIds(home)).toEqual([kept.eventId]);
    const db = new BetterSqlite3(join(home, 'llmtap.db'));
    expect(db.prepare('SELECT run_id FROM run_claims').all()).toEqual([{ run_id: 'run-2' }]);
    db.close();
    read(home, (ledger) => ledger.prune({ maxBytes: 1 }));
    expect(listIds(home)).toEqual([]);
  });

  it('have no place in a ledger of before, which gets one when it is opened, also for reading', async () => {
    const home = makeHome();
    const { writer } = openWriter(home);
    writer.saveCall(makeCall());
    await writer.close();
    const db = new BetterSqlite3(join(home, 'llmtap.db'));
    db.exec('DROP TABLE events; DROP TABLE run_claims; ALTER TABLE sessions DROP COLUMN outcome');
    db.pragma('user_version = 3');
    db.close();
    expect(listIds(home)).toEqual([]);
    expect(read(home, (ledger) => [...ledger.listCalls({})])).toHaveLength(1);
  });
});
