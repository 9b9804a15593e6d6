import { type Clock, systemClock } from '../core/clock.js';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import type { CacheEntry, CacheLookup, CachePlace, CacheStore } from '../core/response-cache.js';
import { isDamage, openCacheFile, readCacheFacts, readFileIdentity, setAside } from './cache-file.js';
import { type CacheRow, findEntrySql, readEntry } from './cache-rows.js';
import { CacheWrites } from './cache-writes.js';
import type { Database, Statement } from './database.js';
import type { LedgerFault } from './losses.js';
import { findTrouble, makeCacheError } from './store-errors.js';

/** An entry is in the file a second after it was put, also where the file was locked meanwhile. */
const flushMs = 400;
/** Another process's commit is over sooner; a file that is locked for longer is a fault. */
const lockPatienceMs = 1000;

export interface CacheStoreOptions extends CachePlace {
  readonly onFault: (fault: LedgerFault) => void;
  readonly clock?: Clock;
}

/**
 * Opens a cache of replies. Several processes may share a file: each sees what the others have written. Never throws: a
 * file that is no database is put aside and a new one begun, and where none can be had entries are kept in memory; both are
 * faults.
 */
export function openCacheStore(options: CacheStoreOptions): CacheStore {
  return new SqliteCacheStore(options);
}

interface OpenFile {
  readonly db: Database;
  readonly find: Statement;
  readonly path: string | null;
  /** Which file it was when it was opened. */
  readonly identity: string | null;
}

class SqliteCacheStore implements CacheStore {
  readonly #options: CacheStoreOptions;
  readonly #clock: Clock;
  readonly #writes: CacheWrites;
  #file: OpenFile;
  #salt: string;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  /** Since when nothing could be written because another process holds the file; `null` when it could. */
  #lockedSinceMs: number | null = null;
  /** Faults said, one of a kind until the file can be written again. */
  readonly #said = new Set<string>();

  constructor(options: CacheStoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#file = this.#open();
    this.#salt = readCacheFacts(this.#file.db).salt;
    this.#writes = new CacheWrites({ limits: options, clock: this.#clock, onLost: (why) => this.#say('lost', why) });
  }

  get salt(): string {
    return this.#salt;
  }

