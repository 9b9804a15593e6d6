import type { CommandContext } from '../context.js';
import { makeSessionCommand, readTapPlan } from '../session-flags.js';

const examples = `
Examples:
  llmtap run -- claude -p "Say hello"
  llmtap run --config-key support-bot --version 3 -- python agent.py
  llmtap run --provider ollama=http://localhost:11434 -- node agent.js
  llmtap run --quiet --summary-json calls.json -- npm test

The program has stdin, stdout, stderr and the terminal to itself; the summary follows on stderr. The exit status is
the program's: 128 + n when signal n ended it, 127 when it was not found, 126 when it could not be executed; 2 when
llmtap itself could not begin. Signals sent to llmtap are passed on. The session ends with the program: what it leaves
running in the background is no longer connected then.`;

/** `llmtap run -- CMD`: the main job. */
export function makeRunCommand(context: CommandContext) {
  return makeSessionCommand('run')
    .description('run a program and record its model calls')
    .usage('[options] -- PROGRAM [ARGUMENT…]')
    .argument('<program>', 'what to run, found on the PATH')
    .argument('[arguments...]', 'its arguments, given to it as they are')
    .passThroughOptions()
    .optionsGroup('Output:')
    .option('--summary-json <file>', 'write the summary to a file, too')
    .option('--quiet', 'print no summary; faults are printed all the same')
    .addHelpText('after', examples)
    .action(async (command, args, flags) => {
      const { runCommand } = await import('../run/run-command.js');
      const plan = await readTapPlan(flags, context.io.env);
      const request = {
        command,
        args,
        summaryJson: flags.summaryJson,
        quiet: flags.quiet === true,
        plan: { ...plan, session: { ...plan.session, command: [command, ...args] } },
      };
      context.exitStatus = await runCommand(request, context.io);
    });
}
