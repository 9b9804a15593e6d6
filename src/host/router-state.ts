import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFileAtomically } from '../ca/atomic-file.js';
import type { JsonValue } from '../core/call-record.js';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import type { LearnedState } from '../routing/built-in.js';

/** How long what was learned last may wait to be written. */
const saveAfterMs = 1000;

/**
 * Keeps what a router has learned in a file, for the next run: written some time after it learned, whole or not at all, and
 * when it is closed. Two processes on one file do not add up: the last to write wins.
 */
export class RouterState {
  readonly #file: string;
  readonly #state: LearnedState;
  readonly #onProblem: (message: string) => void;
  #timer: NodeJS.Timeout | null = null;

  /** Reads the file, where there is one. Throws `OPTION_INVALID` for a file that holds something else. */
  constructor(file: string, state: LearnedState, onProblem: (message: string) => void) {
    this.#file = file;
    this.#state = state;
    this.#onProblem = onProblem;
    const saved = readSaved(file);
    if (saved !== undefined && !state.load(saved)) throw makeUnreadable(file, 'it holds something else');
  }

  /** Something was learned. */
  touch(): void {
    this.#timer ??= setTimeout(() => this.#save(), saveAfterMs).unref();
  }

  close(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#save();
  }

  #save(): void {
    this.#timer = null;
    try {
      makeFolder(dirname(this.#file));
      writeFileAtomically(this.#file, `${JSON.stringify(this.#state.save())}\n`, 0o600);
    } catch (error) {
      this.#onProblem(`What a router has learned could not be kept in ${this.#file}: ${readErrorMessage(error)}.`);
    }
  }
}

/**
 * NOTE: not `recursive`, by which Node 20.20 never ends where a folder cannot be made although the one above is there, as
 * below /proc (measured).
 */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (findSystemCode(error) !== 'EEXIST') throw error;
  }
}

/** `undefined` where there is no file yet. */
function readSaved(file: string): JsonValue | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JsonValue;
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return undefined;
    throw makeUnreadable(file, readErrorMessage(error), error);
  }
}

function makeUnreadable(file: string, found: string, cause?: unknown): TrackerError {
  return new TrackerError('OPTION_INVALID', `Could not read what a router has learned from ${file}: ${found}.`, {
    hint: 'Name another stateFile, or delete that one.',
    ...(cause === undefined ? {} : { cause }),
  });
}
