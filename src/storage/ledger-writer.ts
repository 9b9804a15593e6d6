import type { CallRecord } from '../core/call-record.js';
import { readErrorMessage } from '../core/errors.js';
import type { Fault } from '../core/events.js';
import type { EventClaim, EventSaved, LedgerWriter, SessionEnd } from '../core/ledger.js';
import type { RunEvent } from '../core/run-events.js';
import type { Session } from '../core/session.js';
import { makePlacePath, type StorePlace } from './database.js';
import { WritePump } from './write-pump.js';
import type { WritePumpOptions } from './write-pump-options.js';
import {
  makeCallWrite,
  makeEventWrite,
  makeFaultWrite,
  makeSessionEndWrite,
  makeSessionWrite,
  type Write,
} from './writes.js';

export type LedgerWriterOptions = StorePlace &
  WritePumpOptions & {
    /** Kept with every session; `null` when absent. */
    readonly trackerId?: string;
  };

/** A writer that can say what it could not keep. */
export interface OpenLedgerWriter extends LedgerWriter {
  /** Calls lost since it was opened. */
  readonly lostCalls: number;
  /** Writes waiting in memory for the file. */
  readonly waiting: number;
}

/**
 * Opens the ledger for writing. Never throws: a file that cannot be opened makes one fault (`STORE_UNOPENABLE`,
 * `STORE_NEWER`) and a writer that counts what it loses, so that the run goes on. A locked or full file makes writes
 * wait in memory, within bounds; what did not fit or could not be written in the end is told in one fault
 * (`STORE_LOCKED`, `STORE_FULL`, `STORE_FAILED`).
 */
export function openLedgerWriter(options: LedgerWriterOptions): OpenLedgerWriter {
  return new SqliteLedgerWriter(options);
}

class SqliteLedgerWriter implements OpenLedgerWriter {
  readonly #pump: WritePump;
  readonly #trackerId: string | null;

  constructor(options: LedgerWriterOptions) {
    this.#trackerId = options.trackerId ?? null;
    this.#pump = new WritePump(makePlacePath(options), options);
  }

  get lostCalls(): number {
    return this.#pump.lostCalls;
  }

  get waiting(): number {
    return this.#pump.waiting;
  }

  saveSessionOpened(session: Session): void {
    this.#pump.save(makeSessionWrite(session, this.#trackerId));
  }

  saveSessionClosed(sessionId: string, end: SessionEnd): void {
    this.#pump.save(makeSessionEndWrite(sessionId, end));
  }

  saveFault(fault: Fault): void {
    this.#pump.save(makeFaultWrite(fault));
  }

  saveEvent(event: RunEvent, claim: EventClaim | null, onSaved?: (saved: EventSaved) => void): void {
    this.#pump.save(makeEventWrite(event, claim, onSaved));
  }

  saveCall(record: CallRecord): void {
    this.#pump.save(this.#encode(record));
  }

  flush(deadlineMs: number): Promise<boolean> {
    return this.#pump.flush(deadlineMs);
  }

  close(): Promise<void> {
    return this.#pump.close();
  }

  /** A body too deep for JSON.stringify is no reason to lose the call. */
  #encode(record: CallRecord): Write {
    try {
      return makeCallWrite(record);
    } catch (error) {
      const message = `Could not encode the bodies of call ${record.callId}: ${readErrorMessage(error)}. They are not kept.`;
      this.#pump.say({ code: 'STORE_FAILED', message, hint: null });
      return makeCallWrite({ ...record, requestBody: null, responseBody: null });
    }
  }
}
