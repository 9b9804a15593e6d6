import { TrackerError } from './errors.js';
import type { GivenEvent, OnceSink } from './run-events.js';

export interface TapSinkOptions {
  /** Takes an event; never throws. */
  readonly give: (event: GivenEvent) => void;
  readonly newEventId: () => string;
  readonly nowMs: () => number;
  /** The session whose tracker it is; `null` for none's. */
  readonly sessionId: string | null;
}

/** An event is a few hundred characters, but for the path of a graph's run: 10,000 keys of nodes. */
const maxDataChars = 4 * 1024 * 1024;
/** What flags know a user by. It goes with every event. */
export const maxContextChars = 65_536;

/**
 * The tap as a sink of trackers: ledger, exporters and listeners get what it is given. Data and context are copied as
 * they are, as JSON. Throws `OPTION_INVALID` for what is none, and for more than 4 Mi characters of data, 65,536 of context.
 */
export class TapSink implements OnceSink {
  readonly #options: TapSinkOptions;
  /** Those of trackers are frozen, and one for all their events. */
  readonly #contexts = new WeakMap<object, string>();

  constructor(options: TapSinkOptions) {
    this.#options = options;
  }

  track(eventName: string, context: object, data: unknown, metricValue: number): void {
    this.#give(null, { eventName, context, data, metricValue });
  }

  trackOnce(owner: string, eventName: string, context: object, data: unknown, metricValue: number): void {
    this.#give(owner, { eventName, context, data, metricValue });
  }

  #give(owner: string | null, { eventName, context, data, metricValue }: Given): void {
    const { give, newEventId, nowMs, sessionId } = this.#options;
    give({
      eventId: newEventId(),
      name: String(eventName).slice(0, 512),
      value: Number(metricValue ?? Number.NaN),
      data: toJson(data ?? null, { what: 'data', eventName, maxChars: maxDataChars }),
      context: this.#readContext(context, eventName),
      ...{ sessionId, source: 'caller', owner, atMs: nowMs() },
    });
  }

  #readContext(context: object, eventName: string): string {
    const known = this.#contexts.get(context);
    if (known !== undefined) return known;
    const text = toJson(context, { what: 'context', eventName, maxChars: maxContextChars });
    if (Object.isFrozen(context)) this.#contexts.set(context, text);
    return text;
  }
}

interface Given {
  readonly eventName: string;
  readonly context: object;
  readonly data: unknown;
  readonly metricValue: number;
}

function toJson(
  value: unknown,
  { what, eventName, maxChars }: { readonly what: string; readonly eventName: string; readonly maxChars: number },
): string {
  const text = stringify(value);
  if (text !== null && text.length <= maxChars) return text;
  const problem = text === null ? 'it is no JSON' : `it is longer than ${maxChars} characters`;
  throw new TrackerError('OPTION_INVALID', `Could not take the ${what} of the event "${eventName}": ${problem}.`);
}

function stringify(value: unknown): string | null {
  try {
    // What JSON leaves out altogether gives no text, whatever the types say.
    return (JSON.stringify(value) as string | undefined) ?? null;
  } catch {
    // Of what is wrong with it nothing more is to be said: it holds itself, or what has no JSON.
    return null;
  }
}
