import { TrackerError } from '../../core/errors.js';
import { printNote } from '../context.js';
import type { CliIo } from '../io.js';
import type { TapPlan } from '../session-flags.js';
import { formatEvaluation, formatPidLine, formatShellScript, type ShellName } from './format-script.js';
import { isAlive, readStartMark } from './process-life.js';
import { findRestoreNote, formatRestoreNote, restoreName } from './restore-note.js';
import { makePidPath } from './server-message.js';
import { startServer } from './start-server.js';

/** Starts a tap in the background and prints what makes a shell use it. Throws `OPTION_CONFLICT` inside such a shell. */
export async function enterShell(plan: TapPlan, shell: ShellName, io: CliIo): Promise<void> {
  if (findRestoreNote(io.env) !== undefined) {
    throw new TrackerError('OPTION_CONFLICT', 'This shell is under a tap of llmtap env already.', {
      hint: `Leave it first: ${formatEvaluation(shell, ' --unset')}`,
    });
  }
  const { requireHome } = await import('../../ca/paths.js');
  requireHome(plan.host.home);
  const server = await startServer(plan, io.env);
  const previous = Object.fromEntries(Object.keys(server.variables).map((name) => [name, io.env[name] ?? null]));
  const note = formatRestoreNote({ pid: server.pid, startMark: readStartMark(server.pid), previous });
  const script = formatShellScript(shell, { ...server.variables, [restoreName]: note });
  io.stdout.write(`${script}${formatPidLine(shell, makePidPath(server.folder))}`);
  if (io.stdout.isTty) printNote(`To use it: ${formatEvaluation(shell, '')}`, io);
  else
    printNote(
      `llmtap: session ${server.sessionId}, run ${server.runId}; llmtap calls --run latest shows its calls.`,
      io,
    );
}

/** Prints what puts the variables back and ends the background tap. Throws `OPTION_CONFLICT` outside such a shell. */
export function leaveShell(shell: ShellName, io: CliIo): void {
  const note = findRestoreNote(io.env);
  if (note === undefined) {
    throw new TrackerError('OPTION_CONFLICT', 'This shell is under no tap of llmtap env.', {
      hint: `Begin one: ${formatEvaluation(shell, '')}`,
    });
  }
  io.stdout.write(formatShellScript(shell, { ...note.previous, [restoreName]: null }));
  if (isAlive(note.pid, note.startMark)) process.kill(note.pid, 'SIGTERM');
}
