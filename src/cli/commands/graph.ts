import { Command } from '@commander-js/extra-typings';
import { findSystemCode } from '../../core/errors.js';
import type { LedgerReader } from '../../core/ledger.js';
import { makePalette } from '../colour.js';
import { type CommandContext, printJsonLines, useLedger } from '../context.js';

const examples = `
Examples:
  llmtap graph show support              the last run of the graph
  llmtap graph show support --run 3f2a
  llmtap runs --graph support            the runs of its nodes

Nodes are the configs of sessions with that graph key and the run's id (llmtap run --graph-key KEY --graph-run-id ID
--config-key NODE, or the ids of scopes); the branches are the handoffs and redirects its tracker told. With a file of flags
that has the graph, nodes nobody worked in and edges nobody took are drawn, too.`;

/** `llmtap graph`: runs of graphs of agents. */
export function makeGraphCommand(context: CommandContext) {
  const show = new Command('show')
    .description('draw a run of a graph, with what each node cost')
    .argument('<key>', 'the key of the graph')
    .option('--run <id>', 'one run of it: its id, or the beginning of it (the newest)')
    .option('--config <file>', 'flags that define it (llmtap.config.yaml, .yml or .json, where that has it)')
    .option('--no-config', 'use no file of flags')
    .option('--json', 'print JSON, the whole run on one line')
    .action(async (graphKey, { run, json, config }) => {
      const { io } = context;
      const [{ readGraphRun }, { readGraphDefinition }] = await Promise.all([
        import('../graph/graph-run.js'),
        import('../graph/graph-definition.js'),
      ]);
      const flag = await readGraphDefinition(graphKey, config);
      await useLedger(io, async (ledger) => {
        const isOptional = flag !== undefined && run === undefined;
        const graphRunId = findRun(ledger, { graphKey, run: run === 'latest' ? undefined : run, isOptional });
        const calls = graphRunId === null ? [] : ledger.listCalls({ graphKey, graphRunId });
        const own = graphRunId === null ? [] : ledger.listEvents({ runId: graphRunId });
        const nodes = graphRunId === null ? [] : ledger.listEvents({ nodesOfGraphRun: graphRunId });
        const view = readGraphRun({ graphKey, graphRunId, calls, events: [...own, ...nodes], flag });
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

interface Wanted {
  readonly graphKey: string;
  readonly run: string | undefined;
  /** Whether there is something to show without a run. */
  readonly isOptional: boolean;
}

function findRun(ledger: LedgerReader, { graphKey, run, isOptional }: Wanted): string | null {
  try {
    return ledger.requireGraphRunId(graphKey, run);
  } catch (error) {
    if (isOptional && findSystemCode(error) === 'RUN_NOT_FOUND') return null;
    throw error;
  }
}
