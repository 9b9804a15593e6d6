import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import { findFileText } from './regular-file.js';
import { findOwner, findOwnIdentity, formatOwner, judgeOwner, type SessionOwner } from './session-owner.js';
import { makeSessionPaths } from './session-paths.js';

export interface SessionFilesOptions {
  /** Absolute. */
  readonly home: string;
  /** `sess_` and 12 hexadecimal digits. */
  readonly sessionId: string;
  /** Its `WGETRC` and `HOME` say which settings of the user's own are kept. */
  readonly parentEnv: Readonly<Record<string, string | undefined>>;
  readonly proxyUrl: string;
  /** PEM file of the system's roots and ours; wget's own `ca_certificate`, where the user has one, is given to `bundleFor`. */
  readonly bundlePath: string;
  /** As in `makeChildEnv`; when absent a file named in the user's wgetrc gives way to `bundlePath`. */
  readonly bundleFor?: (userFile: string | undefined) => string;
}

export interface SessionFiles {
  /** Absolute; mode 0700. */
  readonly folder: string;
  /** Removes the folder; may be called twice. Not before the last child that was pointed at it has ended. */
  close(): void;
}

const sessionIdForm = /^sess_[0-9a-f]{12}$/;
const maxWgetrcBytes = 1024 * 1024;
/** After this a folder whose owner cannot be judged is taken for left behind. */
const abandonedMs = 7 * 86_400_000;
/** Nothing more can be written there, which is no fault of the program's that is to run. */
const unwritableCodes: ReadonlySet<string | null> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/**
 * Makes `<home>/sessions/<sessionId>` with the files children of the session are pointed at: settings of wget and PHP,
 * which know no variable for roots, and a place for Cline's hub. Where the disk is full or read-only, in a folder of
 * its own among the system's temporary files. Folders whose tap is known to run no longer are removed on the way, and
 * those a week old of which nothing can be known. Throws `OPTION_INVALID` for an id that is none and `HOME_UNUSABLE`.
 */
export function openSessionFiles(options: SessionFilesOptions): SessionFiles {
  const { home, sessionId } = options;
  if (!sessionIdForm.test(sessionId)) {
    throw new TrackerError(
      'OPTION_INVALID',
      `Could not make files for session "${sessionId}": that is no session id.`,
      {
        hint: 'A session id is sess_ and 12 hexadecimal digits.',
      },
    );
  }
  const folder = makeSessionFolder(join(home, 'sessions'), options);
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) };
}

function makeSessionFolder(sessions: string, options: SessionFilesOptions): string {
  const folder = join(sessions, options.sessionId);
  const self = findOwnIdentity();
  try {
    mkdirSync(sessions, { recursive: true, mode: 0o700 });
    sweepDeadSessions(sessions, self);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeSessionFiles(folder, options, self);
    return folder;
  } catch (error) {
    const temporary = unwritableCodes.has(findSystemCode(error)) ? findTemporaryFolder(options, self) : undefined;
    if (temporary !== undefined) {
      removeIfPossible(folder);
      return temporary;
    }
    throw new TrackerError(
      'HOME_UNUSABLE',
      `Could not make the session's files in ${folder}: ${readErrorMessage(error)}`,
      {
        cause: error,
        hint: 'Check the rights of that folder, or set LLMTAP_HOME (in code: `home`) to one that can be written.',
      },
    );
  }
}

/** Mode 0700, under a name nobody can have taken before; `undefined` when nothing can be written there either. */
function findTemporaryFolder(options: SessionFilesOptions, self: SessionOwner): string | undefined {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), `llmtap-${options.sessionId}-`));
    writeSessionFiles(folder, options, self);
    return folder;
  } catch {
    // What is wrong with the home is what the user can mend, and what is said.
    if (folder !== undefined) removeIfPossible(folder);
    return undefined;
  }
}

function removeIfPossible(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Read-only: there is nothing in it, or what is left is swept another time.
  }
}

function writeSessionFiles(folder: string, options: SessionFilesOptions, self: SessionOwner): void {
  const paths = makeSessionPaths(folder);
  const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o600 });
  write(paths.owner, formatOwner(self));
  write(paths.wgetrc, makeWgetrc(readUserWgetrc(options.parentEnv), options));
  mkdirSync(paths.phpFolder, { recursive: true, mode: 0o700 });
  write(paths.phpIni, makePhpIni(options.bundlePath));
}

/** `WGETRC` when it is set, else `.wgetrc` in the home folder; empty when there is none to read. */
function readUserWgetrc(env: SessionFilesOptions['parentEnv']): string {
  const path = env.WGETRC || (env.HOME ? join(env.HOME, '.wgetrc') : undefined);
  if (path === undefined || !isAbsolute(path)) return '';
  // wget goes on without a ~/.wgetrc as well.
  return findFileText(path, maxWgetrcBytes) ?? '';
}

/**
 * The user's settings, then ours: of two lines with one command wget takes the later. A proxy in the file outranks the
 * variables, so where the user has one there it gives way to the session's.
 * Source: https://www.gnu.org/software/wget/manual/html_node/Wgetrc-Commands.html (read 2026-11-21).
 */
function makeWgetrc(user: string, options: SessionFilesOptions): string {
  const named = [...user.matchAll(/^[ \t]*ca[_-]?certificate[ \t]*=[ \t]*(.*?)[ \t]*$/gim)].at(-1)?.[1];
  const bundle = named && options.bundleFor ? options.bundleFor(named) : options.bundlePath;
  const setsProxy = /^[ \t]*(https?[_-]?proxy|use[_-]?proxy)[ \t]*=/im.test(user);
  const proxy = setsProxy
    ? [`https_proxy = ${options.proxyUrl}`, `http_proxy = ${options.proxyUrl}`, 'use_proxy = on']
    : [];
  const kept = user === '' || user.endsWith('\n') ? user : `${user}\n`;
  return `${kept}${[`ca_certificate = ${bundle}`, ...proxy].join('\n')}\n`;
}

/** Single quotes keep PHP from reading variables in the path; a path with one in it goes between double ones. */
function makePhpIni(bundlePath: string): string {
  const value = bundlePath.includes("'") ? `"${bundlePath}"` : `'${bundlePath}'`;
  return `curl.cainfo=${value}\nopenssl.cafile=${value}\n`;
}

/** One without a readable record may be in the making: like one of another container's, it stays until it is old. */
function sweepDeadSessions(sessions: string, self: SessionOwner): void {
  for (const name of readdirSync(sessions).filter((entry) => sessionIdForm.test(entry))) {
    const folder = join(sessions, name);
    try {
      const found = lstatSync(folder);
      if (!found.isDirectory()) continue;
      const owner = findOwner(makeSessionPaths(folder).owner);
      const verdict = owner === undefined ? 'unknown' : judgeOwner(owner, self);
      const isAbandoned = verdict === 'unknown' && found.mtimeMs < Date.now() - abandonedMs;
      if (verdict === 'gone' || isAbandoned) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another tap is making or sweeping the same folder; the next session looks again.
    }
  }
}
