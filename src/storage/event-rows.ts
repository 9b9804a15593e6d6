import type { EventFilter, EventRow } from '../core/ledger.js';
import { CONFIG_EVENTS } from '../core/run-events.js';
import type { CallRow } from './call-rows.js';
import type { Condition } from './filters.js';
import { readJson } from './json-column.js';
import type { LedgerConnection } from './ledger-connection.js';
import type { Queries } from './ledger-queries.js';

const pageSize = 256;

/** Events in the order they were written, page by page: no statement stays open between two of them. */
export function* iterateEvents(connection: LedgerConnection, filter: EventFilter): Generator<EventRow> {
  let after = filter.afterSeq ?? 0;
  for (;;) {
    const page = connection.read('list the events', [], (queries) => readPage(queries, { ...filter, afterSeq: after }));
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = last.seq;
  }
}

/** The `seq` after which the last so many events come; 0 when there are no more than that. */
export function findLastEvents(queries: Queries, filter: EventFilter, count: number): number {
  const { sql, values } = makeEventCondition(filter);
  const row = queries.get(`SELECT seq FROM events WHERE ${sql} ORDER BY seq DESC LIMIT 1 OFFSET ?`, [...values, count]);
  return Number(row?.seq ?? 0);
}

/** One row a name, however many events a run has. */
export function listStated(
  queries: Queries,
  { runId, configKey }: { readonly runId: string; readonly configKey: string },
): readonly string[] {
  const names = Object.values(CONFIG_EVENTS);
  const sql = `SELECT DISTINCT name FROM events WHERE run_id = ? AND source = 'caller'
    AND name IN (${names.map(() => '?').join(', ')}) AND json_extract(data, '$.configKey') = ?`;
  return queries.all(sql, [runId, ...names, configKey]).map(({ name }) => String(name));
}

function readPage(queries: Queries, filter: EventFilter): EventRow[] {
  const { sql, values } = makeEventCondition(filter);
  return queries
    .all(`SELECT * FROM events WHERE ${sql} ORDER BY seq LIMIT ?`, [...values, pageSize])
    .map((row) => makeEvent(row));
}

function makeEventCondition({ runId, nodesOfGraphRun: graphRunId, afterSeq = 0 }: EventFilter): Condition {
  const parts = [
    ...(runId === undefined ? [] : ['run_id = ?']),
    ...(graphRunId === undefined ? [] : ['run_id IN (SELECT run_id FROM sessions WHERE graph_run_id = ?)']),
    'seq > ?',
  ];
  const values = [...(runId === undefined ? [] : [runId]), ...(graphRunId === undefined ? [] : [graphRunId]), afterSeq];
  return { sql: parts.join(' AND '), values };
}

function makeEvent(row: CallRow): EventRow {
  const text = (value: CallRow[string] | undefined): string | null => (value == null ? null : String(value));
  return Object.freeze({
    seq: Number(row.seq),
    eventId: String(row.event_id),
    name: String(row.name),
    value: row.value == null ? null : Number(row.value),
    data: readJson(row.data),
    context: readJson(row.context),
    runId: text(row.run_id),
    sessionId: text(row.session_id),
    callId: text(row.call_id),
    source: row.source === 'wire' ? 'wire' : 'caller',
    at: String(row.at),
  });
}
