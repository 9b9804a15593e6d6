import type { ReplyControl } from '../core/reply.js';
import { longestLagBytes } from './shared-player.js';

/** How fast a shared reply comes: it waits only where who leads it and all who follow do. */
export class SharedPace {
  readonly #hasReader: () => boolean;
  #control: ReplyControl | null = null;
  /** Whether the client of the one who asked first is still there. */
  #isLed = false;
  #isLeaderPaused = false;
  #isHeld = false;

  /** @param hasReader whether one of those who follow takes what comes */
  constructor(hasReader: () => boolean) {
    this.#hasReader = hasReader;
  }

  /** Who asked first holds back the provider by what this gives, as far as the others let it. */
  lead(control: ReplyControl): ReplyControl {
    this.#control = control;
    this.#isLed = true;
    this.#isLeaderPaused = false;
    this.#isHeld = false;
    const hasReader = this.#hasReader;
    return {
      // Nobody is ahead of one who reads alone.
      get maxLagBytes() {
        return hasReader() ? longestLagBytes : Number.POSITIVE_INFINITY;
      },
      pause: () => this.#setPaused(true),
      resume: () => this.#setPaused(false),
      abort: (reason) => control.abort(reason),
      ...(control.findUnread !== undefined && { findUnread: (error: unknown) => control.findUnread?.(error) ?? null }),
    };
  }

  /**
   * The client of who asked first has left.
   *
   * @param control the provider's, or what `lead` gave for it
   */
  inherit(control: ReplyControl): void {
    if (!this.#isLed) {
      this.#control = control;
      this.#isHeld = false;
    }
    this.#isLed = false;
    this.settle();
  }

  /** Somebody who follows came or left, takes what comes again or no longer. */
  settle(): void {
    const isHeld = (this.#isLeaderPaused || !this.#isLed) && !this.#hasReader();
    if (this.#control === null || isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#control.pause();
    else this.#control.resume();
  }

  /** Nobody follows any more: the provider is told, unless the client that asked first is there. */
  abandon(reason: Error): void {
    if (!this.#isLed) this.#control?.abort(reason);
  }

  #setPaused(isPaused: boolean): void {
    this.#isLeaderPaused = isPaused;
    this.settle();
  }
}
