import type { RunRow } from '../../core/ledger.js';
import { makePalette } from '../colour.js';
import { printNote } from '../context.js';
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
  io.stdout.write(formatTable(makeRunsTable(runs, palette), palette, io.stdout.columns()));
  const note = makeRunsFootnote(runs);
  if (note !== null) printNote(note, io);
}
