import type { Clock } from '../core/clock.js';

/** A turn of the loop that lasts longer is ended before its time: a dozen calls end in one so long, at a commit for all. */
const maxTurnMs = 5;

/** Calls back once when the turn of the event loop in which it was marked ends, or when that turn lasts too long. */
export class TurnEnd {
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  #immediate: NodeJS.Immediate | null = null;
  #markedMs = 0;

  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  mark(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#immediate === null) {
      this.#markedMs = nowMs;
      this.#immediate = setImmediate(() => this.#end());
    } else if (nowMs - this.#markedMs > maxTurnMs) this.#end();
  }

  cancel(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
  }

  #end(): void {
    this.cancel();
    this.#onEnd();
  }
}
