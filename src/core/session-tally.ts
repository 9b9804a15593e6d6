import type { SessionCounts } from './session.js';

/** Where each count lies in the memory; `recorded` are the calls that have ended. */
const slots = ['calls', 'passedRequests', 'tunnels', 'tunnelBytes', 'upgrades', 'faults', 'recorded'] as const;

const bytesASlot = 8;

/**
 * Memory for a tally that outlives the thread it is kept in: the next one goes on from there. Written by one thread at a
 * time.
 */
export function makeTallyMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(slots.length * bytesASlot);
}

/** What passed through one session. */
export class SessionTally {
  readonly #numbers: Float64Array<ArrayBufferLike>;

  /** @param memory of `makeTallyMemory`, where an earlier tally may have ended; one of its own when absent */
  constructor(memory?: SharedArrayBuffer) {
    this.#numbers = new Float64Array(memory ?? new ArrayBuffer(slots.length * bytesASlot));
    // Calls that were under way when the thread before this one died left no record.
    this.#numbers[slots.indexOf('calls')] = this.#read('recorded');
  }

  add(what: keyof SessionCounts | 'recorded', by = 1): void {
    this.#numbers[slots.indexOf(what)] = this.#read(what) + by;
  }

  counts(): SessionCounts {
    return {
      calls: this.#read('calls'),
      passedRequests: this.#read('passedRequests'),
      tunnels: this.#read('tunnels'),
      tunnelBytes: this.#read('tunnelBytes'),
      upgrades: this.#read('upgrades'),
      faults: this.#read('faults'),
    };
  }

  #read(what: (typeof slots)[number]): number {
    return this.#numbers[slots.indexOf(what)] ?? 0;
  }
}
