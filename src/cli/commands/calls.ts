import { Command } from '@commander-js/extra-typings';
import type { CallFilter, LedgerReader } from '../../core/ledger.js';
import { type CommandContext, printJsonLines, printNote, useLedger } from '../context.js';
import { makeWholeNumberReader } from '../read-flags.js';
import { listLast } from '../take-last.js';

const usual = 50;

const examples = `
Examples:
  llmtap calls                                  the last ${usual} calls
  llmtap calls --run latest
  llmtap calls --run latest --json | jq .usage`;

/** `llmtap calls`: one line a call, oldest first. */
export function makeCallsCommand(context: CommandContext) {
  return new Command('calls')
    .description('list calls, oldest first')
    .option('--run <id>', 'of one run: its id, the beginning of it, or latest')
    .option('--session <id>', 'of one session: its id, or the beginning of it')
    .option('--limit <n>', `only the last so many (${usual}; with --json all)`, makeWholeNumberReader('--limit', 1))
    .option('--json', 'print JSON, one record a line, bodies included')
    .addHelpText('after', examples)
    .action(async ({ run, session, limit, json }) => {
      const { io } = context;
      await useLedger(io, async (ledger) => {
        const filter = makeFilter(ledger, { run, session });
        if (json) {
          printJsonLines(listLast(ledger, filter, { limit, bodies: true }), io);
          return;
        }
        const { printCalls } = await import('../print/calls.js');
        const calls = [...listLast(ledger, filter, { limit: limit ?? usual, bodies: false })];
        printCalls(calls, io);
        if (limit === undefined && calls.length === usual)
          printNote(`The last ${usual} calls; --limit N shows more.`, io);
      });
    });
}

interface FilterFlags {
  readonly run: string | undefined;
  readonly session: string | undefined;
}

function makeFilter(ledger: LedgerReader, { run, session }: FilterFlags): CallFilter {
  return {
    ...(run === undefined ? {} : { runId: ledger.requireRunId(run) }),
    ...(session === undefined ? {} : { sessionId: ledger.requireSessionId(session) }),
  };
}
