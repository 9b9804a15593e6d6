import type { TrackerEvent } from '../core/events.js';
import type { ToThread } from './messages.js';

type FaultNote = Extract<ToThread, { kind: 'fault' }>;

const most = 100;

/** Faults given to a thread, until it announces them: by then they are kept. */
export class Untold {
  #notes: FaultNote[] = [];

  /** More than anybody reads are not kept for another thread. */
  add(note: FaultNote): void {
    if (this.#notes.length < most) this.#notes.push(note);
  }

  hear(event: TrackerEvent): void {
    if (event.type !== 'fault.occurred' || this.#notes.length === 0) return;
    const { code, message } = event.fault;
    // NOTE: not by its session, which the host no longer names when that has been closed meanwhile.
    const at = this.#notes.findIndex(({ fault }) => fault.code === code && fault.message === message);
    if (at >= 0) this.#notes.splice(at, 1);
  }

  list(): readonly FaultNote[] {
    return [...this.#notes];
  }
}
