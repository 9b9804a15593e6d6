import { systemClock } from '../core/clock.js';
import { EventBus, type EventListener, type Fault, type TrackerEvent } from '../core/events.js';
import type { Exporting } from './exporting.js';

const mostUnheard = 100;

export interface AnnouncerOptions {
  readonly exporting: Exporting;
  /** Keeps a fault in the ledger. */
  readonly saveFault: (fault: Fault) => void;
  readonly onListenerError: (error: unknown) => void;
}

/** Tells events to who listens and to the exporters, and keeps faults. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #bus: EventBus;
  /** Faults from before anybody listened, kept for the first who does; `null` from then on. */
  #unheard: Fault[] | null = [];

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#bus = new EventBus(options.onListenerError);
  }

  onEvent(listener: EventListener): () => void {
    const stop = this.#bus.onEvent(listener);
    const unheard = this.#unheard ?? [];
    this.#unheard = null;
    for (const fault of unheard) this.#bus.announce({ type: 'fault.occurred', fault });
    return stop;
  }

  announce(event: TrackerEvent): void {
    this.#bus.announce(event);
    this.#options.exporting.offer(event);
  }

  fault(given: Omit<Fault, 'at'>): void {
    const fault = { ...given, at: systemClock.nowIso() };
    this.#options.saveFault(fault);
    this.#options.exporting.offer({ type: 'fault.occurred', fault });
    if (this.#unheard === null) this.#bus.announce({ type: 'fault.occurred', fault });
    else if (this.#unheard.length < mostUnheard) this.#unheard.push(fault);
  }
}
