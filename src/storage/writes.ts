import type { CallRecord } from '../core/call-record.js';
import type { Fault } from '../core/events.js';
import type { EventClaim, EventSaved, SessionEnd } from '../core/ledger.js';
import type { EventSource, RunEvent } from '../core/run-events.js';
import type { Session } from '../core/session.js';
import { makeBodyValue } from './body-column.js';
import { callColumns, makeCallValues } from './call-rows.js';
import { ClaimStatements } from './claims.js';
import type { Database, SqlValue, Statement } from './database.js';

type BodyValue = ReturnType<typeof makeBodyValue>;

/** One thing to be written, encoded when it was given, so that it can wait without holding on to the record. */
export interface Write {
  readonly kind: 'session-opened' | 'session-closed' | 'call' | 'fault' | 'event';
  readonly values: readonly SqlValue[];
  readonly bodies: { readonly request: BodyValue; readonly response: BodyValue } | null;
  /** What it costs to keep in memory, roughly, in bytes. */
  readonly bytes: number;
  /** Of an event: the fact it is to be the only one of. */
  readonly claim?: ClaimWrite;
  /** Of an event: told once what became of it. */
  readonly onSaved?: (saved: EventSaved) => void;
}

/** A claim with the run, the source and the time of its event. */
export interface ClaimWrite extends EventClaim {
  readonly runId: string;
  readonly source: EventSource;
  readonly at: string;
}

/** Memory of a write besides its bodies, measured as the heap growth of 10,000 encoded records of typical size. */
const baseBytes = 2048;

export function makeCallWrite(record: CallRecord): Write {
  const request = makeBodyValue(record.requestBody);
  const response = makeBodyValue(record.responseBody);
  const bodies = request === null && response === null ? null : { request, response };
  const bytes = baseBytes + 2 * ((request?.length ?? 0) + (response?.length ?? 0));
  return { kind: 'call', values: makeCallValues(record), bodies, bytes };
}

/** The same call with its bodies left out. */
export function makeBodiless(write: Write): Write {
  return { ...write, bodies: null, bytes: baseBytes };
}

/** @param trackerId the tracker whose session it is; `null` when none has opened it */
export function makeSessionWrite(session: Session, trackerId: string | null): Write {
  const values: SqlValue[] = [
    session.sessionId,
    session.runId,
    session.configKey,
    session.variationKey,
    session.version,
    session.graphKey,
    session.graphRunId,
    session.dataId,
    session.comboId,
    session.agentId,
    session.openedAt,
    session.command === null ? null : JSON.stringify(session.command),
    trackerId,
  ];
  return { kind: 'session-opened', values, bodies: null, bytes: baseBytes };
}

export function makeSessionEndWrite(sessionId: string, end: SessionEnd): Write {
  const { calls, passedRequests, tunnels, tunnelBytes, upgrades, faults } = end.counts;
  const counts = [calls, passedRequests, tunnels, tunnelBytes, upgrades, faults];
  const values = [end.endedAt, end.exitCode, ...counts, end.outcome ?? null, sessionId];
  return { kind: 'session-closed', values, bodies: null, bytes: baseBytes };
}

export function makeFaultWrite(fault: Fault): Write {
  const values = [fault.code, fault.message, fault.hint, fault.sessionId, fault.at];
  return { kind: 'fault', values, bodies: null, bytes: baseBytes };
}

/** @param onSaved told once what became of it */
export function makeEventWrite(
  event: RunEvent,
  claim: EventClaim | null,
  onSaved?: (saved: EventSaved) => void,
): Write {
  const { eventId, at, name, value, runId, sessionId, callId, source } = event;
  const [data, context] = [JSON.stringify(event.data), JSON.stringify(event.context)];
  return {
    kind: 'event',
    values: [eventId, at, name, value, runId, sessionId, callId, source, data, context],
    bodies: null,
    bytes: 500 + 2 * (data.length + context.length),
    ...(claim !== null && runId !== null && { claim: { ...claim, runId, source, at } }),
    ...(onSaved && { onSaved }),
  };
}

const marks = (count: number): string => Array(count).fill('?').join(', ');

/** The prepared statements of one writing connection. */
export class WriteStatements {
  /** Writes one thing in a transaction of its own. `false` when a call of this id is there already, or an event is refused. */
  readonly write: (write: Write) => boolean;
  /** Writes all or none. `false` for each as `write`. */
  readonly writeAll: (writes: readonly Write[]) => boolean[];
  readonly #statements: Readonly<Record<Write['kind'], Statement>>;
  readonly #insertBodies: Statement;
  readonly #claims: ClaimStatements;

  constructor(db: Database) {
    this.#statements = {
      'session-opened': db.prepare(
        `INSERT INTO sessions (session_id, run_id, config_key, variation_key, version, graph_key, graph_run_id, data_id,
           combo_id, agent_id, opened_at, command, tracker_id) VALUES (${marks(13)}) ON CONFLICT (session_id) DO NOTHING`,
      ),
      'session-closed': db.prepare(
        `UPDATE sessions SET ended_at = ?, exit_code = ?, calls = ?, passed_requests = ?, tunnels = ?,
           tunnel_bytes = ?, upgrades = ?, faults = ?, outcome = ? WHERE session_id = ?`,
      ),
      call: db.prepare(
        `INSERT INTO calls (${callColumns.join(', ')}) VALUES (${marks(callColumns.length)})
           ON CONFLICT (call_id) DO NOTHING`,
      ),
      fault: db.prepare(`INSERT INTO faults (code, message, hint, session_id, at) VALUES (${marks(5)})`),
      event: db.prepare(
        `INSERT INTO events (event_id, at, name, value, run_id, session_id, call_id, source, data, context)
           VALUES (${marks(10)}) ON CONFLICT (event_id) DO NOTHING`,
      ),
    };
    this.#insertBodies = db.prepare('INSERT INTO bodies (call_seq, request, response) VALUES (?, ?, ?)');
    this.#claims = new ClaimStatements(db);
    const one = db.transaction((write: Write) => this.#run(write));
    const all = db.transaction((writes: readonly Write[]) => writes.map((write) => this.#run(write)));
    // A single statement is its own transaction, at two thirds of the price.
    this.write = (write) => ((write.bodies ?? write.claim) == null ? this.#run(write) : one.immediate(write));
    this.writeAll = (writes) => all.immediate(writes);
  }

  #run(write: Write): boolean {
    if (write.claim !== undefined && !this.#claims.claim(write.claim)) return false;
    const { changes, lastInsertRowid } = this.#statements[write.kind].run(...write.values);
    if ((write.kind === 'call' || write.kind === 'event') && changes === 0) return false;
    if (write.bodies !== null) this.#insertBodies.run(lastInsertRowid, write.bodies.request, write.bodies.response);
    return true;
  }
}
