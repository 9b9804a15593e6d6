import type { Clock } from '../core/clock.js';
import type { CacheEntry, CacheLookup } from '../core/response-cache.js';
import { readCacheFacts } from './cache-file.js';
import { measureEntry, prepareEntryWrite, prepareLookupWrite } from './cache-rows.js';
import type { Database } from './database.js';
import type { LedgerFault } from './losses.js';

export interface CacheLimits {
  readonly maxBytes?: number;
  readonly maxEntries?: number;
}

const usualMaxBytes = 1024 ** 3;
const usualMaxEntries = 1_000_000;
/** Emptied to this part of a limit at once, so that not every write has to. */
const emptiedTo = 0.95;
const batchBytes = 4 * 1024 * 1024;
const batchWrites = 500;
/** What may wait for a file that cannot be written. */
const mostWaitingBytes = 64 * 1024 * 1024;
const mostWaitingLookups = 50_000;
/** Calls `why` can tell of. */
const mostLookups = 20_000;
const mostPagesFreed = 256;

export interface CacheWritesOptions {
  readonly limits: CacheLimits;
  readonly clock: Clock;
  readonly onLost: (fault: LedgerFault) => void;
}

/** What waits to be written into a cache, in memory and bounded, and how it is written. */
export class CacheWrites {
  readonly #options: CacheWritesOptions;
  readonly #entries = new Map<string, CacheEntry>();
  readonly #uses = new Map<string, { readonly key: string; readonly variant: string; atMs: number; hits: number }>();
  #lookups: CacheLookup[] = [];
  #bytes = 0;
  #prepared: { readonly db: Database; readonly statements: ReturnType<typeof prepare> } | null = null;

  constructor(options: CacheWritesOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0 && this.#uses.size === 0 && this.#lookups.length === 0;
  }

  /** `undefined` for what is not waiting. */
  find(key: string, variant: string): CacheEntry | undefined {
    return this.#entries.get(makeId(key, variant));
  }

  put(entry: CacheEntry): void {
    const bytes = measureEntry(entry);
    if (bytes > (this.#options.limits.maxBytes ?? usualMaxBytes)) return;
    this.#forget(makeId(entry.key, entry.variant));
    this.#entries.set(makeId(entry.key, entry.variant), entry);
    this.#bytes += bytes;
    let lost = 0;
    for (const id of this.#entries.keys()) {
      if (this.#bytes <= mostWaitingBytes || this.#entries.size === 1) break;
      this.#forget(id);
      lost += 1;
    }
    if (lost > 0) this.tellLost('more waited to be written than is kept in memory');
  }

  noteUse({ key, variant }: Pick<CacheEntry, 'key' | 'variant'>, atMs: number): void {
    const known = this.#uses.get(makeId(key, variant));
    if (known !== undefined) Object.assign(known, { atMs, hits: known.hits + 1 });
    else if (this.#uses.size < mostWaitingLookups)
      this.#uses.set(makeId(key, variant), { key, variant, atMs, hits: 1 });
  }

  noteLookup(lookup: CacheLookup): void {
    if (this.#lookups.length < mostWaitingLookups) this.#lookups.push(lookup);
  }

  forgetEntries(): void {
    this.#entries.clear();
    this.#uses.clear();
    this.#lookups = [];
    this.#bytes = 0;
  }

  /** Nothing of what waits can be written: it is given up, so that memory is not. */
  drop(): void {
    this.forgetEntries();
  }

  tellLost(why: string): void {
    const message = `Replies were not kept in the cache: ${why}.`;
    this.#options.onLost({ code: 'STORE_FAILED', message, hint: null });
  }

  /** Writes the first of what waits, in one transaction, and deletes what the limits leave no room for. Throws errors of SQLite. */
  writeBatch(db: Database): void {
    if (this.#prepared?.db !== db) this.#prepared = { db, statements: prepare(db) };
    const { statements } = this.#prepared;
    const entries = this.#peekEntries();
    const uses = entries.length < this.#entries.size ? [] : [...this.#uses.values()].slice(0, batchWrites);
    const lookups = this.#lookups.slice(0, batchWrites);
    db.transaction(() => {
      for (const entry of entries) statements.putEntry(entry);
      for (const { key, variant, atMs, hits } of uses) statements.noteUse.run(atMs, hits, key, variant);
      const hits = uses.reduce((sum, use) => sum + use.hits, 0);
      if (hits > 0) statements.countHits.run(hits);
      for (const lookup of lookups) statements.putLookup(lookup);
      if (lookups.length > 0) statements.trimLookups.run(mostLookups);
      if (entries.length > 0) this.#makeRoom(db);
    }).immediate();
    for (const { key, variant } of entries) this.#forget(makeId(key, variant));
    for (const { key, variant } of uses) this.#uses.delete(makeId(key, variant));
    this.#lookups = this.#lookups.slice(lookups.length);
  }

  #peekEntries(): CacheEntry[] {
    const entries: CacheEntry[] = [];
    let bytes = 0;
    for (const entry of this.#entries.values()) {
      bytes += measureEntry(entry);
      if (entries.length > 0 && (bytes > batchBytes || entries.length >= batchWrites)) break;
      entries.push(entry);
    }
    return entries;
  }

  #forget(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= measureEntry(entry);
  }

  /** What is too old goes first, then what was used longest ago. */
  #makeRoom(db: Database): void {
    const statements = this.#prepared?.statements;
    if (statements === undefined) return;
    const { maxBytes = usualMaxBytes, maxEntries = usualMaxEntries } = this.#options.limits;
    statements.dropExpired.run(Date.parse(this.#options.clock.nowIso()), batchWrites);
    let { entries, bytes } = readCacheFacts(db);
    if (entries <= maxEntries && bytes <= maxBytes) return;
    const isRoomy = () => entries <= Math.ceil(maxEntries * emptiedTo) && bytes <= maxBytes * emptiedTo;
    while (entries > 0 && !isRoomy()) {
      for (const row of statements.listOldest.all() as { seq: number; bytes: number }[]) {
        if (isRoomy()) break;
        statements.drop.run(row.seq);
        entries -= 1;
        bytes -= row.bytes;
      }
    }
    db.pragma(`incremental_vacuum(${mostPagesFreed})`);
  }
}

function prepare(db: Database) {
  return {
    putEntry: prepareEntryWrite(db),
    putLookup: prepareLookupWrite(db),
    noteUse: db.prepare('UPDATE entries SET used_at = max(used_at, ?), hits = hits + ? WHERE key = ? AND variant = ?'),
    countHits: db.prepare("UPDATE facts SET value = value + ? WHERE name = 'hits'"),
    trimLookups: db.prepare('DELETE FROM lookups WHERE seq <= (SELECT max(seq) FROM lookups) - ?'),
    dropExpired: db.prepare(
      'DELETE FROM entries WHERE seq IN (SELECT seq FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)',
    ),
    listOldest: db.prepare('SELECT seq, bytes FROM entries ORDER BY used_at, seq LIMIT 200'),
    drop: db.prepare('DELETE FROM entries WHERE seq = ?'),
  };
}

/** No key has a line break in it. */
function makeId(key: string, variant: string): string {
  return `${key}\n${variant}`;
}
