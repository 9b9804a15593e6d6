import { randomUUID } from 'node:crypto';
import { readErrorMessage } from '../core/errors.js';
import type { Dedupe } from '../core/host.js';
import { isolate, makeQuietLogger } from '../core/quiet-logger.js';
import type { EventSink, OnceSink, RunLogger } from '../core/run-events.js';

export interface OutletOptions {
  readonly sink: EventSink | OnceSink;
  /** `run`: the sink has a `trackOnce`. */
  readonly dedupe: Dedupe | undefined;
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
  readonly #logger: RunLogger;
  readonly #taken = new Set<Slot>();
  /** Whose facts these are, where others may state them too. */
  #owner: string | null = null;

  constructor(options: OutletOptions) {
    this.#options = options;
    this.#logger = makeQuietLogger(options.logger);
  }

  /** Sends one event; `data` has to be nobody else's. */
  emit(eventName: string, data: object, metricValue: number): void {
    isolate(
      () => this.#send(eventName, data, metricValue),
      (error) =>
        this.#logger.error(`The sink failed at ${eventName} of ${this.#options.run}: ${readErrorMessage(error)}`),
    );
  }

  #send(eventName: string, data: object, metricValue: number): unknown {
    const { sink, context, dedupe } = this.#options;
    if (dedupe !== 'run' || !('trackOnce' in sink)) return sink.track(eventName, context, data, metricValue);
    this.#owner ??= randomUUID();
    return sink.trackOnce(this.#owner, eventName, context, data, metricValue);
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
    this.#logger.warn(`${method} was skipped: the ${slot} of ${run} is recorded already. ${remedy}`);
    return false;
  }

  /** Says that a call was given nothing it can record. Nothing is taken by it. */
  skip(method: string, reason: string): void {
    this.#logger.debug(`${method} was skipped for ${this.#options.run}: ${reason}.`);
  }

  /** Says what went on in the background. */
  note(message: string): void {
    this.#logger.debug(`${message} (${this.#options.run}).`);
  }
}
