import { statSync } from 'node:fs';
import type { CacheReader, CacheRow, CacheSelection, CacheStats, CacheWhy } from '../core/cache-reading.js';
import { TrackerError } from '../core/errors.js';
import type { CacheEntry } from '../core/response-cache.js';
import { openCacheFile, openReadableCache, readCacheFacts } from './cache-file.js';
import { entryColumns, readEntry, replyColumns, type CacheRow as SqlRow } from './cache-rows.js';
import { explainLookup, makeRow } from './cache-why.js';
import type { Database, SqlValue } from './database.js';
import { type Condition, makePrefixCondition } from './filters.js';
import { makeCacheError } from './store-errors.js';

const minPrefixLength = 4;
const wholeRow = `${entryColumns}, ${replyColumns} FROM entries e JOIN replies r ON r.entry_seq = e.seq`;

/**
 * Opens a cache's file for a command; one that does not exist yet reads as an empty one. Throws `STORE_UNOPENABLE`,
 * `STORE_NEWER`.
 */
export function openCacheReader(path: string, nowMs: () => number = Date.now): CacheReader {
  return new SqliteCacheReader(path, nowMs);
}

class SqliteCacheReader implements CacheReader {
  readonly #path: string;
  readonly #nowMs: () => number;
  readonly #db: Database | null;

  constructor(path: string, nowMs: () => number) {
    this.#path = path;
    this.#nowMs = nowMs;
    this.#db = openReadableCache(path);
  }

  stats(): CacheStats {
    const none = { entries: 0, entryBytes: 0, hits: 0, savedMs: 0, expired: 0, oldest: null, newest: null, models: [] };
    return this.#read('sum up the cache', { path: this.#path, bytes: 0, ...none }, (db) => {
      const { entries, bytes: entryBytes, hits } = readCacheFacts(db);
      const sums = db
        .prepare(
          `SELECT min(stored_at) AS oldest, max(stored_at) AS newest, total(hits * latency_ms) AS saved_ms,
             count(CASE WHEN expires_at <= ? THEN 1 END) AS expired FROM entries`,
        )
        .get(this.#nowMs()) as SqlRow;
      return {
        ...{ path: this.#path, bytes: this.#measure(), entries, entryBytes, hits },
        ...{ savedMs: Number(sums.saved_ms), expired: Number(sums.expired) },
        ...{ oldest: formatInstant(sums.oldest), newest: formatInstant(sums.newest), models: listModels(db) },
      };
    });
  }

