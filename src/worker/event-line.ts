import type { GivenEvent } from '../core/run-events.js';
import type { ToThread } from './messages.js';

type EventsMessage = Extract<ToThread, { kind: 'events' }>;

export interface EventLinePorts {
  /** Posts to the thread of this moment, if there is one that serves. */
  readonly post: (message: EventsMessage) => void;
  readonly onDropped: (count: number) => void;
}

/** Few enough that the thread lets traffic pass between two batches. */
const batchEvents = 256;
/** Events that no thread has taken, at most. */
const mostEvents = 200_000;
/** Characters of them, at most: each is copied to the thread, its context with it. */
const mostChars = 64 * 1024 * 1024;

/**
 * Events on their way to the thread, gathered over a turn of the event loop, and kept until a thread has taken them: one
 * that takes its place is given them again. More than it takes are dropped and counted.
 */
export class EventLine {
  readonly #ports: EventLinePorts;
  #gathered: GivenEvent[] = [];
  #immediate: NodeJS.Immediate | null = null;
  /** By the number of the batch, in order. */
  readonly #posted = new Map<number, EventsMessage>();
  #lastId = 0;
  #outstanding = 0;
  #chars = 0;
  #dropped = 0;

  constructor(ports: EventLinePorts) {
    this.#ports = ports;
  }

  /** Whether there are any that no thread has said it took. */
  get isWaiting(): boolean {
    return this.#outstanding > 0;
  }

  give(event: GivenEvent): void {
    if (this.#outstanding >= mostEvents || this.#chars > mostChars) {
      this.#dropped += 1;
      return;
    }
    this.#outstanding += 1;
    this.#chars += countChars(event);
    this.#gathered.push(event);
    if (this.#gathered.length >= batchEvents) this.flush();
    else this.#immediate ??= setImmediate(() => this.flush());
  }

  /** Posts what is gathered: before anything that is to find it there. */
  flush(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    if (this.#gathered.length === 0) return;
    this.#lastId += 1;
    const message: EventsMessage = { kind: 'events', id: this.#lastId, events: this.#gathered };
    this.#gathered = [];
    this.#posted.set(message.id, message);
    this.#ports.post(message);
  }

  noteTaken(id: number): void {
    for (const event of this.#posted.get(id)?.events ?? []) {
      this.#outstanding -= 1;
      this.#chars -= countChars(event);
    }
    this.#posted.delete(id);
    if (this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#ports.onDropped(count);
  }

  /** What no thread has said it took, for the one that serves now. */
  again(): readonly EventsMessage[] {
    return [...this.#posted.values()];
  }

  /** Gives back what no thread will take. */
  takeBack(): readonly GivenEvent[] {
    this.flush();
    const events = [...this.#posted.values()].flatMap((message) => message.events);
    this.#posted.clear();
    this.#outstanding = 0;
    this.#chars = 0;
    return events;
  }
}

function countChars({ data, context }: GivenEvent): number {
  return data.length + context.length;
}
