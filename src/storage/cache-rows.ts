import { hash } from 'node:crypto';
import type { CacheEntry, CacheLookup, KeyParts, PieceTimes } from '../core/response-cache.js';
import type { Database, SqlValue } from './database.js';

export type CacheRow = Readonly<Record<string, SqlValue | Buffer>>;

/** Memory of an entry besides its body, and its place in the file, roughly. */
const baseBytes = 512;

/** What an entry takes, in bytes: what the limits of a cache count. */
export function measureEntry(entry: CacheEntry): number {
  const texts = entry.rawHeaders.reduce((sum, text) => sum + text.length, 0) + 24 * Object.keys(entry.parts).length;
  return baseBytes + entry.body.length + texts + 12 * entry.pieces.length;
}

/** Puts one entry in place of what there is under its key. In a transaction of the caller's. */
export function prepareEntryWrite(db: Database): (entry: CacheEntry) => void {
  const remove = db.prepare('DELETE FROM entries WHERE key = ? AND variant = ?');
  const insert = db.prepare(
    `INSERT INTO entries (key, variant, provider, api, url, model, call_id, is_bound, status, latency_ms, stored_at, expires_at,
       used_at, hits, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
  );
  const insertReply = db.prepare(
    'INSERT INTO replies (entry_seq, digest, headers, pieces, parts, body) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return (entry) => {
    remove.run(entry.key, entry.variant);
    const { lastInsertRowid } = insert.run(
      ...[entry.key, entry.variant, entry.provider, entry.api, entry.url, entry.model, entry.callId],
      ...[entry.isBound ? 1 : 0, entry.status, entry.latencyMs, entry.storedAtMs, entry.expiresAtMs],
      ...[entry.storedAtMs, measureEntry(entry)],
    );
    const headers = JSON.stringify(entry.rawHeaders);
    const pieces = JSON.stringify(entry.pieces);
    const digest = makeDigest({ headers, pieces, body: entry.body });
    insertReply.run(lastInsertRowid, digest, headers, pieces, JSON.stringify(entry.parts), entry.body);
  };
}

export const entryColumns = `e.seq, e.key, e.variant, e.provider, e.api, e.url, e.model, e.call_id, e.is_bound, e.status,
  e.latency_ms, e.stored_at, e.expires_at, e.used_at, e.hits, e.bytes`;
export const replyColumns = 'r.digest, r.headers, r.pieces, r.parts, r.body';
export const findEntrySql = `SELECT ${entryColumns}, ${replyColumns} FROM entries e JOIN replies r ON r.entry_seq = e.seq
  WHERE e.key = ? AND e.variant = ?`;

/** The entry of a row; `null` for one whose bytes are not those that were written. */
export function readEntry(row: CacheRow): CacheEntry | null {
  const { headers, pieces, body } = row;
  if (typeof headers !== 'string' || typeof pieces !== 'string' || !Buffer.isBuffer(body)) return null;
  if (makeDigest({ headers, pieces, body }) !== row.digest) return null;
  try {
    return {
      key: String(row.key),
      variant: String(row.variant),
      provider: String(row.provider),
      api: String(row.api),
      url: String(row.url),
      model: row.model === null || row.model === undefined ? null : String(row.model),
      parts: readParts(row.parts) ?? {},
      isBound: row.is_bound === 1,
      status: Number(row.status),
      rawHeaders: JSON.parse(headers) as string[],
      pieces: JSON.parse(pieces) as PieceTimes,
      body,
      callId: String(row.call_id),
      latencyMs: Number(row.latency_ms),
      storedAtMs: Number(row.stored_at),
      expiresAtMs: row.expires_at === null || row.expires_at === undefined ? null : Number(row.expires_at),
    };
  } catch {
    return null;
  }
}

export function readParts(value: CacheRow[string] | undefined): KeyParts | null {
  if (typeof value !== 'string') return null;
  try {
    return JSON.parse(value) as KeyParts;
  } catch {
    // A damaged text compares as nothing.
    return null;
  }
}

export function prepareLookupWrite(db: Database): (lookup: CacheLookup) => void {
  const insert = db.prepare(
    'INSERT INTO lookups (call_id, at, key, variant, url, api, parts, outcome, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  return (lookup) => {
    const parts = lookup.parts === null ? null : JSON.stringify(lookup.parts);
    insert.run(
      ...[lookup.callId, lookup.atMs, lookup.key, lookup.variant, lookup.url, lookup.api, parts],
      ...[lookup.outcome, lookup.reason],
    );
  };
}

function makeDigest(reply: { readonly headers: string; readonly pieces: string; readonly body: Buffer }): string {
  return hash('sha256', `${reply.headers}\n${reply.pieces}\n${hash('sha256', reply.body)}`).slice(0, 32);
}
