import { type ErrorCode, readErrorMessage } from '../core/errors.js';
import type { Fault } from '../core/events.js';
import type { EventSaved } from '../core/ledger.js';
import { hintOfTrouble } from './store-errors.js';
import type { Write } from './writes.js';

/** A fault of the ledger's own: who was affected and when, the host knows. */
export type LedgerFault = Pick<Fault, 'code' | 'message' | 'hint'>;

export type LossReason = 'locked' | 'full' | 'failed' | 'closed';

const codeOfReason: Record<LossReason, ErrorCode> = {
  locked: 'STORE_LOCKED',
  full: 'STORE_FULL',
  failed: 'STORE_FAILED',
  closed: 'STORE_FAILED',
};

const sayReason: Record<LossReason, string> = {
  locked: 'another process kept the file locked',
  full: 'the disk is full or the device fails',
  failed: 'the statement failed',
  closed: 'the ledger was closed already',
};

interface Tally {
  calls: number;
  others: number;
  cause: unknown;
}

/**
 * Counts what the ledger could not write and says it once per episode: from the first loss until the file can be
 * written again, or is closed.
 */
export class Losses {
  readonly #path: string;
  readonly #onFault: (fault: LedgerFault) => void;
  readonly #tallies = new Map<LossReason, Tally>();
  #saidFull = false;
  /** Calls lost in all since the ledger was opened. */
  lostCalls = 0;

  constructor(path: string, onFault: (fault: LedgerFault) => void) {
    this.#path = path;
    this.#onFault = onFault;
  }

  count(write: Write, reason: LossReason, cause?: unknown): void {
    const tally = this.#tallies.get(reason) ?? { calls: 0, others: 0, cause };
    if (write.kind === 'call') tally.calls++;
    else tally.others++;
    if (write.kind === 'call') this.lostCalls++;
    this.#tallies.set(reason, tally);
    tellSaved(write, 'lost');
  }

  /** The disk is full: bodies are left out from now on. Said once per episode, at its beginning. */
  noteFull(cause: unknown): void {
    if (this.#saidFull) return;
    this.#saidFull = true;
    const message =
      `Could not write to the ledger at ${this.#path}: ${readErrorMessage(cause).replace(/\.$/, '')}. ` +
      'Until there is room, calls are kept without their bodies, and in memory where not even that fits.';
    this.say({ code: 'STORE_FULL', message, hint: hintOfTrouble.full });
  }

  /** A write with everything it holds went through: the disk has room again. */
  noteRoom(): void {
    this.#saidFull = false;
  }

  /** The episode is over: says what it cost, if anything. */
  settle(): void {
    const tallies = [...this.#tallies];
    this.#tallies.clear();
    for (const [reason, tally] of tallies) this.#sayTally(reason, tally);
  }

  #sayTally(reason: LossReason, { calls, others, cause }: Tally): void {
    const what = [];
    if (calls > 0) what.push(calls === 1 ? '1 call' : `${calls} calls`);
    if (others > 0)
      what.push(others === 1 ? '1 session entry, event or fault' : `${others} session entries, events or faults`);
    const because = cause === undefined ? '' : ` (${readErrorMessage(cause).replace(/\.$/, '')})`;
    const message = `Lost ${what.join(' and ')}: could not write to the ledger at ${this.#path}, ${sayReason[reason]}${because}.`;
    const hint = reason === 'closed' ? null : hintOfTrouble[reason];
    this.say({ code: codeOfReason[reason], message, hint });
  }

  /** A listener that throws must not reach the caller of the ledger. */
  say(fault: LedgerFault): void {
    try {
      this.#onFault(fault);
    } catch {
      // The one place a fault could be told has failed itself.
    }
  }
}

/** Tells whoever gave an event what became of it. Never throws. */
export function tellSaved(write: Write, saved: EventSaved): void {
  try {
    write.onSaved?.(saved);
  } catch {
    // Its own business: the ledger has done its part.
  }
}
