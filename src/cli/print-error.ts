import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import { makePalette } from './colour.js';
import { readableBlock } from './format/text.js';
import type { CliIo } from './io.js';

/** Exit status when llmtap could not begin: usage, options, the home, the CA, and whatever nobody foresaw. */
const failureStatus = 2;
/** Exit status when a question was understood and could not be answered: no such record, or a ledger that refuses. */
const unansweredStatus = 1;

/** Prints what went wrong as one sentence and, where there is one, what to do; returns the exit status. */
export function printError(error: unknown, io: CliIo): number {
  const palette = makePalette(io.stderr, io.env);
  const hint = findHint(error);
  io.stderr.write(`${palette.red('llmtap:')} ${readableBlock(endSentence(readErrorMessage(error)))}\n`);
  if (hint !== null) io.stderr.write(`${palette.dim('  hint:')} ${readableBlock(hint)}\n`);
  if (io.env.LLMTAP_DEBUG && error instanceof Error) io.stderr.write(`${error.stack ?? ''}\n`);
  return findStatus(error);
}

function findStatus(error: unknown): number {
  return /^(?:RECORD_NOT_FOUND|RUN_NOT_FOUND|EVENT_REFUSED|STORE_.*)$/.test(findSystemCode(error) ?? '')
    ? unansweredStatus
    : failureStatus;
}

/** By shape, not by `instanceof`: an error that crossed a thread is a plain object's. */
function findHint(error: unknown): string | null {
  if (typeof error === 'object' && error !== null && 'hint' in error) {
    return typeof error.hint === 'string' ? error.hint : null;
  }
  return error instanceof TrackerError ? error.hint : 'Set LLMTAP_DEBUG=1 to see where it happened.';
}

/** `read failed` → `Read failed.` */
export function endSentence(text: string): string {
  const trimmed = text.trim();
  const first = trimmed.charAt(0);
  // A name at the beginning (`npm …`, `./agent …`) keeps its case.
  const start = /^[a-z]+ /.test(trimmed) ? first.toUpperCase() : first;
  const end = /[.!?…)]$/.test(trimmed) ? '' : '.';
  return `${start}${trimmed.slice(1)}${end}`;
}
