import { statSync } from 'node:fs';
import { TrackerError } from '../core/errors.js';
import type { PruneOptions, PrunePlan, PruneResult } from '../core/ledger.js';
import { openWritable, readPragma, type SqlValue } from './database.js';
import { Queries } from './ledger-queries.js';

/** The file with its write-ahead log, bytes; 0 when there is none. */
export function readStoreBytes(path: string): number {
  const sizes = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Rows deleted in one transaction: few enough that processes that write meanwhile find their turn. */
const batchRows = 200;
const batchPages = 2000;
/** How long a lock of another process is waited for. */
const busyTimeoutMs = 5000;

/**
 * Deletes what the options name and gives the room back to the file system. Works while others write. Throws
 * `OPTION_INVALID`, `STORE_LOCKED` and what opening throws.
 */
export function pruneStore(path: string, options: PruneOptions): PruneResult {
  const asked = readOptions(options);
  const bytesBefore = readStoreBytes(path);
  const queries = new Queries(openWritable({ path, busyTimeoutMs }));
  try {
    const pruning = new Pruning(queries, asked.bodiesOnly);
    if (asked.before !== null) pruning.deleteBefore(asked.before);
    else if (asked.bodiesOnly && asked.maxBytes === null) pruning.deleteBefore(null);
    if (asked.maxBytes !== null) pruning.deleteDownTo(asked.maxBytes);
    giveBack(queries);
    return Object.freeze({ ...pruning.deleted(), bytesBefore, bytesAfter: readStoreBytes(path) });
  } finally {
    queries.db.close();
  }
}

/** What `pruneStore` would do with the ledger as it is now. Throws `OPTION_INVALID`. */
export function planPrune(queries: Queries, path: string, options: PruneOptions): PrunePlan {
  const { before, bodiesOnly, maxBytes } = readOptions(options);
  const rows = bodiesOnly ? 'bodies CROSS JOIN calls ON seq = call_seq' : 'calls';
  const count = (sql: string, values: readonly SqlValue[] = []): number =>
    Number(queries.get(`SELECT count(*) AS n FROM ${sql}`, values)?.n ?? 0);
  const total = count(bodiesOnly ? 'bodies' : 'calls');
  const named = before === null ? 0 : count(`${rows} WHERE started_at < ?`, [before]);
  const largest = Math.max(readUsedBytes(queries), readStoreBytes(path));
  return Object.freeze({
    matches: before === null && bodiesOnly && maxBytes === null ? total : named,
    total,
    emptySessions: before === null || bodiesOnly ? 0 : count(`sessions WHERE ${isEmptySession}`, [before]),
    exceedsSize: maxBytes !== null && largest > maxBytes,
  });
}

/** Before an instant, ended, and without a call. */
const isEmptySession = `opened_at < ? AND ended_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM calls WHERE calls.session_id = sessions.session_id)`;

interface Asked {
  readonly before: string | null;
  readonly bodiesOnly: boolean;
  readonly maxBytes: number | null;
}

function readOptions({ before, bodiesOnly, maxBytes }: PruneOptions): Asked {
  const instant = before === undefined ? null : new Date(before);
  if (instant !== null && Number.isNaN(instant.getTime())) {
    throw new TrackerError('OPTION_INVALID', `Could not prune the ledger: "${before}" is not a date.`, {
      hint: 'Give an ISO 8601 instant, such as 2026-01-31 or 2026-01-31T12:00:00Z.',
    });
  }
  if (maxBytes !== undefined && (!Number.isSafeInteger(maxBytes) || maxBytes < 0)) {
    throw new TrackerError('OPTION_INVALID', `Could not prune the ledger: ${maxBytes} is not a number of bytes.`);
  }
  // As records have it, so that texts compare as instants do.
  const bound = instant?.toISOString() ?? null;
  return { before: bound, bodiesOnly: bodiesOnly === true, maxBytes: maxBytes ?? null };
}

class Pruning {
  readonly #queries: Queries;
  readonly #bodiesOnly: boolean;
  #calls = 0;
  #bodies = 0;

  constructor(queries: Queries, bodiesOnly: boolean) {
    this.#queries = queries;
    this.#bodiesOnly = bodiesOnly;
  }

  deleted(): { readonly calls: number; readonly bodies: number } {
    return { calls: this.#calls, bodies: this.#bodies };
  }

  /** Everything, when `before` is `null`. */
  deleteBefore(before: string | null): void {
    const [condition, values]: [string, SqlValue[]] = before === null ? ['TRUE', []] : ['started_at < ?', [before]];
    while (this.#deleteBatch(condition, values) > 0);
    if (before !== null && !this.#bodiesOnly) this.#deleteEmptySessions(before);
  }

  /** Oldest first, until what is in use fits. */
  deleteDownTo(maxBytes: number): void {
    const row = this.#queries.get(`SELECT count(*) AS n FROM ${this.#bodiesOnly ? 'bodies' : 'calls'}`);
    let left = Number(row?.n ?? 0);
    for (let used = readUsedBytes(this.#queries); used > maxBytes; used = readUsedBytes(this.#queries)) {
      // Half of what the average says is too much, so that a few large ones at the end do not cost many small ones.
      const half = Math.max(1, Math.ceil(((used - maxBytes) / used) * left * 0.5));
      const deleted = this.#deleteBatch('TRUE', [], Math.min(half, batchRows));
      if (deleted === 0 && this.#deleteOldestEvents() === 0) return;
      left -= deleted;
    }
  }

  #deleteBatch(condition: string, values: readonly SqlValue[], rows = batchRows): number {
    // Bodies are walked in the order they were written, so that those already deleted are not passed again.
    const oldest = this.#bodiesOnly
      ? `SELECT call_seq FROM bodies CROSS JOIN calls ON seq = call_seq WHERE ${condition} ORDER BY call_seq LIMIT ${rows}`
      : `SELECT seq FROM calls WHERE ${condition} ORDER BY started_at, seq LIMIT ${rows}`;
    return this.#queries.db
      .transaction(() => {
        const bodies = this.#queries.run(`DELETE FROM bodies WHERE call_seq IN (${oldest})`, values);
        this.#bodies += bodies;
        if (this.#bodiesOnly) return bodies;
        const calls = this.#queries.run(`DELETE FROM calls WHERE seq IN (${oldest})`, values);
        this.#calls += calls;
        return calls;
      })
      .immediate();
  }

  /** For a ledger that is large without calls. */
  #deleteOldestEvents(): number {
    if (this.#bodiesOnly) return 0;
    return this.#queries.run(
      `DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ${batchRows})`,
    );
  }

  #deleteEmptySessions(before: string): void {
    this.#queries.db
      .transaction(() => {
        this.#queries.run(`DELETE FROM sessions WHERE ${isEmptySession}`, [before]);
        this.#queries.run('DELETE FROM faults WHERE at < ?', [before]);
        this.#queries.run('DELETE FROM events WHERE at < ?', [before]);
        this.#queries.run('DELETE FROM run_claims WHERE at < ?', [before]);
      })
      .immediate();
  }
}

/** Bytes of the pages that hold something. */
function readUsedBytes({ db }: Queries): number {
  const pages = Number(readPragma(db, 'page_count')) - Number(readPragma(db, 'freelist_count'));
  return pages * Number(readPragma(db, 'page_size'));
}

/** Cuts free pages off the file, a batch at a time, and empties the write-ahead log into it. */
function giveBack({ db }: Queries): void {
  let free = Number(readPragma(db, 'freelist_count'));
  while (free > 0) {
    db.pragma(`incremental_vacuum(${batchPages})`);
    const left = Number(readPragma(db, 'freelist_count'));
    if (left >= free) break;
    free = left;
  }
  // NOTE: answers "busy" instead of throwing while somebody reads an older state; then the file shrinks later.
  db.pragma('wal_checkpoint(TRUNCATE)');
}
