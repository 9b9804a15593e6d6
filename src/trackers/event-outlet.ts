import { readErrorMessage } from '../core/errors.js';
import type { EventSink, RunLogger } from '../core/run-events.js';

export interface OutletOptions {
  readonly sink: EventSink;
  readonly context: object;
  readonly logger: RunLogger | null;
  /** Whose events these are, for the log: `run 1f0c… of config "support-bot"`. */
  readonly run: string;
  /** What to do about something recorded twice, as a sentence. */
  readonly remedy: string;
}

/**
 * Through which the events of one run leave: what the sink or the logger throws stays here, and what is recorded at most
 * once leaves once.
 */
export class EventOutlet<Slot extends string> {
  readonly #options: OutletOptions;
  readonly #taken = new Set<Slot>();

  constructor(options: OutletOptions) {
    this.#options = options;
  }

  /** Sends one event; `data` has to be nobody else's. */
  emit(eventName: string, data: object, metricValue: number): void {
    const { sink, context } = this.#options;
    this.#isolate(
      () => sink.track(eventName, context, data, metricValue),
      (error) =>
        this.#log('error', `The sink failed at ${eventName} of ${this.#options.run}: ${readErrorMessage(error)}`),
    );
  }

  /**
   * Takes what can be recorded once, before anything is sent: a sink that calls back, or throws, finds it taken. A second
   * caller gets false, and one warning is logged.
   *
   * @param slot fills "the … of the run is recorded already".
   */
  claim(slot: Slot, method: string): boolean {
    if (!this.#taken.has(slot)) {
      this.#taken.add(slot);
      return true;
    }
    const { run, remedy } = this.#options;
    this.#log('warn', `${method} was skipped: the ${slot} of ${run} is recorded already. ${remedy}`);
    return false;
  }

  /** Says that a call was given nothing it can record. Nothing is taken by it. */
  skip(method: string, reason: string): void {
    this.#log('debug', `${method} was skipped for ${this.#options.run}: ${reason}.`);
  }

  /** Says what went on in the background. */
  note(message: string): void {
    this.#log('debug', `${message} (${this.#options.run}).`);
  }

  #log(level: keyof RunLogger, message: string): void {
    const { logger } = this.#options;
    if (logger === null) return;
    this.#isolate(
      () => logger[level](message),
      () => undefined, // Where a logger fails there is nobody left to tell.
    );
  }

  #isolate(act: () => unknown, onFailure: (error: unknown) => void): void {
    try {
      const result = act();
      // One that is asynchronous fails later, and nobody else would hear of it but the process.
      if (result instanceof Promise) result.catch(onFailure);
    } catch (error) {
      onFailure(error);
    }
  }
}
