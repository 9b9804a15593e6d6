import type { CallRecord } from '../core/call-record.js';
import type { ErrorCode } from '../core/errors.js';
import type { Fault } from '../core/events.js';
import type { CallFilter } from '../core/ledger.js';
import { type CallRow, makeRecord } from './call-rows.js';
import type { Database, SqlValue, Statement } from './database.js';
import { type Condition, makeCondition, makePrefixCondition } from './filters.js';

/** A connection with its statements, each prepared once. */
export class Queries {
  readonly db: Database;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Database) {
    this.db = db;
  }

  all(sql: string, values: readonly SqlValue[] = []): CallRow[] {
    return this.#prepare(sql).all(...values) as CallRow[];
  }

  get(sql: string, values: readonly SqlValue[] = []): CallRow | undefined {
    return this.#prepare(sql).get(...values) as CallRow | undefined;
  }

  run(sql: string, values: readonly SqlValue[] = []): number {
    return this.#prepare(sql).run(...values).changes;
  }

  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Calls read at a time: few when bodies come along, for each may be megabytes. */
const pageSize = 256;
const pageSizeWithBodies = 8;

/** The statement that lists one page of calls; exported so that a test can ask the planner about it. */
export function makeCallsSql(condition: string, bodies: boolean): string {
  const columns = bodies ? 'calls.*, request, response' : '*';
  const join = bodies ? ' LEFT JOIN bodies ON call_seq = seq' : '';
  return `SELECT ${columns} FROM calls${join} WHERE ${condition} AND (started_at, seq) > (?, ?)
    ORDER BY started_at, seq LIMIT ?`;
}

export interface CallsAsked {
  readonly condition: Condition;
  readonly limit: number;
  readonly bodies: boolean;
}

/**
 * Calls oldest first, page by page. No statement stays open between two calls of the iterator: one that did would
 * keep every process's write-ahead log growing for as long as somebody reads slowly, and the connection from
 * closing when somebody stops half way.
 */
export function* iterateCalls(queries: Queries, { condition, limit, bodies }: CallsAsked): Generator<CallRecord> {
  const { sql, values } = condition;
  const statement = makeCallsSql(sql, bodies);
  const size = bodies ? pageSizeWithBodies : pageSize;
  let after: readonly SqlValue[] = ['', 0];
  let left = limit;
  while (left > 0) {
    const page = queries.all(statement, [...values, ...after, Math.min(size, left)]);
    for (const row of page) yield makeRecord(row);
    const last = page.at(-1);
    if (last === undefined || page.length < size) return;
    after = [last.started_at ?? '', last.seq ?? 0];
    left -= page.length;
  }
}

/** The calls an id, a prefix of one or `latest` names: the one, several, or none; at most three. */
export function findCalls(queries: Queries, idOrPrefix: string): CallRow[] {
  const select = 'SELECT calls.*, request, response FROM calls LEFT JOIN bodies ON call_seq = seq WHERE';
  const exact = queries.all(`${select} call_id = ?`, [idOrPrefix]);
  if (exact.length > 0) return exact;
  if (idOrPrefix === 'latest') return queries.all(`${select} TRUE ORDER BY started_at DESC, seq DESC LIMIT 1`);
  const { sql, values } = makePrefixCondition('call_id', idOrPrefix);
  return queries.all(`${select} ${sql} ORDER BY call_id LIMIT 3`, values);
}

export function listFaults(queries: Queries, filter: CallFilter): Fault[] {
  const { sql, values } = makeCondition(filter);
  const where = sql === 'TRUE' ? sql : `session_id IN (SELECT session_id FROM sessions WHERE ${sql})`;
  const rows = queries.all(`SELECT * FROM faults WHERE ${where} ORDER BY at, seq`, values);
  return rows.map((row) =>
    Object.freeze({
      code: String(row.code) as ErrorCode,
      message: String(row.message),
      hint: row.hint == null ? null : String(row.hint),
      sessionId: row.session_id == null ? null : String(row.session_id),
      at: String(row.at),
    }),
  );
}
