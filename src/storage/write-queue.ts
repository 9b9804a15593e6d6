import type { Write } from './writes.js';

export interface QueueLimits {
  readonly maxWrites: number;
  readonly maxBytes: number;
}

/** What waits for the file, first come first served, within bounds. */
export class WriteQueue {
  readonly #limits: QueueLimits;
  #waiting: Write[] = [];
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** `false`, and nothing is kept, when a bound would be passed. */
  push(write: Write): boolean {
    if (this.size >= this.#limits.maxWrites || this.#bytes + write.bytes > this.#limits.maxBytes) return false;
    this.#waiting.push(write);
    this.#bytes += write.bytes;
    return true;
  }

  /** The first writes up to so many and so many bytes, but at least one; they stay until `drop`. */
  peek(maxWrites: number, maxBytes: number): readonly Write[] {
    const batch: Write[] = [];
    let bytes = 0;
    for (const write of this.#waiting) {
      bytes += write.bytes;
      if (batch.length >= maxWrites || (batch.length > 0 && bytes > maxBytes)) break;
      batch.push(write);
    }
    return batch;
  }

  /** Puts another in the place of the first. */
  replaceFirst(write: Write): void {
    this.#bytes += write.bytes - (this.#waiting[0]?.bytes ?? 0);
    this.#waiting[0] = write;
  }

  drop(count: number): void {
    for (const write of this.#waiting.splice(0, count)) this.#bytes -= write.bytes;
  }

  /** Empties the queue and returns what was in it. */
  clear(): readonly Write[] {
    const rest = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return rest;
  }
}
