import { Option } from '@commander-js/extra-typings';
import type { CommandContext } from '../context.js';
import { makeSessionCommand, readTapPlan } from '../session-flags.js';
import { findShell, readShellName, shellWords } from '../shell/format-script.js';

const examples = `
Examples:
  eval "$(llmtap env)"                       from now on every program of this bash, zsh or sh is seen
  eval "$(llmtap env --unset)"               as before again
  llmtap env --shell fish | source
  llmtap env --shell powershell | Out-String | Invoke-Expression

It starts a tap in the background that ends with the shell, with --unset, or after a minute when no shell evaluated
what was printed.`;

/** `llmtap env`: a session for a whole shell. */
export function makeEnvCommand(context: CommandContext) {
  return makeSessionCommand('env')
    .description('print lines that put the programs of a shell under a tap of its own')
    .optionsGroup('Shell:')
    .addOption(new Option('--shell <name>', 'for which shell').choices(shellWords))
    .option('--unset', 'print lines that undo it, and end the tap')
    .addHelpText('after', examples)
    .action(async (flags) => {
      const { io } = context;
      const shell = flags.shell === undefined ? findShell(io.env, process.platform) : readShellName(flags.shell);
      const { enterShell, leaveShell } = await import('../shell/shell-session.js');
      if (flags.unset) leaveShell(shell, io);
      else await enterShell(await readTapPlan(flags, io.env), shell, io);
    });
}
