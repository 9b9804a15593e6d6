import type { Summary } from '../../core/ledger.js';
import { makePalette } from '../colour.js';
import { printNote } from '../context.js';
import { makeFootnote, makeSummaryTable } from '../format/summary.js';
import type { CliIo } from '../io.js';
import { formatTable } from '../table.js';

/** The table of `llmtap summary`; says so where there is nothing to sum up. */
export function printSummary(summary: Summary, io: CliIo): void {
  if (summary.models.length === 0) {
    printNote('No calls on record here.', io);
    return;
  }
  const palette = makePalette(io.stdout, io.env);
  io.stdout.write(formatTable(makeSummaryTable(summary.models, palette), palette, io.stdout.columns()));
  const note = makeFootnote(summary);
  if (note !== null) printNote(note, io);
}
