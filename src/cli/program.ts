import { Command, type CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { wantsColour } from './colour.js';
import { makeCaCommand } from './commands/ca.js';
import { makeCacheCommand } from './commands/cache.js';
import { makeCallsCommand } from './commands/calls.js';
import { makeDoctorCommand } from './commands/doctor.js';
import { makeEnvCommand } from './commands/env.js';
import { makeEventCommand } from './commands/event.js';
import { makeEventsCommand } from './commands/events.js';
import { makeFeedbackCommand } from './commands/feedback.js';
import { makeGraphCommand } from './commands/graph.js';
import { makeRunCommand } from './commands/run.js';
import { makeRunsCommand } from './commands/runs.js';
import { makeServeCommand } from './commands/serve.js';
import { makeShowCommand } from './commands/show.js';
import { makeStoreCommand } from './commands/store.js';
import { makeSummaryCommand } from './commands/summary.js';
import type { CommandContext } from './context.js';
import { makeUsageError } from './usage-error.js';
import { readVersion } from './version.js';

/** In the order of the help. */
const makers = [
  makeRunCommand,
  makeRunsCommand,
  makeCallsCommand,
  makeShowCommand,
  makeSummaryCommand,
  makeEventsCommand,
  makeFeedbackCommand,
  makeEventCommand,
  makeGraphCommand,
  makeEnvCommand,
  makeDoctorCommand,
  makeCacheCommand,
  makeCaCommand,
  makeStoreCommand,
] satisfies readonly ((context: CommandContext) => CommandUnknownOpts)[];

const examples = `
Examples:
  llmtap run -- claude -p "Say hello"      run a program and see its model calls
  llmtap calls --run latest                each call of the last run
  llmtap show 3f2a9c01                     everything about one call
  eval "$(llmtap env)"                     see every program of this shell
  llmtap doctor                            which programs of this machine are seen

Files are kept under LLMTAP_HOME; llmtap store info says where and how much.`;

/** The whole command line. Parsing throws: a `TrackerError` for wrong usage, a `CommanderError` after help and version. */
export function makeProgram(context: CommandContext): CommandUnknownOpts {
  const program = new Command('llmtap')
    .description('See every call any program makes to a language model: put `llmtap run --` in front of it.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    // Options after a command's name are the command's: `run --version 3` is not the program's --version.
    .enablePositionalOptions()
    .addHelpText('after', examples);
  for (const make of makers) program.addCommand(make(context));
  program.addCommand(makeServeCommand(context), { hidden: true });
  configure(program, 'llmtap', context);
  return program;
}

/** Gives a command and all below it the same output and the same errors. */
function configure(command: CommandUnknownOpts, path: string, context: CommandContext): void {
  const { stdout, stderr, env } = context.io;
  command.configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => stdout.columns() ?? 100,
    getErrHelpWidth: () => stderr.columns() ?? 100,
    getOutHasColors: () => wantsColour(stdout.isTty, env),
    getErrHasColors: () => wantsColour(stderr.isTty, env),
  });
  command.helpOption('-h, --help', 'print help');
  if (command.commands.length > 0) command.helpCommand('help [command]', 'print help for a command');
  command.exitOverride((error: CommanderError) => {
    throw error.exitCode === 0 ? error : makeUsageError(error, path);
  });
  for (const child of command.commands) configure(child, `${path} ${child.name()}`, context);
}
