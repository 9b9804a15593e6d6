import { findSystemCode } from '../core/errors.js';
import type { CommandContext } from './context.js';
import { type CliIo, openProcessIo } from './io.js';
import { printError } from './print-error.js';
import { readVersion } from './version.js';

/**
 * Runs one command line and returns its exit status. Never throws: what went wrong is printed to stderr as a sentence
 * and a hint, with status 2, or 1 when it was a question that could not be answered.
 *
 * @param args without the interpreter and the script
 */
export async function main(args: readonly string[], io: CliIo = openProcessIo()): Promise<number> {
  const context: CommandContext = { io, exitStatus: 0 };
  try {
    // Asked by scripts, and the answer needs nothing loaded.
    if (args.length === 1 && args[0] === '--version') io.stdout.write(`${readVersion()}\n`);
    else await runProgram(args, context);
    return context.exitStatus;
  } catch (error) {
    const code = findSystemCode(error);
    // Help and version were printed; or the reader of stdout (`| head`) has seen enough.
    if (code === 'EPIPE' || code?.startsWith('commander.')) return 0;
    return printError(error, io);
  }
}

async function runProgram(args: readonly string[], context: CommandContext): Promise<void> {
  const { makeProgram } = await import('./program.js');
  await makeProgram(context).parseAsync([...args], { from: 'user' });
}
