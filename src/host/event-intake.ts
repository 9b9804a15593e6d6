import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GivenEvent } from '../core/run-events.js';

export interface IntakePorts {
  readonly take: (event: GivenEvent) => void;
  /** Asked before every turn's share: resolves when what events go on to has room. */
  readonly whenReady: () => Promise<void>;
  readonly onDropped: (count: number) => void;
  /** Events that wait at most; 100,000 when absent. The oldest give way. */
  readonly mostEvents?: number;
  /** Characters that wait at most; 32 Mi when absent. */
  readonly mostChars?: number;
}

interface Batch {
  readonly events: readonly GivenEvent[];
  readonly onTaken: (() => void) | undefined;
  readonly chars: number;
}

/** What is taken in one turn of the loop: traffic passes through the same one. */
const share = 250;

/** Lets a burst of events in over as many turns of the event loop as it takes, in the order they came. */
export class EventIntake {
  readonly #ports: IntakePorts;
  #batches: Batch[] = [];
  #waiting = 0;
  #chars = 0;
  #dropped = 0;
  #working: Promise<void> | null = null;

  constructor(ports: IntakePorts) {
    this.#ports = ports;
  }

  give(events: readonly GivenEvent[], onTaken?: () => void): void {
    const chars = events.reduce((sum, { data, context, name }) => sum + data.length + context.length + name.length, 0);
    this.#batches.push({ events, onTaken, chars });
    this.#waiting += events.length;
    this.#chars += chars;
    this.#makeRoom();
    this.#working ??= this.#work();
  }

  /** Resolves when what was given has been taken. */
  async settle(): Promise<void> {
    while (this.#working !== null) await this.#working;
  }

  async #work(): Promise<void> {
    // NOTE: before anything is taken, so that who asked for this has the promise before it can end.
    await this.#ports.whenReady();
    let taken = 0;
    for (let batch = this.#shift(); batch !== undefined; batch = this.#shift()) {
      for (const event of batch.events) {
        if (taken > 0 && taken % share === 0) {
          await nextTurn();
          await this.#ports.whenReady();
        }
        this.#ports.take(event);
        taken += 1;
      }
      batch.onTaken?.();
    }
    this.#working = null;
    this.#tellDropped();
  }

  #shift(): Batch | undefined {
    const batch = this.#batches.shift();
    if (batch === undefined) return undefined;
    this.#waiting -= batch.events.length;
    this.#chars -= batch.chars;
    return batch;
  }

  #makeRoom(): void {
    const { mostEvents = 100_000, mostChars = 32 * 1024 * 1024 } = this.#ports;
    while (this.#batches.length > 1 && (this.#waiting > mostEvents || this.#chars > mostChars)) {
      const oldest = this.#shift();
      this.#dropped += oldest?.events.length ?? 0;
      oldest?.onTaken?.();
    }
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#ports.onDropped(count);
  }
}
