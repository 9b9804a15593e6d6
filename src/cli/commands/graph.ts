import { Command } from '@commander-js/extra-typings';
import { makePalette } from '../colour.js';
import { type CommandContext, printJsonLines, useLedger } from '../context.js';

const examples = `
Examples:
  llmtap graph show support              the last run of the graph
  llmtap graph show support --run 3f2a
  llmtap runs --graph support            the runs of its nodes

Nodes are the configs of sessions with that graph key and the run's id (llmtap run --graph-key KEY --graph-run-id ID
--config-key NODE, or the ids of scopes); the branches are the handoffs and redirects its tracker told.`;

/** `llmtap graph`: runs of graphs of agents. */
export function makeGraphCommand(context: CommandContext) {
  const show = new Command('show')
    .description('draw a run of a graph, with what each node cost')
    .argument('<key>', 'the key of the graph')
    .option('--run <id>', 'one run of it: its id, or the beginning of it (the newest)')
    .option('--json', 'print JSON, the whole run on one line')
    .action(async (graphKey, { run, json }) => {
      const { io } = context;
      await useLedger(io, async (ledger) => {
        const { readGraphRun } = await import('../graph/graph-run.js');
        const graphRunId = ledger.requireGraphRunId(graphKey, run === 'latest' ? undefined : run);
        const calls = ledger.listCalls({ graphKey, graphRunId });
        const own = ledger.listEvents({ runId: graphRunId });
        const nodes = ledger.listEvents({ nodesOfGraphRun: graphRunId });
        const view = readGraphRun({ graphKey, graphRunId, calls, events: [...own, ...nodes] });
        if (json) return printJsonLines([view], io);
        const { formatGraphRun } = await import('../format/graph.js');
        io.stdout.write(formatGraphRun(view, makePalette(io.stdout, io.env)));
      });
    });
  return new Command('graph')
    .description('show what the runs of graphs of agents cost')
    .addHelpText('after', examples)
    .addCommand(show);
}
