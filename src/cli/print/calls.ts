import type { CallRecord } from '../../core/call-record.js';
import { makePalette } from '../colour.js';
import { printNote } from '../context.js';
import { makeCallsTable } from '../format/calls.js';
import type { CliIo } from '../io.js';
import { formatTable } from '../table.js';

/** The table of `llmtap calls`; says so where there is nothing to show. */
export function printCalls(calls: readonly CallRecord[], io: CliIo): void {
  if (calls.length === 0) {
    printNote('No calls on record here.', io);
    return;
  }
  const palette = makePalette(io.stdout, io.env);
  io.stdout.write(formatTable(makeCallsTable(calls, palette), palette, io.stdout.columns()));
}
