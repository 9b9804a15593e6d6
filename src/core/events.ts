import type { CallRecord } from './call-record.js';
import type { ErrorCode } from './errors.js';
import type { RunEvent } from './run-events.js';
import type { RunOutcome, Session, SessionCounts } from './session.js';

/** A failure of the tap's own, or something the user must know to be seen; it never reaches the agent. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | null;
  readonly sessionId: string | null;
  /** UTC, ISO 8601. */
  readonly at: string;
}

/** A fact announced, named in the past tense. */
export type TrackerEvent =
  | { readonly type: 'session.opened'; readonly session: Session }
  | {
      readonly type: 'session.closed';
      readonly session: Session;
      readonly counts: SessionCounts;
      /** Of the run of its config; `null` when it is for none. */
      readonly outcome: RunOutcome | null;
    }
  | { readonly type: 'call.completed'; readonly record: CallRecord }
  | { readonly type: 'run.tracked'; readonly event: RunEvent }
  | { readonly type: 'fault.occurred'; readonly fault: Fault };

export type EventListener = (event: TrackerEvent) => void;

/**
 * Tells every listener of every event, each isolated from the others: one that throws is reported through
 * `onListenerError` and harms nobody. Synchronous; listeners are called in the order they subscribed.
 */
export class EventBus {
  readonly #listeners = new Set<EventListener>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(onListenerError: (error: unknown) => void = () => undefined) {
    this.#onListenerError = onListenerError;
  }

  /** Subscribes; the returned function unsubscribes and may be called twice. */
  onEvent(listener: EventListener): () => void {
    const own: EventListener = (event) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  announce(event: TrackerEvent): void {
    for (const listener of this.#listeners) {
      try {
        const result: unknown = listener(event);
        // One that is asynchronous fails later, and nobody else would hear of it but the process.
        if (result instanceof Promise) result.catch((error: unknown) => this.#onListenerError(error));
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }
}
