import type { Clock } from '../core/clock.js';

const windowMs = 60_000;

/** Counts deaths within the last minute. */
export class Deaths {
  readonly #clock: Clock;
  readonly #mostMended: number;
  #recentMs: number[] = [];

  constructor(clock: Clock, mostMended: number) {
    this.#clock = clock;
    this.#mostMended = mostMended;
  }

  /** Notes one more; whether that is one too many. */
  isOneTooMany(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#recentMs = [...this.#recentMs.filter((atMs) => nowMs - atMs < windowMs), nowMs];
    return this.#recentMs.length > this.#mostMended;
  }
}
