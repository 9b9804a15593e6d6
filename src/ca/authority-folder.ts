import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import { makeTemporaryPath, temporaryPattern } from './atomic-file.js';
import { makeFolder } from './paths.js';

/**
 * Generations of the authority on disk: `authority-1/`, `authority-2/` …, each with `key.pem` and `cert.pem`.
 *
 * A generation is written in a folder of its own and appears by one rename, which fails when the name is taken: key
 * and certificate cannot mismatch, and of several processes exactly one wins. A root is never replaced in place; a
 * renewal or reset is the next generation, so that what running programs were pointed at stays as it was.
 */
const generationPattern = /^authority-(\d{1,9})$/;
const staleTemporaryMs = 3_600_000;
const hasModes = process.platform !== 'win32';
const resetHint = 'Run `llmtap ca reset` to make a new one, or set LLMTAP_HOME (in code: `home`).';

/** Key and certificate, both PEM. */
export interface AuthorityPair {
  readonly keyPem: string;
  readonly certPem: string;
}

export interface GenerationPaths {
  readonly folder: string;
  readonly key: string;
  readonly cert: string;
}

export function makeGenerationPaths(caFolder: string, generation: number): GenerationPaths {
  const folder = join(caFolder, `authority-${generation}`);
  return { folder, key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
}

/** Makes the folder with mode 0700 and repairs a wider one. Throws `CA_UNWRITABLE`. */
export function requireCaFolder(caFolder: string): void {
  try {
    makeFolder(caFolder);
    if (hasModes && (statSync(caFolder).mode & 0o077) !== 0) chmodSync(caFolder, 0o700);
  } catch (error) {
    throw makeWriteError('make the CA folder', caFolder, error);
  }
}

/** The newest generation's number; 0 when there is none. */
export function readNewestGeneration(caFolder: string): number {
  const numbers = readNames(caFolder).map((name) => Number(generationPattern.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

/**
 * Installs a pair as one generation. Returns false when another process was first. Throws `CA_UNWRITABLE`.
 */
export function installGeneration(caFolder: string, generation: number, pair: AuthorityPair): boolean {
  const target = makeGenerationPaths(caFolder, generation).folder;
  const temporary = makeTemporaryPath(target);
  try {
    mkdirSync(temporary, { mode: 0o700 });
    writeDurably(join(temporary, 'key.pem'), pair.keyPem, 0o600);
    writeDurably(join(temporary, 'cert.pem'), pair.certPem, 0o644);
    renameSync(temporary, target);
    return true;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (existsSync(target)) return false;
    throw makeWriteError('write the CA', target, error);
  }
}

/**
 * Reads one generation and takes the key back from everybody but its owner. Throws `CA_UNREADABLE`.
 */
export function readGeneration(caFolder: string, generation: number): AuthorityPair {
  const paths = makeGenerationPaths(caFolder, generation);
  if (hasModes) repairFolderMode(paths.folder);
  return { keyPem: readKey(paths.key), certPem: readText('certificate', paths.cert) };
}

/**
 * Deletes the keys of generations before this one. Their certificates stay: programs may still be pointed at them.
 * Also what processes killed while creating left behind. Never throws; what could not be deleted waits for the next time.
 */
export function retireGenerations(caFolder: string, before: number): void {
  for (const name of readNames(caFolder)) {
    const path = join(caFolder, name);
    const generation = Number(generationPattern.exec(name)?.[1] ?? before);
    try {
      if (generation < before) rmSync(join(path, 'key.pem'), { force: true });
      if (temporaryPattern.test(name) && statSync(path).mtimeMs < Date.now() - staleTemporaryMs) {
        rmSync(path, { recursive: true, force: true });
      }
    } catch {
      // Somebody else's file, or gone already: nothing of this run depends on it.
    }
  }
}

export function makeWriteError(what: string, path: string, cause: unknown): TrackerError {
  const hint = 'Make the folder writable for you, or set LLMTAP_HOME (in code: `home`) to one that is.';
  return new TrackerError('CA_UNWRITABLE', `Could not ${what} at ${path}: ${describe(cause)}.`, { cause, hint });
}

function readNames(caFolder: string): readonly string[] {
  try {
    return readdirSync(caFolder);
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return [];
    throw makeReadError('folder', caFolder, error);
  }
}

function readKey(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      if (hasModes && (fstatSync(file).mode & 0o077) !== 0) fchmodSync(file, 0o600);
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw makeReadError('key', path, error);
  }
}

function readText(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw makeReadError(what, path, error);
  }
}

function repairFolderMode(folder: string): void {
  try {
    if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
  } catch (error) {
    throw makeReadError('folder', folder, error);
  }
}

/** Power may fail right after the rename: the content must be on disk before the name is. */
function writeDurably(path: string, content: string, mode: number): void {
  const file = openSync(path, 'wx', mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** `CA_UNREADABLE`, with the file's mode where it can be told. */
export function makeReadError(what: string, path: string, cause: unknown): TrackerError {
  const message = `Could not read the CA ${what} at ${path}${describeMode(path)}: ${describe(cause)}.`;
  return new TrackerError('CA_UNREADABLE', message, { cause, hint: resetHint });
}

function describeMode(path: string): string {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? '' : ` (mode ${(found.mode & 0o777).toString(8).padStart(3, '0')})`;
  } catch {
    // A folder above it may not be entered; the error itself says so.
    return '';
  }
}

function describe(error: unknown): string {
  const code = findSystemCode(error);
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file stands where a folder should be';
  if (code === 'EROFS') return 'the file system is read-only';
  if (code === 'ENOSPC') return 'the disk is full';
  return readErrorMessage(error);
}
