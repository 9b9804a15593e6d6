import type { LedgerReader } from '../core/ledger.js';
import { makePalette } from './colour.js';
import { openHome } from './home.js';
import type { CliIo } from './io.js';

/** What every command gets, and where it leaves its exit status. */
export interface CommandContext {
  readonly io: CliIo;
  exitStatus: number;
}

/** Opens the ledger of the user's home, hands it over and closes it again. */
export async function useLedger<T>(io: CliIo, use: (ledger: LedgerReader) => T | Promise<T>): Promise<T> {
  const [home, { openLedgerReader }] = await Promise.all([openHome(io.env), import('../storage/ledger-reader.js')]);
  const ledger = openLedgerReader({ home });
  try {
    return await use(ledger);
  } finally {
    ledger.close();
  }
}

/** Prints values to stdout as JSON, one a line, as they come. */
export function printJsonLines(values: Iterable<unknown>, io: CliIo): void {
  for (const value of values) io.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Tells something beside the result, on stderr. */
export function printNote(text: string, io: CliIo): void {
  io.stderr.write(`${makePalette(io.stderr, io.env).dim(text)}\n`);
}
