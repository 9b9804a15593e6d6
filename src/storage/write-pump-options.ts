import type { Clock } from '../core/clock.js';
import type { LedgerFault } from './losses.js';
import type { QueueLimits } from './write-queue.js';

export interface WritePumpOptions {
  /** Told what was lost and why. May be called from within `save`, never from within the constructor. */
  readonly onFault: (fault: LedgerFault) => void;
  readonly clock?: Clock;
  /** What may wait in memory for a locked or full file. */
  readonly queue?: QueueLimits;
  /** How long `close` waits for a lock, milliseconds. */
  readonly closeDeadlineMs?: number;
  /** An upper bound for the file, in pages of 4096 bytes. */
  readonly maxPages?: number;
}
