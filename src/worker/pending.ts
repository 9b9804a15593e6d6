import type { CallRecord } from '../core/call-record.js';
import type { RequestName, Requests, ToThread } from './messages.js';

interface Waiting {
  readonly name: RequestName;
  readonly asked: unknown;
  /** Pages so far. */
  records: CallRecord[];
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** What was asked: its answer, and the records that came in pages before it. */
export interface Begun<Name extends RequestName> {
  readonly answer: Promise<Requests[Name]['answer']>;
  readonly records: () => CallRecord[];
}

/** What was asked and is not answered yet; asked once more of a thread that takes another's place. */
export class Pending {
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Begins to wait; the records that come in pages are put into `records` before it resolves. */
  add<Name extends RequestName>(
    name: Name,
    asked: Requests[Name]['asked'],
  ): Begun<Name> & { readonly id: number; readonly message: ToThread } {
    this.#lastId += 1;
    const id = this.#lastId;
    let waiting: Waiting | undefined;
    const answer = new Promise<Requests[Name]['answer']>((resolve, reject) => {
      waiting = { name, asked, records: [], resolve: resolve as (value: never) => void, reject };
      this.#waiting.set(id, waiting);
    });
    return { id, message: { kind: 'request', id, name, asked }, answer, records: () => waiting?.records ?? [] };
  }

  addPage(id: number, records: readonly CallRecord[]): void {
    this.#waiting.get(id)?.records.push(...records);
  }

  resolve(id: number, value: unknown): void {
    this.#waiting.get(id)?.resolve(value as never);
    this.#waiting.delete(id);
  }

  reject(id: number, error: Error): void {
    this.#waiting.get(id)?.reject(error);
    this.#waiting.delete(id);
  }

  /** Waits no longer, whatever comes. */
  drop(id: number): void {
    this.#waiting.delete(id);
  }

  rejectAll(error: Error): void {
    for (const id of [...this.#waiting.keys()]) this.reject(id, error);
  }

  /** Everything once more, from the beginning. */
  again(): ToThread[] {
    return [...this.#waiting].map(([id, waiting]) => {
      waiting.records = [];
      return { kind: 'request', id, name: waiting.name, asked: waiting.asked };
    });
  }
}
