import type { CallRecord } from '../core/call-record.js';
import { openReadable } from './database.js';
import { type CallsAsked, iterateCalls, Queries } from './ledger-queries.js';
import { makeStoreError } from './store-errors.js';

/** How long a command that reads waits for a lock: nobody's traffic passes there. */
const readTimeoutMs = 5000;

/** A reading connection to a ledger, opened when it is first needed: a file that does not exist yet reads as empty. */
export class LedgerConnection {
  readonly path: string;
  readonly #busyTimeoutMs: number;
  #queries: Queries | null = null;

  /** @param busyTimeoutMs how long the thread sleeps for another process's lock */
  constructor(path: string, busyTimeoutMs: number = readTimeoutMs) {
    this.path = path;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  /** @param action what is attempted, for the error: `list the runs` */
  read<T>(action: string, empty: T, read: (queries: Queries) => T): T {
    try {
      const queries = this.#connect();
      return queries === null ? empty : read(queries);
    } catch (error) {
      throw makeStoreError(error, { action, path: this.path });
    }
  }

  iterate(asked: CallsAsked): Iterable<CallRecord> {
    return { [Symbol.iterator]: () => this.#iterate(asked) };
  }

  close(): void {
    this.#queries?.db.close();
    this.#queries = null;
  }

  *#iterate(asked: CallsAsked): Generator<CallRecord> {
    try {
      const queries = this.#connect();
      if (queries !== null) yield* iterateCalls(queries, asked);
    } catch (error) {
      throw makeStoreError(error, { action: 'list the calls', path: this.path });
    }
  }

  /** `null` while there is no ledger; asks again each time, for a writer may make one. */
  #connect(): Queries | null {
    if (this.#queries !== null) return this.#queries;
    const db = openReadable(this.path, this.#busyTimeoutMs);
    this.#queries = db === null ? null : new Queries(db);
    return this.#queries;
  }
}
