import { readErrorMessage } from '../core/errors.js';
import { openLedgerReader } from '../storage/ledger-reader.js';
import { openTrackerQueries } from '../storage/tracker-queries.js';
import type { ReadSpent } from './session-budgets.js';

export interface SpentOptions {
  readonly home: string;
  /** `null` where no tracker's calls are on record: then nothing was spent by all of them. */
  readonly trackerId: string | null;
  readonly onProblem: (message: string) => void;
}

/** Reads out of the ledger what was spent before. What cannot be read is told, and counts as nothing. */
export function makeReadSpent({ home, trackerId, onProblem }: SpentOptions): ReadSpent {
  return (whose, count) => {
    if (whose === 'all' && trackerId === null) return;
    try {
      const ledger =
        whose === 'all' ? openTrackerQueries({ home, trackerId: trackerId ?? '' }) : openLedgerReader({ home });
      try {
        for (const record of ledger.listCalls(whose === 'all' ? {} : whose)) count(record);
      } finally {
        ledger.close();
      }
    } catch (error) {
      onProblem(`What was spent before could not be read, so the budget begins anew: ${readErrorMessage(error)}`);
    }
  };
}
