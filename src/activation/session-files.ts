import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
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

/**
 * Makes `<home>/sessions/<sessionId>` with the files children of the session are pointed at: settings of wget and PHP,
 * which know no variable for roots, and a place for Cline's hub. Folders whose tap is no longer running are removed on
 * the way, those alone. Throws `OPTION_INVALID` for an id that is none and `HOME_UNUSABLE`.
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
  const sessions = join(home, 'sessions');
  const folder = join(sessions, sessionId);
  try {
    mkdirSync(sessions, { recursive: true, mode: 0o700 });
    sweepDeadSessions(sessions);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeSessionFiles(folder, options);
  } catch (error) {
    throw new TrackerError(
      'HOME_UNUSABLE',
      `Could not make the session's files in ${folder}: ${readErrorMessage(error)}`,
      {
        cause: error,
        hint: 'Check the rights of that folder, or set LLMTAP_HOME to one that can be written.',
      },
    );
  }
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) };
}

function writeSessionFiles(folder: string, options: SessionFilesOptions): void {
  const paths = makeSessionPaths(folder);
  const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o600 });
  write(paths.owner, `${process.pid}\n`);
  write(paths.wgetrc, makeWgetrc(readUserWgetrc(options.parentEnv), options));
  mkdirSync(paths.phpFolder, { recursive: true, mode: 0o700 });
  write(paths.phpIni, makePhpIni(options.bundlePath));
}

/** `WGETRC` when it is set, else `.wgetrc` in the home folder; empty when there is none to read. */
function readUserWgetrc(env: SessionFilesOptions['parentEnv']): string {
  const path = env.WGETRC || (env.HOME ? join(env.HOME, '.wgetrc') : undefined);
  if (path === undefined || !isAbsolute(path)) return '';
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // wget goes on without a ~/.wgetrc as well.
    return '';
  }
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

/** Removes the folders whose recorded process is gone. One without a readable record may be in the making: it stays. */
function sweepDeadSessions(sessions: string): void {
  for (const name of readdirSync(sessions).filter((entry) => sessionIdForm.test(entry))) {
    const folder = join(sessions, name);
    try {
      if (!lstatSync(folder).isDirectory()) continue;
      const owner = Number(readFileSync(makeSessionPaths(folder).owner, 'utf8').trim());
      if (Number.isSafeInteger(owner) && owner > 0 && isGone(owner)) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another tap is making or sweeping the same folder; the next session looks again.
    }
  }
}

function isGone(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return false;
  } catch (error) {
    return findSystemCode(error) === 'ESRCH';
  }
}
