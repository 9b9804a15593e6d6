import { Command } from '@commander-js/extra-typings';
import { type CommandContext, printJsonLines, printNote, useLedger } from '../context.js';
import { makeIdReader, makeWholeNumberReader } from '../read-flags.js';

const usual = 20;

const examples = `
Examples:
  llmtap runs                     the last ${usual} runs
  llmtap runs --limit 200
  llmtap runs --json | jq -r .runId`;

/** `llmtap runs`: one line a run, newest first. */
export function makeRunsCommand(context: CommandContext) {
  return new Command('runs')
    .description('list runs, newest first')
    .option('--limit <n>', `at most so many runs (${usual}; with --json all)`, makeWholeNumberReader('--limit', 1))
    .option('--graph <key>', 'of the nodes of one graph', makeIdReader('--graph'))
    .option('--json', 'print JSON, one run a line')
    .addHelpText('after', examples)
    .action(async ({ limit, graph, json }) => {
      const { io } = context;
      const ofGraph = graph === undefined ? {} : { graphKey: graph };
      await useLedger(io, async (ledger) => {
        if (json) {
          printJsonLines(ledger.listRuns({ ...ofGraph, ...(limit !== undefined && { limit }) }), io);
          return;
        }
        const { printRuns } = await import('../print/runs.js');
        const runs = ledger.listRuns({ ...ofGraph, limit: limit ?? usual });
        printRuns(runs, io);
        if (limit === undefined && runs.length === usual)
          printNote(`The last ${usual} runs; --limit N shows more.`, io);
      });
    });
}
