import { accessSync, constants, existsSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';

const homeHint = 'Set LLMTAP_HOME (in code: `home`) to a folder of your own that can be written to.';

/** Where the certificate authority of one home keeps its files. All paths are absolute. */
export interface CaPaths {
  readonly home: string;
  /** Mode 0700. Holds everything below, and the bundles. */
  readonly folder: string;
  /** A copy of the current root certificate (PEM, no key) under a name that stays the same when the root is renewed. */
  readonly cert: string;
}

/**
 * The folder llmtap keeps its files in: `LLMTAP_HOME` made absolute, else the platform's folder for user data.
 * Creates nothing.
 *
 * Throws `HOME_UNUSABLE` when the result is no absolute path, cannot be looked at, or is something other than a folder.
 */
export function findHome(env: Readonly<Record<string, string | undefined>>): string {
  const named = env.LLMTAP_HOME;
  const home = named === undefined || named === '' ? envPaths('llmtap', { suffix: '' }).data : resolve(named);
  if (home.includes('\0') || !isAbsolute(home)) {
    throw new TrackerError('HOME_UNUSABLE', `The home folder ${JSON.stringify(home)} is not an absolute path.`, {
      hint: homeHint,
    });
  }
  const found = findStats(home);
  if (found !== undefined && !found.isDirectory()) throw makeHomeError(home, 'it exists and is not a folder');
  return home;
}

/** `undefined` where nothing is. A folder above may be closed to us. */
function findStats(home: string): Stats | undefined {
  try {
    return statSync(home, { throwIfNoEntry: false });
  } catch (error) {
    throw makeHomeError(home, readErrorMessage(error), error);
  }
}

/**
 * Makes the home with mode 0700 when it is absent and checks that files can be made in it. Returns it.
 * Throws `HOME_UNUSABLE`.
 */
export function requireHome(home: string): string {
  if (!isAbsolute(home)) throw makeHomeError(home, 'it is not an absolute path');
  try {
    makeFolder(home);
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw makeHomeError(home, describeHomeProblem(error), error);
  }
  return home;
}

export function makeCaPaths(home: string): CaPaths {
  const folder = join(home, 'ca');
  return Object.freeze({ home, folder, cert: join(folder, 'llmtap-ca.pem') });
}

/**
 * Makes a folder, and those above it, with mode 0700; one that exists stays as it is. Throws what the system throws,
 * `ENOTDIR` when something else is there.
 *
 * NOTE: not `mkdirSync`'s own `recursive`: on Node 20 that never returns where a folder exists and takes no new one,
 * as `/proc` does (measured).
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = findSystemCode(error);
    if (code === 'EEXIST' || existsSync(path)) return requireFolder(path);
    const above = dirname(path);
    if (code !== 'ENOENT' || existsSync(above)) throw error;
    makeFolder(above);
    makeFolder(path);
  }
}

function requireFolder(path: string): void {
  if (!statSync(path).isDirectory()) throw Object.assign(new Error(`${path} is no folder`), { code: 'ENOTDIR' });
}

function describeHomeProblem(error: unknown): string {
  const code = findSystemCode(error);
  if (code === 'ENOTDIR') return 'it, or a folder above it, is a file';
  if (code === 'ENOENT') return 'no folder can be made there';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EROFS') return 'the file system is read-only';
  if (code === 'ENOSPC') return 'the disk is full';
  return readErrorMessage(error);
}

function makeHomeError(home: string, found: string, cause?: unknown): TrackerError {
  return new TrackerError('HOME_UNUSABLE', `Could not use ${home} as the home folder: ${found}.`, {
    hint: homeHint,
    ...(cause === undefined ? {} : { cause }),
  });
}
