import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findSystemCode, TrackerError } from '../core/errors.js';
import { connectFile, type Database, makePrivateFile, readPragma } from './database.js';
import { makeCacheError } from './store-errors.js';

/** Marks a file as a cache of replies: `ltrc` in ASCII. */
const applicationId = 0x6c747263;
const schemaVersion = 1;

/** Several processes may make the file at once, and each waits for its turn. */
const openTimeoutMs = 1000;
/** Long enough to outlast another process's commit, short enough not to be felt by a call. */
export const cacheBusyTimeoutMs = 10;

/**
 * What is read for a hit stands apart from what is counted, listed and marked as used, so that a use writes a few bytes.
 * The totals are kept by triggers: counting a million entries takes longer than a call may.
 */
const schema = `
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL, variant TEXT NOT NULL,
    provider TEXT NOT NULL, api TEXT NOT NULL, url TEXT NOT NULL, model TEXT, call_id TEXT NOT NULL,
    is_bound INTEGER NOT NULL, status INTEGER NOT NULL, latency_ms REAL NOT NULL,
    stored_at INTEGER NOT NULL, expires_at INTEGER, used_at INTEGER NOT NULL, hits INTEGER NOT NULL, bytes INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX entries_by_key ON entries (key, variant);
  CREATE INDEX entries_by_use ON entries (used_at);
  CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX entries_by_url ON entries (url, stored_at);

  CREATE TABLE replies (
    entry_seq INTEGER PRIMARY KEY REFERENCES entries (seq) ON DELETE CASCADE,
    digest TEXT NOT NULL, headers TEXT NOT NULL, pieces TEXT NOT NULL, parts TEXT NOT NULL, body BLOB NOT NULL
  );

  CREATE TABLE lookups (
    seq INTEGER PRIMARY KEY, call_id TEXT NOT NULL, at INTEGER NOT NULL, key TEXT, variant TEXT,
    url TEXT NOT NULL, api TEXT NOT NULL, parts TEXT, outcome TEXT NOT NULL, reason TEXT
  );
  CREATE INDEX lookups_by_call ON lookups (call_id);

  CREATE TABLE facts (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
  INSERT INTO facts VALUES ('entries', 0), ('bytes', 0), ('hits', 0);
  CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN
    UPDATE facts SET value = value + 1 WHERE name = 'entries';
    UPDATE facts SET value = value + new.bytes WHERE name = 'bytes';
  END;
  CREATE TRIGGER entry_gone AFTER DELETE ON entries BEGIN
    UPDATE facts SET value = value - 1 WHERE name = 'entries';
    UPDATE facts SET value = value - old.bytes WHERE name = 'bytes';
  END;
`;

/**
 * Opens a cache for writing, made where need be: mode 0600, WAL. A folder made for it is kept out of git. `null` is one
 * in memory. Throws `STORE_UNOPENABLE`, `STORE_NEWER`, `STORE_LOCKED`, `STORE_FULL`.
 */
export function openCacheFile(path: string | null): Database {
  let db: Database | null = null;
  try {
    if (path !== null) makePlace(path);
    db = connectFile(path ?? ':memory:', { busyTimeoutMs: openTimeoutMs });
    refuseForeign(db, path ?? ':memory:');
    db.pragma('auto_vacuum = INCREMENTAL');
    if (path !== null && readPragma(db, 'journal_mode') !== 'wal') db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    db.pragma('foreign_keys = ON');
    db.pragma('journal_size_limit = 4194304');
    makeSchema(db);
    db.pragma(`busy_timeout = ${cacheBusyTimeoutMs}`);
    return db;
  } catch (error) {
    db?.close();
    throw error instanceof TrackerError || isDamage(error)
      ? error
      : makeCacheError(error, { action: 'open the cache', path: path ?? ':memory:', opening: true });
  }
}

/** Opens a cache for a command that reads; `null` when there is none. Throws as `openCacheFile` does. */
export function openReadableCache(path: string): Database | null {
  if (!existsSync(path)) return null;
  let db: Database | null = null;
  try {
    db = connectFile(path, { busyTimeoutMs: 5000, readonly: true });
    // One whose maker has not yet filled it reads as none.
    if (refuseForeign(db, path) === schemaVersion) return db;
    db.close();
    return null;
  } catch (error) {
    db?.close();
    throw makeCacheError(error, { action: 'open the cache', path, opening: true });
  }
}

/** Whether SQLite says that the file is no database, or a broken one. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(?:NOTADB|CORRUPT)/.test(findSystemCode(error) ?? '');
}

/** Which file stands at a path now, so that one that was put aside meanwhile is known; `null` for none. */
export function readFileIdentity(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
}

/** Gives a damaged file another name, with what belongs to it; returns the name. */
export function setAside(path: string, nowIso: string): string {
  const aside = `${path}.damaged-${nowIso.replaceAll(/[:.]/g, '-')}`;
  for (const end of ['', '-wal', '-shm'])
    if (existsSync(`${path}${end}`)) renameSync(`${path}${end}`, `${aside}${end}`);
  return aside;
}

function makePlace(path: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // What models said does not belong into a repository by accident.
    writeFileSync(`${folder}/.gitignore`, '*\n', { mode: 0o600 });
  }
  makePrivateFile(path);
}

function refuseForeign(db: Database, path: string): number {
  const version = Number(readPragma(db, 'user_version'));
  const id = Number(readPragma(db, 'application_id'));
  const isEmpty = version === 0 && id === 0 && db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  const hint = 'Move the file away, or choose another place with --cache-dir (in code: `cacheDir`).';
  if (!isEmpty && id !== applicationId) {
    const message = `Could not open the cache at ${path}: the file is an SQLite database of another program (application id ${id}).`;
    throw new TrackerError('STORE_UNOPENABLE', message, { hint });
  }
  if (version > schemaVersion) {
    const message = `Could not open the cache at ${path}: a newer llmtap wrote it (schema ${version}; this one knows ${schemaVersion}).`;
    throw new TrackerError('STORE_NEWER', message, { hint });
  }
  return version;
}

/** Safe when several processes make the file at once: the version is read again under the write lock. */
function makeSchema(db: Database): void {
  if (Number(readPragma(db, 'user_version')) >= schemaVersion) return;
  db.transaction(() => {
    if (Number(readPragma(db, 'user_version')) >= schemaVersion) return;
    db.exec(schema);
    db.prepare("INSERT INTO facts VALUES ('salt', ?)").run(randomBytes(32).toString('hex'));
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${schemaVersion}`);
  }).immediate();
}

/** What a cache knows of itself: its salt, and how much it holds. */
export function readCacheFacts(db: Database) {
  const rows = db.prepare('SELECT name, value FROM facts').all() as { name: string; value: string | number }[];
  const find = (name: string) => rows.find((row) => row.name === name)?.value;
  return {
    salt: String(find('salt') ?? ''),
    entries: Number(find('entries') ?? 0),
    bytes: Number(find('bytes') ?? 0),
    hits: Number(find('hits') ?? 0),
  };
}