  *list({ limit = Number.MAX_SAFE_INTEGER }: { readonly limit?: number } = {}): Generator<CacheRow> {
    if (this.#db === null) return;
    const sql = `SELECT ${entryColumns} FROM entries e ORDER BY e.used_at DESC, e.seq DESC LIMIT ?`;
    try {
      for (const row of this.#db.prepare(sql).iterate(limit)) yield makeRow(row as SqlRow);
    } catch (error) {
      throw this.#explain(error, 'list the cache');
    }
  }

  require(idOrPrefix: string): { readonly row: CacheRow; readonly entry: CacheEntry }[] {
    const rows = this.#read('look into the cache', [], (db) => this.#findRows(db, idOrPrefix));
    const keys = new Set(rows.map(({ row }) => row.key));
    if (keys.size === 1) return rows;
    const found = keys.size === 0 ? 'there is none' : 'it is the beginning of several';
    throw new TrackerError('RECORD_NOT_FOUND', `Could not find the entry "${idOrPrefix}" in ${this.#path}: ${found}.`, {
      hint: 'Give the first characters of what `llmtap cache ls` lists, four or more.',
    });
  }

  why(idOrPrefix: string): CacheWhy {
    const why = this.#read('look into the cache', null, (db) => explainLookup(db, idOrPrefix));
    if (why !== null) return why;
    const what = idOrPrefix === 'latest' ? 'any call' : `the call "${idOrPrefix}"`;
    throw new TrackerError('RECORD_NOT_FOUND', `The cache at ${this.#path} does not know ${what}.`, {
      hint: 'It knows the last 20,000 calls that were to use it; give at least four characters of one, or --cache-dir.',
    });
  }

  *entries(): Generator<CacheEntry> {
    if (this.#db === null) return;
    try {
      for (const row of this.#db.prepare(`SELECT ${wholeRow} ORDER BY e.seq`).iterate()) {
        const entry = readEntry(row as SqlRow);
        if (entry !== null) yield entry;
      }
    } catch (error) {
      throw this.#explain(error, 'read the cache');
    }
  }

  count(selection: CacheSelection): number {
    const { sql, values } = makeSelection(selection);
    return this.#read('count the cache', 0, (db) => {
      const row = db.prepare(`SELECT count(*) AS n FROM entries WHERE ${sql}`).get(...values) as SqlRow;
      return Number(row.n);
    });
  }

  clear(selection: CacheSelection): number {
    if (this.#db === null) return 0;
    const { sql, values } = makeSelection(selection);
    try {
      const db = openCacheFile(this.#path);
      try {
        db.pragma('busy_timeout = 5000');
        const { changes } = db.prepare(`DELETE FROM entries WHERE ${sql}`).run(...values);
        if (sql === 'TRUE') db.exec('DELETE FROM lookups');
        db.pragma('incremental_vacuum');
        return changes;
      } finally {
        db.close();
      }
    } catch (error) {
      throw this.#explain(error, 'clear the cache');
    }
  }

  close(): void {
    this.#db?.close();
  }

  #findRows(db: Database, idOrPrefix: string): { readonly row: CacheRow; readonly entry: CacheEntry }[] {
    if (idOrPrefix.length < minPrefixLength) return [];
    const byKey = makePrefixCondition('e.key', idOrPrefix);
    const byCall = makePrefixCondition('e.call_id', idOrPrefix);
    const find = ({ sql, values }: Condition): SqlRow[] =>
      db.prepare(`SELECT ${wholeRow} WHERE ${sql} ORDER BY e.key, e.variant LIMIT 20`).all(...values) as SqlRow[];
    const found = find(byKey);
    return (found.length > 0 ? found : find(byCall)).flatMap((row) => {
      const entry = readEntry(row);
      return entry === null ? [] : [{ row: makeRow(row), entry }];
    });
  }

  #measure(): number {
    return ['', '-wal'].reduce(
      (sum, end) => sum + (statSync(`${this.#path}${end}`, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  }

  #read<T>(action: string, empty: T, read: (db: Database) => T): T {
    if (this.#db === null) return empty;
    try {
      return read(this.#db);
    } catch (error) {
      throw this.#explain(error, action);
    }
  }

  #explain(error: unknown, action: string): TrackerError {
    return makeCacheError(error, { action, path: this.#path });
  }
}

function listModels(db: Database): CacheStats['models'] {
  const rows = db
    .prepare(
      `SELECT provider, model, count(*) AS entries, sum(bytes) AS bytes, sum(hits) AS hits FROM entries
       GROUP BY provider, model ORDER BY entries DESC, provider, model`,
    )
    .all() as SqlRow[];
  return rows.map((row) => ({
    provider: String(row.provider),
    model: row.model === null || row.model === undefined ? null : String(row.model),
    entries: Number(row.entries),
    bytes: Number(row.bytes),
    hits: Number(row.hits),
  }));
}

function makeSelection({ beforeMs, model }: CacheSelection): Condition {
  const parts: (readonly [string, SqlValue])[] = [
    ...(beforeMs === undefined ? [] : [['stored_at < ?', beforeMs] as const]),
    ...(model === undefined ? [] : [['model = ?', model] as const]),
  ];
  if (parts.length === 0) return { sql: 'TRUE', values: [] };
  return { sql: parts.map(([sql]) => sql).join(' AND '), values: parts.map(([, value]) => value) };
}

function formatInstant(ms: SqlRow[string] | undefined): string | null {
  return typeof ms === 'number' ? new Date(ms).toISOString() : null;
}
