import { EventBus, type EventListener, type Fault, type TrackerEvent } from './events.js';

const mostHeld = 100;

/** Events for whoever listens; faults from before anybody did are kept for the first who does. */
export class HeldEvents {
  readonly #bus: EventBus;
  /** `null` once somebody listens. */
  #held: Fault[] | null = [];

  constructor(onListenerError: (error: unknown) => void) {
    this.#bus = new EventBus(onListenerError);
  }

  onEvent(listener: EventListener): () => void {
    const stop = this.#bus.onEvent(listener);
    const held = this.#held ?? [];
    this.#held = null;
    for (const fault of held) this.#bus.announce({ type: 'fault.occurred', fault });
    return stop;
  }

  announce(event: TrackerEvent): void {
    if (this.#held === null) this.#bus.announce(event);
    else if (event.type === 'fault.occurred' && this.#held.length < mostHeld) this.#held.push(event.fault);
  }
}
