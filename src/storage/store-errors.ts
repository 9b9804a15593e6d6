import { type ErrorCode, findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';

/**
 * What can be done about a failed statement.
 *
 * - `locked`: another process is writing; trying again helps
 * - `full`: no room, or the device failed; trying again later can help
 * - `unopenable`: the file is not, or cannot be, a ledger
 * - `failed`: this statement will never succeed
 */
export type StoreTrouble = 'locked' | 'full' | 'unopenable' | 'failed';

const unopenableCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENOENT', 'ELOOP', 'ENAMETOOLONG']);
const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']);

/** Sorts an error of SQLite (result codes: https://www.sqlite.org/rescode.html, read 2026-11-21) or of the file system. */
export function findTrouble(error: unknown): StoreTrouble {
  if (error instanceof TrackerError) return troubleOfCode[error.code] ?? 'failed';
  const code = findSystemCode(error) ?? '';
  // SQLITE_PROTOCOL is a lost race for the locks of the write-ahead log.
  if (/^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/.test(code)) return 'locked';
  if (/^SQLITE_IOERR_(?:SHORT_)?READ/.test(code)) return 'failed';
  // A write past a file size limit or a quota is an I/O error to SQLite, not "full".
  if (/^SQLITE_(?:FULL|IOERR)/.test(code) || fullCodes.has(code)) return 'full';
  if (/^SQLITE_(?:NOTADB|CANTOPEN|READONLY|PERM|AUTH)/.test(code) || unopenableCodes.has(code)) return 'unopenable';
  return 'failed';
}

const troubleOfCode: Partial<Record<ErrorCode, StoreTrouble>> = {
  STORE_LOCKED: 'locked',
  STORE_FULL: 'full',
  STORE_UNOPENABLE: 'unopenable',
  STORE_NEWER: 'unopenable',
};

const codeOfTrouble: Record<StoreTrouble, ErrorCode> = {
  locked: 'STORE_LOCKED',
  full: 'STORE_FULL',
  unopenable: 'STORE_UNOPENABLE',
  failed: 'STORE_FAILED',
};

export const hintOfTrouble: Record<StoreTrouble, string> = {
  locked: 'Another process holds the file; end it, or try again.',
  full: 'Make room on the disk (`llmtap store prune` shrinks the ledger), or choose another folder with LLMTAP_HOME (in code: `home`).',
  unopenable:
    'Check the path and its permissions, move a damaged file away, or choose another folder with LLMTAP_HOME (in code: `home`).',
  failed: 'Move the file away to start a new ledger; `sqlite3 FILE .recover` may save what the old one holds.',
};

/** The same of a cache, which lies elsewhere. */
const cacheHintOfTrouble: Record<StoreTrouble, string> = {
  locked: hintOfTrouble.locked,
  full: 'Make room on the disk (`llmtap cache clear` empties the cache), or choose another folder with --cache-dir (in code: `cacheDir`).',
  unopenable: 'Check the path and its permissions, or choose another folder with --cache-dir (in code: `cacheDir`).',
  failed: 'Move the file away to start a new cache.',
};

export interface StoreAttempt {
  /** What was attempted, as a verb phrase: `open the ledger`. */
  readonly action: string;
  readonly path: string;
  /** While opening, a damaged file is as good as none. */
  readonly opening?: boolean;
}

/** The error to throw for one of SQLite's, with the file of a cache. */
export function makeCacheError(error: unknown, attempt: StoreAttempt): TrackerError {
  return makeStoreError(error, attempt, cacheHintOfTrouble);
}

/** The error to throw for one of SQLite's. */
export function makeStoreError(error: unknown, attempt: StoreAttempt, hints = hintOfTrouble): TrackerError {
  if (error instanceof TrackerError) return error;
  const found = findTrouble(error);
  const trouble = found === 'failed' && attempt.opening === true ? 'unopenable' : found;
  const said = readErrorMessage(error);
  const code = findSystemCode(error);
  const reason = code === null || said.includes(code) ? said : `${said} (${code})`;
  return new TrackerError(codeOfTrouble[trouble], `Could not ${attempt.action} at ${attempt.path}: ${reason}.`, {
    cause: error,
    hint: hints[trouble],
  });
}