  find(key: string, variant: string): CacheEntry | null {
    if (this.#isClosed) return null;
    const waiting = this.#writes.find(key, variant);
    if (waiting !== undefined) return waiting;
    try {
      const row = this.#file.find.get(key, variant) as CacheRow | undefined;
      if (row === undefined) return null;
      const entry = readEntry(row);
      if (entry === null) this.#dropDamaged(row);
      return entry;
    } catch (error) {
      this.#onFailure(error, 'read the cache');
      return null;
    }
  }

  put(entry: CacheEntry): void {
    if (this.#isClosed) return;
    this.#writes.put(entry);
    this.#schedule();
  }

  noteUse(entry: Pick<CacheEntry, 'key' | 'variant'>, atMs: number): void {
    if (this.#isClosed) return;
    this.#writes.noteUse(entry, atMs);
    this.#schedule();
  }

  noteLookup(lookup: CacheLookup): void {
    if (this.#isClosed) return;
    this.#writes.noteLookup(lookup);
    this.#schedule();
  }

  clear(): number {
    this.#writes.forgetEntries();
    try {
      const { db } = this.#file;
      return db.transaction(() => {
        const { entries } = readCacheFacts(db);
        db.exec('DELETE FROM entries; DELETE FROM lookups;');
        return entries;
      })();
    } catch (error) {
      this.#onFailure(error, 'clear the cache');
      return 0;
    }
  }

  flush(): boolean {
    while (!this.#writes.isEmpty) if (!this.#writeBatch()) return false;
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    // Somebody else's commit is outlasted: nobody's call waits any more.
    this.#pragma('busy_timeout = 1000');
    if (!this.flush()) this.#writes.tellLost('it could not be written before the end');
    this.#isClosed = true;
    this.#file.db.close();
  }

  #schedule(): void {
    if (this.#timer === null) this.#timer = setTimeout(() => this.#onTimer(), flushMs).unref();
  }

  /** A batch a turn of the loop: calls go on between them. */
  #onTimer(): void {
    this.#timer = null;
    if (this.#isClosed || this.#writes.isEmpty) return;
    if (!this.#writeBatch()) this.#schedule();
    else if (!this.#writes.isEmpty) setImmediate(() => this.#onTimer());
  }

  #writeBatch(): boolean {
    try {
      this.#writes.writeBatch(this.#file.db);
      this.#said.clear();
      this.#lockedSinceMs = null;
      return true;
    } catch (error) {
      const isLocked = findTrouble(error) === 'locked';
      if (!isLocked) this.#writes.drop();
      if (!isLocked || this.#isLockedForLong()) this.#onFailure(error, 'write to the cache');
      return false;
    }
  }

  #isLockedForLong(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#lockedSinceMs ??= nowMs;
    return nowMs - this.#lockedSinceMs >= lockPatienceMs;
  }

  #dropDamaged(row: CacheRow): void {
    const message = `An entry of the cache at ${this.#place} was not as it was written, and was deleted (key ${String(row.key).slice(0, 12)}).`;
    this.#say('row', { code: 'CACHE_DAMAGED', message, hint: null });
    this.#file.db.prepare('DELETE FROM entries WHERE seq = ?').run(row.seq);
  }

  get #place(): string {
    return this.#file.path ?? ':memory:';
  }

  #onFailure(error: unknown, action: string): void {
    if (isDamage(error)) return this.#replaceFile(error);
    const { code, message, hint } = makeCacheError(error, { action, path: this.#place });
    this.#say(code, { code, message: `${message} Calls go to their providers.`, hint });
  }

  #replaceFile(error: unknown): void {
    const { db, path, identity } = this.#file;
    db.close();
    try {
      // NOTE: by its identity: another process may have put it aside already, and what stands there is new.
      if (path !== null && readFileIdentity(path) === identity) this.#setAside(path, error);
    } catch {
      // What cannot be put aside cannot be opened either, which is said.
    }
    this.#file = this.#open();
    this.#salt = readCacheFacts(this.#file.db).salt;
  }

  /** A damaged file is put aside once, by whichever process comes first. */
  #open(): OpenFile {
    const path = this.#options.path;
    const before = path === null ? null : readFileIdentity(path);
    try {
      return this.#connect(path);
    } catch (error) {
      if (path === null || !isDamage(error)) return this.#openInMemory(error);
      try {
        if (readFileIdentity(path) === before) this.#setAside(path, error);
        return this.#connect(path);
      } catch (second) {
        return this.#openInMemory(second);
      }
    }
  }

  #connect(path: string | null): OpenFile {
    const db = openCacheFile(path);
    try {
      return { db, find: db.prepare(findEntrySql), path, identity: path === null ? null : readFileIdentity(path) };
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #setAside(path: string, cause: unknown): void {
    const aside = setAside(path, this.#clock.nowIso());
    const message = `The cache at ${path} is damaged (${readErrorMessage(cause)}): it was put aside as ${aside}, and a new one begun.`;
    const hint = 'Delete it; `sqlite3 FILE .recover` may save what it holds.';
    this.#say('file', { code: 'CACHE_DAMAGED', message, hint });
  }

  #openInMemory(error: unknown): OpenFile {
    const { code, message, hint } =
      error instanceof TrackerError
        ? error
        : makeCacheError(error, { action: 'open the cache', path: this.#options.path ?? ':memory:', opening: true });
    this.#say(code, { code, message: `${message} What is cached in this run is kept in memory.`, hint });
    return this.#connect(null);
  }

  #pragma(text: string): void {
    try {
      this.#file.db.pragma(text);
    } catch {
      // What was set before holds.
    }
  }

  #say(kind: string, fault: LedgerFault): void {
    if (this.#said.has(kind)) return;
    this.#said.add(kind);
    // Never within the constructor: who is told may not have what it opens yet.
    queueMicrotask(() => this.#options.onFault(fault));
  }
}
