import { isatty } from 'node:tty';
import { TrackerError } from '../core/errors.js';
import type { CliIo } from './io.js';

/** Whether somebody is there to be asked. */
export function hasTerminal(io: CliIo): boolean {
  return isatty(0) && io.stderr.isTty;
}

/**
 * Asks a person on the terminal; only `y` and `yes` are yes, Ctrl-D is no. Throws `OPTION_INVALID` when nobody is
 * there to ask.
 */
export async function confirm(question: string, io: CliIo): Promise<boolean> {
  if (!hasTerminal(io)) {
    throw new TrackerError('OPTION_INVALID', 'Could not ask whether to go on: there is no terminal.', {
      hint: 'Add --yes to go on without being asked.',
    });
  }
  const { createInterface } = await import('node:readline');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    asking.once('close', () => resolve(''));
    asking.question(`${question} [y/N] `, resolve);
  });
  asking.close();
  return /^y(es)?$/i.test(answer.trim());
}
