import { Command } from '@commander-js/extra-typings';
import { type CommandContext, printJsonLines, useLedger } from '../context.js';

const examples = `
Examples:
  llmtap summary                      everything on record
  llmtap summary --run latest
  llmtap summary --run 3f2a --json    one line a model`;

/** `llmtap summary`: calls, tokens and times by model. */
export function makeSummaryCommand(context: CommandContext) {
  return new Command('summary')
    .description('sum up calls, tokens and times by model')
    .option('--run <id>', 'of one run: its id, the beginning of it, or latest')
    .option('--json', 'print JSON, one model a line')
    .addHelpText('after', examples)
    .action(async ({ run, json }) => {
      const { io } = context;
      await useLedger(io, async (ledger) => {
        const summary = ledger.summarise(run === undefined ? {} : { runId: ledger.requireRunId(run) });
        if (json) {
          printJsonLines(summary.models, io);
          return;
        }
        const { printSummary } = await import('../print/summary.js');
        printSummary(summary, io);
      });
    });
}
