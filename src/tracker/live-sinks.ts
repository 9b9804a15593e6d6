import { readErrorMessage } from '../core/errors.js';
import type { TrackerEvent } from '../core/events.js';
import { copyPlainData } from '../core/plain-copy.js';
import { isolate } from '../core/quiet-logger.js';
import type { EventSink } from '../core/run-events.js';
import { waitAtMost } from '../core/wait-at-most.js';

/** A sink of the user's own that may hold events back: LaunchDarkly's client does. */
type Flushing = EventSink & { readonly flush?: () => unknown };

/** How long the end of a tracker waits for what its sinks hold back. */
const flushMs = 3000;

/**
 * Sinks in the program itself, which no other thread can be given: they get the events of runs as they are announced, by the
 * caller and by the wire, each isolated from the others.
 */
export class LiveSinks {
  readonly #sinks: readonly Flushing[];
  readonly #onError: (message: string) => void;

  constructor(sinks: readonly EventSink[], onError: (message: string) => void) {
    this.#sinks = sinks;
    this.#onError = onError;
  }

  hear(announced: TrackerEvent): void {
    if (announced.type !== 'run.tracked' || this.#sinks.length === 0) return;
    const { name, context, data, value } = announced.event;
    if (typeof context !== 'object' || context === null) return;
    for (const sink of this.#sinks) {
      isolate(
        () => sink.track(name, copyPlainData(context), copyPlainData(data), value ?? Number.NaN),
        (error) => this.#onError(`A sink failed at ${name}: ${readErrorMessage(error)}.`),
      );
    }
  }

  /** Has each send what it holds back, for at most 3 s. They stay open: they are the user's. */
  async flush(): Promise<void> {
    const flushing = this.#sinks.map(async (sink) => {
      try {
        await sink.flush?.();
      } catch (error) {
        this.#onError(`A sink could not send what it held back: ${readErrorMessage(error)}.`);
      }
    });
    await waitAtMost(flushMs, Promise.all(flushing));
  }
}
