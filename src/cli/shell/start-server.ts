import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readErrorMessage, TrackerError } from '../../core/errors.js';
import type { TapPlan } from '../session-flags.js';
import type { ServerReply } from './server-message.js';

export type OpenedServer = Extract<ServerReply, { type: 'opened' }> & { readonly pid: number };

/**
 * Starts the background process of `llmtap env` in a session of its own, so that no terminal reaches it, with none
 * of our streams: the shell waits until everyone who holds its pipe has let go. Resolves when its tap is open.
 */
export async function startServer(
  plan: TapPlan,
  env: Readonly<Record<string, string | undefined>>,
): Promise<OpenedServer> {
  const launcher = fileURLToPath(new URL('../../../bin/llmtap.js', import.meta.url));
  const server = spawn(process.execPath, [launcher, '_serve'], {
    detached: true,
    windowsHide: true,
    cwd: plan.host.home,
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const reply = await new Promise<ServerReply>((resolve, reject) => {
    server.once('error', (error) => reject(makeStartError(readErrorMessage(error), error)));
    server.once('exit', (code) => reject(makeStartError(`it ended with status ${code}`)));
    // The other side is `llmtap _serve` of the same package: what comes is a reply.
    server.once('message', (message) => resolve(message as ServerReply));
    server.send(plan);
  });
  if (server.connected) server.disconnect();
  server.unref();
  if (reply.type === 'failed') {
    throw new TrackerError(reply.code, reply.message, reply.hint === null ? {} : { hint: reply.hint });
  }
  return { ...reply, pid: server.pid ?? 0 };
}

function makeStartError(found: string, cause?: unknown): TrackerError {
  return new TrackerError('INTERNAL', `Could not start the background process of llmtap env: ${found}.`, {
    hint: 'Try again; llmtap run -- PROGRAM needs no such process.',
    cause,
  });
}
