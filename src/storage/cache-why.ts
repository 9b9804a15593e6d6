import type { CacheRow, CacheWhy, KeyDifference } from '../core/cache-reading.js';
import type { CacheOutcome, KeyParts } from '../core/response-cache.js';
import { entryColumns, readParts, type CacheRow as SqlRow } from './cache-rows.js';
import type { Database } from './database.js';
import { makePrefixCondition } from './filters.js';

const minPrefixLength = 4;
/** Entries compared: the latest of the same URL, else of the same API. */
const mostCompared = 500;

/** Why the cache did what it did for a call, by its id, the beginning of it, or `latest`; `null` for one it does not know. */
export function explainLookup(db: Database, idOrPrefix: string): CacheWhy | null {
  const lookup = findLookup(db, idOrPrefix);
  if (lookup === undefined) return null;
  const text = (value: SqlRow[string] | undefined): string | null => (typeof value === 'string' ? value : null);
  const told = {
    callId: String(lookup.call_id),
    at: new Date(Number(lookup.at)).toISOString(),
    url: String(lookup.url),
    api: String(lookup.api),
    outcome: String(lookup.outcome) as CacheOutcome,
    ...{ reason: text(lookup.reason), key: text(lookup.key), variant: text(lookup.variant) },
  };
  const same =
    told.key === null ? undefined : findSame(db, { key: told.key, variant: told.variant, callId: told.callId });
  if (same !== undefined) {
    const row = makeRow(same);
    return { ...told, nearest: row, differing: row.variant === told.variant ? [] : [makeVariantDifference()] };
  }
  const parts = readParts(lookup.parts);
  return { ...told, ...(parts === null ? { nearest: null, differing: [] } : findNearest(db, { ...told, parts })) };
}

export function makeRow(row: SqlRow): CacheRow {
  const instant = (value: SqlRow[string] | undefined): string => new Date(Number(value)).toISOString();
  return {
    key: String(row.key),
    variant: String(row.variant),
    provider: String(row.provider),
    api: String(row.api),
    url: String(row.url),
    model: row.model === null || row.model === undefined ? null : String(row.model),
    callId: String(row.call_id),
    isBound: row.is_bound === 1,
    bytes: Number(row.bytes),
    hits: Number(row.hits),
    latencyMs: Number(row.latency_ms),
    storedAt: instant(row.stored_at),
    usedAt: instant(row.used_at),
    expiresAt: row.expires_at === null || row.expires_at === undefined ? null : instant(row.expires_at),
  };
}

function findLookup(db: Database, idOrPrefix: string): SqlRow | undefined {
  if (idOrPrefix === 'latest') return db.prepare('SELECT * FROM lookups ORDER BY seq DESC LIMIT 1').get() as SqlRow;
  if (idOrPrefix.length < minPrefixLength) return undefined;
  const { sql, values } = makePrefixCondition('call_id', idOrPrefix);
  const rows = db.prepare(`SELECT * FROM lookups WHERE ${sql} ORDER BY call_id, seq LIMIT 2`).all(...values);
  // The beginning of two ids names neither.
  return rows.length === 1 ? (rows[0] as SqlRow) : undefined;
}

interface Asked {
  readonly key: string;
  readonly variant: string | null;
  readonly callId: string;
}

/** An entry of the same key: of the same form, if there is one; not the one this very call made. */
function findSame(db: Database, { key, variant, callId }: Asked): SqlRow | undefined {
  const sql = `SELECT ${entryColumns} FROM entries e WHERE e.key = ? AND e.call_id <> ? ORDER BY e.variant = ? DESC LIMIT 1`;
  return db.prepare(sql).get(key, callId, variant) as SqlRow | undefined;
}

interface Unanswered {
  readonly callId: string;
  readonly url: string;
  readonly api: string;
  readonly variant: string | null;
  readonly parts: KeyParts;
}

function findNearest(db: Database, asked: Unanswered): Pick<CacheWhy, 'nearest' | 'differing'> {
  const list = (column: 'url' | 'api', value: string): SqlRow[] =>
    db
      .prepare(
        `SELECT ${entryColumns}, r.parts FROM entries e JOIN replies r ON r.entry_seq = e.seq
         WHERE e.${column} = ? AND e.call_id <> ? ORDER BY e.${column === 'url' ? 'stored_at' : 'seq'} DESC LIMIT ${mostCompared}`,
      )
      .all(value, asked.callId) as SqlRow[];
  const ofUrl = list('url', asked.url);
  let nearest: { readonly row: SqlRow; readonly differing: readonly KeyDifference[] } | null = null;
  for (const row of ofUrl.length > 0 ? ofUrl : list('api', asked.api)) {
    const differing = compareParts(asked.parts, readParts(row.parts) ?? {});
    if (nearest === null || differing.length < nearest.differing.length) nearest = { row, differing };
  }
  if (nearest === null) return { nearest: null, differing: [] };
  const row = makeRow(nearest.row);
  const variant = row.variant === asked.variant ? [] : [makeVariantDifference()];
  return { nearest: row, differing: [...nearest.differing, ...variant] };
}

function compareParts(call: KeyParts, entry: KeyParts): KeyDifference[] {
  return [...new Set([...Object.keys(call), ...Object.keys(entry)])].flatMap((part): KeyDifference[] => {
    if (call[part] === entry[part]) return [];
    const how =
      entry[part] === undefined ? 'only in the call' : call[part] === undefined ? 'only in the entry' : 'differs';
    return [{ part, how }];
  });
}

function makeVariantDifference(): KeyDifference {
  return { part: 'variant', how: 'differs' };
}
