import type { Fault } from '../../core/events.js';

/** A kind of fault and how often it came. */
export interface CountedFault {
  readonly fault: Fault;
  readonly count: number;
}

/** How many different faults are kept; what comes beyond is only counted. */
const mostKinds = 100;

/** Gathers faults while the child owns the terminal: equal ones are counted, memory is bounded. */
export class FaultCollector {
  readonly #kinds = new Map<string, { readonly fault: Fault; count: number }>();
  #beyond = 0;

  add(fault: Fault): void {
    const key = `${fault.code} ${fault.message}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#kinds.size < mostKinds) this.#kinds.set(key, { fault, count: 1 });
    else this.#beyond += 1;
  }

  /** In the order they first came. */
  get list(): readonly CountedFault[] {
    return [...this.#kinds.values()];
  }

  /** Faults of kinds that were not kept. */
  get beyond(): number {
    return this.#beyond;
  }
}
