import type { RunRow } from '../../core/ledger.js';
import { makePalette } from '../colour.js';
import { printNote } from '../context.js';
import { fitColumns } from '../format/fit-columns.js';
import { makeRunsFootnote, makeRunsTable } from '../format/runs.js';
import type { CliIo } from '../io.js';
import { formatTable } from '../table.js';

/** The table of `llmtap runs`; says what to do where there is nothing to show. */
export function printRuns(runs: readonly RunRow[], io: CliIo): void {
  if (runs.length === 0) {
    printNote('Nothing is recorded yet. Try: llmtap run -- PROGRAM', io);
    return;
  }
  const palette = makePalette(io.stdout, io.env);
  const width = io.stdout.columns();
  const table = fitColumns(makeRunsTable(runs, palette), width);
  io.stdout.write(formatTable(table, palette, width));
  const note = makeRunsFootnote(table, runs);
  if (note !== null) printNote(note, io);
}
