import { Command } from '@commander-js/extra-typings';
import { findSystemCode } from '../../core/errors.js';
import type { EventFilter, LedgerReader } from '../../core/ledger.js';
import { type CommandContext, printJsonLines, printNote, useLedger } from '../context.js';
import { makeWholeNumberReader } from '../read-flags.js';

const usual = 50;

const examples = `
Examples:
  llmtap events                              the last ${usual} events of runs
  llmtap events --run latest --json
  llmtap events --follow                     and those that come, until Ctrl-C`;

/** `llmtap events`: one line an event of a run, in the order they were written. */
export function makeEventsCommand(context: CommandContext) {
  return new Command('events')
    .description('list events of runs: outcomes, feedback, tool calls')
    .option('--run <id>', 'of one run: its id, the beginning of it, or latest')
    .option('--limit <n>', `only the last so many (${usual}; with --json all)`, makeWholeNumberReader('--limit', 1))
    .option('--follow', 'go on with those that come, until interrupted')
    .option('--json', 'print JSON, one event a line')
    .addHelpText('after', examples)
    .action(async ({ run, limit, follow, json }) => {
      const { io } = context;
      await useLedger(io, async (ledger) => {
        const runId = run === undefined ? {} : { runId: findRunId(ledger, run, follow === true) };
        const count = limit ?? (json ? undefined : usual);
        const filter = { ...runId, afterSeq: count === undefined ? 0 : ledger.findLastEvents(runId, count) };
        const print = json
          ? (events: Iterable<unknown>): void => printJsonLines(events, io)
          : (await import('../print/events.js')).makeEventPrinter(io);
        if (follow) {
          const { followEvents } = await import('../follow-events.js');
          return await followEvents(ledger, filter, print);
        }
        const afterSeq = printAll(ledger, filter, print);
        if (afterSeq === 0 && !json) printNote('No event of a run is recorded yet.', io);
        else if (filter.afterSeq > 0 && limit === undefined) {
          printNote(`The last ${usual} events; --limit N shows more.`, io);
        }
      });
    });
}

/** A run whose events alone are on record is found by its whole id; one that is waited for need not be there yet. */
function findRunId(ledger: LedgerReader, run: string, isAwaited: boolean): string {
  if (ledger.findLastEvents({ runId: run }, 0) > 0) return run;
  try {
    return ledger.requireRunId(run);
  } catch (error) {
    if (isAwaited && findSystemCode(error) === 'RUN_NOT_FOUND' && run !== 'latest') return run;
    throw error;
  }
}

/** Prints as they are read; the `seq` of the last, or the one to go on after. */
function printAll(ledger: LedgerReader, filter: EventFilter, print: (events: Iterable<unknown>) => void): number {
  let last = filter.afterSeq ?? 0;
  for (const event of ledger.listEvents(filter)) {
    print([event]);
    last = event.seq;
  }
  return last;
}
