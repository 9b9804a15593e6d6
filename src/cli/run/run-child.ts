import type { ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import os from 'node:os';
import crossSpawn from 'cross-spawn';
import { findSystemCode, readErrorMessage, TrackerError } from '../../core/errors.js';
import { passSignals } from './pass-signals.js';

export interface ChildCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How a child ended. `status` is what a shell would call its exit status. */
export interface ChildEnd {
  readonly status: number;
  /** Why it never began; `null` when it did. */
  readonly error: TrackerError | null;
}

const notFound = 127;
const notExecutable = 126;

/**
 * Runs a program with stdin, stdout, stderr, terminal and process group of llmtap, and waits for its end. Status:
 * the program's own; 128 + n when signal n ended it; 127 when there is no such program and 126 when it cannot be
 * executed, as shells have it. Never rejects.
 */
export async function runChild(child: ChildCommand): Promise<ChildEnd> {
  if (child.command === '') return failToStart(child.command, { code: 'ENOENT' });
  let running: ChildProcess | undefined;
  // Before the start: the child may be seen, and llmtap be signalled, before `spawn` has returned.
  const stopPassing = passSignals((signal) => running?.kill(signal));
  try {
    running = crossSpawn(child.command, [...child.args], { stdio: 'inherit', env: child.env });
    return await waitForEnd(running, child.command);
  } catch (error) {
    return failToStart(child.command, error);
  } finally {
    stopPassing();
  }
}

/** On `exit`, not `close`: nothing is piped, and a grandchild that stays behind must not hold llmtap. */
function waitForEnd(running: ChildProcess, command: string): Promise<ChildEnd> {
  return new Promise((resolve) => {
    running.once('exit', (code, signal) => resolve({ status: makeStatus(code, signal), error: null }));
    running.on('error', (error) => {
      // Also raised when a signal could not be delivered; such a child goes on.
      if (running.pid === undefined || process.platform === 'win32') resolve(failToStart(command, error));
    });
  });
}

/** The exit status a shell gives: the code, or 128 + the signal's number. */
export function makeStatus(code: number | null, signal: NodeJS.Signals | null): number {
  if (signal !== null) return 128 + os.constants.signals[signal];
  return code ?? 0;
}

function failToStart(command: string, error: unknown): ChildEnd {
  const code = findSystemCode(error);
  if (code === 'ENOENT') return { status: notFound, error: explainNotFound(command) };
  const reason = explainReason(code) ?? readErrorMessage(error);
  const failure = new TrackerError('COMMAND_NOT_EXECUTABLE', `Could not execute "${command}": ${reason}.`, {
    cause: error,
    ...(code === 'EACCES' ? { hint: 'Check that it is a file and has the executable bit: chmod +x FILE' } : {}),
  });
  return { status: notExecutable, error: failure };
}

/** ENOENT comes for a missing program, and for one whose first line names a missing interpreter. */
function explainNotFound(command: string): TrackerError {
  if (command.includes('/') && isExecutable(command)) {
    return new TrackerError('COMMAND_NOT_FOUND', `Could not start "${command}": its interpreter was not found.`, {
      hint: 'Check the first line of the file (#!…).',
    });
  }
  const where = command.includes('/') ? 'no such file' : 'no such program on the PATH';
  return new TrackerError('COMMAND_NOT_FOUND', `Could not start "${command}": ${where}.`, {
    hint: 'Shell aliases, functions and built-ins need a shell: llmtap run -- bash -ic "…"',
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function explainReason(code: string | null): string | null {
  if (code === 'EACCES') return 'permission denied';
  if (code === 'E2BIG') return 'its arguments and environment are too long';
  if (code === 'ENOTDIR') return 'a part of its path is not a folder';
  return null;
}
