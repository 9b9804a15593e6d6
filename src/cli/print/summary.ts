import type { Summary } from '../../core/ledger.js';
import { makePalette } from '../colour.js';
import { printNote } from '../context.js';
import { fitColumns } from '../format/fit-columns.js';
import { explainRefused, formatSaved, makeFootnote, makeSummaryTable } from '../format/summary.js';
import type { CliIo } from '../io.js';
import { formatTable } from '../table.js';

/** The table of `llmtap summary`; says so where there is nothing to sum up. */
export function printSummary(summary: Summary, io: CliIo): void {
  if (summary.models.length === 0) {
    printNote('No calls on record here.', io);
    return;
  }
  const palette = makePalette(io.stdout, io.env);
  const width = io.stdout.columns();
  const table = fitColumns(makeSummaryTable(summary.models, palette), width);
  io.stdout.write(formatTable(table, palette, width));
  const notes = [makeFootnote(table, summary.models), formatSaved(summary.models), explainRefused(summary)];
  for (const note of notes) if (note !== null) printNote(note, io);
}
