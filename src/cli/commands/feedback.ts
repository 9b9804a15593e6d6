import { Argument, Command } from '@commander-js/extra-typings';
import type { CommandContext } from '../context.js';
import { addTokenOptions } from '../token-flags.js';

const examples = `
Examples:
  llmtap feedback "$LLMTAP_RESUMPTION_TOKEN" positive
  llmtap feedback eyJydW5JZCI6… negative --user user-1

The token is that of the run: LLMTAP_RESUMPTION_TOKEN of a program under llmtap run --config-key KEY, or resumptionToken of a
tracker, of any SDK. Exit status: 2 when the token is none, 1 when the run has feedback already.`;

/** `llmtap feedback TOKEN positive|negative`: what a user thought of a run, said afterwards. */
export function makeFeedbackCommand(context: CommandContext) {
  return addTokenOptions(new Command('feedback'))
    .description('say what a user thought of a run')
    .argument('<token>', 'the resumption token of a config’s run')
    .addArgument(new Argument('<kind>', 'what it was').choices(['positive', 'negative']))
    .addHelpText('after', examples)
    .action(async (token, kind, flags) => {
      const { sayOfRun } = await import('../say-of-run.js');
      await sayOfRun({ token, what: 'feedback', values: [kind], flags }, context.io);
    });
}
