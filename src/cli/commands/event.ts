import { Argument, Command } from '@commander-js/extra-typings';
import type { CommandContext } from '../context.js';
import { statementNames } from '../run-statements.js';
import { addTokenOptions } from '../token-flags.js';

const examples = `
Of the run of a config:
  success | error                    how it ended
  duration MS                        how long it took
  ttf MS                             how long to the first token
  tokens INPUT OUTPUT [TOTAL]
  tool NAME…                         tools that were called
  feedback positive|negative
  judge METRIC SCORE [JUDGE]         a score from 0 to 1, under the judge’s metric key

Of the run of a graph:
  success | failure, duration MS, tokens INPUT OUTPUT [TOTAL], path NODE…
  redirect FROM TO, handoff FROM TO, handoff-failure FROM TO

Examples:
  llmtap event "$LLMTAP_RESUMPTION_TOKEN" error
  llmtap event "$LLMTAP_RESUMPTION_TOKEN" judge '$ld:ai:judge:relevance' 0.8

Exit status: 2 when the token is none or a value cannot be used, 1 when the run has that fact already.`;

/** `llmtap event TOKEN WHAT …`: says something of a run, from a shell. */
export function makeEventCommand(context: CommandContext) {
  return addTokenOptions(new Command('event'))
    .description('say something of a run: outcome, duration, tokens, a judge’s score')
    .argument('<token>', 'the resumption token of a config’s or a graph’s run')
    .addArgument(new Argument('<what>', 'what is said').choices(statementNames))
    .argument('[values...]', 'its values')
    .addHelpText('after', examples)
    .action(async (token, what, values, flags) => {
      const { sayOfRun } = await import('../say-of-run.js');
      await sayOfRun({ token, what, values, flags }, context.io);
    });
}
