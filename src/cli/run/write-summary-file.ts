import { randomUUID } from 'node:crypto';
import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { findSystemCode, readErrorMessage, TrackerError } from '../../core/errors.js';
import type { ModelSummary, Summary } from '../../core/ledger.js';
import type { Session, SessionCounts } from '../../core/session.js';
import type { CountedFault } from './collect-faults.js';

/** What `--summary-json` writes: the session with its ids, what passed through it, one entry a model, its faults. */
export interface SummaryFile extends Session {
  /** UTC, ISO 8601. */
  readonly endedAt: string;
  readonly durationMs: number;
  readonly exitCode: number;
  readonly calls: number;
  /** `null` when the ledger could not be read. */
  readonly errors: number | null;
  /** Calls a budget had no room for; `null` as `errors` is. */
  readonly refusedCalls: number | null;
  readonly counts: SessionCounts;
  readonly models: readonly ModelSummary[];
  readonly faults: readonly {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly count: number;
  }[];
}

export interface SummaryFileParts {
  readonly session: Session;
  readonly endedAt: string;
  readonly durationMs: number;
  readonly exitCode: number;
  readonly counts: SessionCounts;
  readonly summary: Summary | null;
  readonly faults: readonly CountedFault[];
}

export function makeSummaryFile(parts: SummaryFileParts): SummaryFile {
  const { session, endedAt, durationMs, exitCode, counts, summary } = parts;
  return {
    ...session,
    endedAt,
    durationMs,
    exitCode,
    calls: counts.calls,
    errors: summary?.errors ?? null,
    refusedCalls: summary?.refusedCalls ?? null,
    counts,
    models: summary?.models ?? [],
    faults: parts.faults.map(({ fault: { code, message, hint }, count }) => ({ code, message, hint, count })),
  };
}

/** Fails before the program starts, not after an hour, when the file cannot be made. Throws `OPTION_INVALID`. */
export function requireWritable(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw makeUnwritable(path, 'it is a folder');
  try {
    accessSync(found === undefined || found.isFile() ? dirname(resolve(path)) : path, constants.W_OK);
  } catch (error) {
    throw makeUnwritable(path, explainCode(error), error);
  }
}

/** Writes the file whole or not at all; a pipe or device is written to as it is. Throws `OPTION_INVALID`. */
export function writeSummaryFile(path: string, summary: SummaryFile): void {
  const text = `${JSON.stringify(summary, null, 2)}\n`;
  const found = statSync(path, { throwIfNoEntry: false });
  const isPlain = found === undefined || found.isFile();
  const target = isPlain ? `${resolve(path)}.${randomUUID().slice(0, 8)}.part` : path;
  try {
    writeFileSync(target, text);
    if (isPlain) renameSync(target, path);
  } catch (error) {
    if (isPlain) rmSync(target, { force: true });
    throw makeUnwritable(path, explainCode(error), error);
  }
}

function explainCode(error: unknown): string {
  const code = findSystemCode(error);
  if (code === 'ENOENT') return 'its folder does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return readErrorMessage(error);
}

function makeUnwritable(path: string, found: string, cause?: unknown): TrackerError {
  return new TrackerError('OPTION_INVALID', `Could not write the summary to ${path}: ${found}.`, {
    hint: 'Name a file in a folder that exists and can be written to: --summary-json FILE',
    ...(cause === undefined ? {} : { cause }),
  });
}
