import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { readErrorMessage, TrackerError } from '../../core/errors.js';
import { guardProcess } from '../run/guard-process.js';
import { openTap, type Tap } from '../run/open-tap.js';
import type { TapPlan } from '../session-flags.js';
import { isAlive, readStartMark } from './process-life.js';
import { makePidPath, type ServerReply } from './server-message.js';

/** How long the shell has to evaluate what `llmtap env` printed. */
const adoptionDeadlineMs = 60_000;
const pollMs = 500;

/**
 * The background side of `llmtap env`: takes a plan over IPC, opens the tap, answers with the variables, and stays
 * until the shell that adopted it has ended, or it gets SIGTERM. Ends after a minute when no shell does.
 */
export async function serve(): Promise<void> {
  if (process.send === undefined) {
    throw new TrackerError('OPTION_INVALID', 'Could not serve: this command is started by `llmtap env` only.', {
      hint: 'Use eval "$(llmtap env)".',
    });
  }
  const stopped = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stopped.abort());
  // A whole shell goes through this process: it outlives what nobody caught.
  guardProcess(() => undefined);
  const plan = await receivePlan();
  let tap: Tap;
  try {
    tap = await openTap(plan, { env: process.env, onFault: () => undefined });
  } catch (error) {
    return reply({ type: 'failed', ...describeError(error) });
  }
  tap.warm();
  const { session, folder, variables } = tap;
  await reply({ type: 'opened', sessionId: session.sessionId, runId: session.runId, folder, variables });
  try {
    await waitForShell(makePidPath(folder), stopped.signal);
  } finally {
    await tap.close();
  }
}

function receivePlan(): Promise<TapPlan> {
  // The parent is `llmtap env` of the same package: what comes is a plan.
  return new Promise((resolve) => process.once('message', (message) => resolve(message as TapPlan)));
}

function reply(message: ServerReply): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, () => {
      if (process.connected) process.disconnect();
      resolve();
    });
  });
}

function describeError(error: unknown) {
  const { code, hint } = error instanceof TrackerError ? error : { code: 'INTERNAL' as const, hint: null };
  return { code, hint, message: readErrorMessage(error) };
}

/** Returns when the shell named in the file has ended, when none was named in time, or when told to stop. */
async function waitForShell(pidPath: string, stopped: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + adoptionDeadlineMs;
  let shell: { readonly pid: number; readonly startMark: string | null } | undefined;
  while (!stopped.aborted) {
    shell ??= findShellProcess(pidPath);
    if (shell === undefined ? performance.now() > deadlineMs : !isAlive(shell.pid, shell.startMark)) return;
    await wait(pollMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}

function findShellProcess(pidPath: string) {
  const pid = readPid(pidPath);
  if (pid === undefined) return undefined;
  rmSync(pidPath, { force: true });
  return { pid, startMark: readStartMark(pid) };
}

function readPid(path: string): number | undefined {
  try {
    // PowerShell's ASCII file may begin with a byte order mark in old versions.
    const digits = /\d+/.exec(readFileSync(path, 'latin1'))?.[0];
    const pid = Number(digits);
    return digits !== undefined && Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    // Not written yet.
    return undefined;
  }
}
