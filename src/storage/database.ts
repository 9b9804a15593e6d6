import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { findSystemCode, TrackerError } from '../core/errors.js';
import { applicationId, migrate, schemaVersion } from './migrations.js';
import { makeStoreError } from './store-errors.js';

/** A connection. This file is the one door to better-sqlite3; the rest of the folder takes its types from here. */
export type Database = BetterSqlite3.Database;
export type Statement = BetterSqlite3.Statement<unknown[], unknown>;
export type SqlValue = string | number | Buffer | null;

/** Where the ledger of a home lies. */
export function makeStorePath(home: string): string {
  return join(home, 'llmtap.db');
}

/** Which ledger: the one of a home, or a file of its own. */
export type StorePlace = { readonly home: string } | { readonly path: string };

export function makePlacePath(place: StorePlace): string {
  return 'path' in place ? place.path : makeStorePath(place.home);
}

export interface WritableOptions {
  readonly path: string;
  /** How long a statement may wait for another process's lock, milliseconds; the thread sleeps meanwhile. */
  readonly busyTimeoutMs: number;
  /** An upper bound for the file, in pages of 4096 bytes. */
  readonly maxPages?: number;
}

/**
 * Pages of write-ahead log (4096 bytes each) after which a commit checkpoints by itself, when writing never pauses
 * long enough for the writer to do so. Such a commit blocks the event loop for as long as the copying takes; longest
 * save measured on ext4, two cores, bodies of 50 KB: 7 ms at 500 pages, 13 ms at 1000 (SQLite's own), 49 ms at 4000,
 * for the same cost per call.
 */
const walAutocheckpointPages = 500;

/**
 * Opens the ledger for writing, made and migrated where need be: file mode 0600 in a folder of mode 0700, WAL,
 * synchronous NORMAL (a commit survives the death of the process without an fsync).
 *
 * Throws `STORE_UNOPENABLE`, `STORE_NEWER`, and, where trying again later can help, `STORE_LOCKED` or `STORE_FULL`.
 */
export function openWritable(options: WritableOptions): Database {
  let db: Database | null = null;
  try {
    makePrivateFile(options.path);
    db = new BetterSqlite3(options.path, { timeout: options.busyTimeoutMs });
    refuseForeign(db, options.path);
    setUp(db, options);
    migrate(db);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof TrackerError) throw error;
    throw makeStoreError(error, { action: 'open the ledger', path: options.path, opening: true });
  }
}

/**
 * Opens the ledger for reading only; `null` when there is none yet. Throws as `openWritable` does.
 */
export function openReadable(path: string, busyTimeoutMs: number): Database | null {
  let db: Database | null = null;
  try {
    if (!isThere(path)) return null;
    db = connectReadable(path, busyTimeoutMs);
    const version = refuseForeign(db, path);
    if (version === schemaVersion) return db;
    db.close();
    // NOTE: version 0 is a file some writer has made but not yet filled.
    if (version === 0) return null;
    openWritable({ path, busyTimeoutMs }).close();
    return connectReadable(path, busyTimeoutMs);
  } catch (error) {
    db?.close();
    if (error instanceof TrackerError) throw error;
    throw makeStoreError(error, { action: 'open the ledger', path, opening: true });
  }
}

/** Whether a file is there. Throws where that cannot be told: what may not be looked at is not taken for absent. */
export function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * A connection to a file of another kind, made and set up by who asks. `:memory:` is none. Throws errors of SQLite.
 */
export function connectFile(
  path: string,
  options: { readonly busyTimeoutMs: number; readonly readonly?: boolean },
): Database {
  return new BetterSqlite3(path, { timeout: options.busyTimeoutMs, readonly: options.readonly === true });
}

function connectReadable(path: string, busyTimeoutMs: number): Database {
  const db = connectFile(path, { busyTimeoutMs, readonly: true });
  db.pragma('query_only = ON');
  return db;
}

/** Makes a file only its owner can read. SQLite gives `-wal` and `-shm` the mode of the file itself, so making that one first settles all three. */
export function makePrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) !== 0) chmodSync(file, 0o600);
  }
}

function setUp(db: Database, options: WritableOptions): void {
  // NOTE: auto_vacuum only takes before the first page is written, so it comes before WAL does that.
  db.pragma('auto_vacuum = INCREMENTAL');
  if (readPragma(db, 'journal_mode') !== 'wal') db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.pragma('foreign_keys = ON');
  db.pragma(`wal_autocheckpoint = ${walAutocheckpointPages}`);
  // After a checkpoint the log keeps its size on disk; this is how much of it may stay.
  db.pragma('journal_size_limit = 4194304');
  if (options.maxPages !== undefined) db.pragma(`max_page_count = ${options.maxPages}`);
}

/** Throws unless the file is empty or a ledger this program can read; returns its schema version. */
function refuseForeign(db: Database, path: string): number {
  // One look: what another process makes of an empty file between two of them would be neither empty nor ours.
  const { version, id, isEmpty } = db.transaction(() => lookInto(db)).deferred();
  if (!isEmpty && id !== applicationId) {
    throw new TrackerError(
      'STORE_UNOPENABLE',
      `Could not open the ledger at ${path}: the file is an SQLite database of another program (application id ${id}).`,
      { hint: 'Move the file away, or choose another folder with LLMTAP_HOME (in code: `home`).' },
    );
  }
  if (version > schemaVersion) {
    throw new TrackerError(
      'STORE_NEWER',
      `Could not open the ledger at ${path}: a newer llmtap wrote it (schema ${version}; this one knows ${schemaVersion}).`,
      { hint: 'Upgrade llmtap, or choose another folder with LLMTAP_HOME (in code: `home`).' },
    );
  }
  return version;
}

function lookInto(db: Database): { readonly version: number; readonly id: number; readonly isEmpty: boolean } {
  const version = Number(readPragma(db, 'user_version'));
  const id = Number(readPragma(db, 'application_id'));
  const isEmpty = version === 0 && id === 0 && db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  return { version, id, isEmpty };
}

/** The value of a pragma that answers with one. */
export function readPragma(db: Database, name: string): unknown {
  return db.pragma(name, { simple: true });
}
