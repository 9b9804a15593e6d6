import { makeLagError, type ReplyControl, type ReplyHandler } from '../core/reply.js';

/** Once the reply has grown too large to be held whole, one who lags further behind is cut: the others do not wait. */
export const longestLagBytes = 16 * 1024 * 1024;

interface PlayerPorts {
  /** A chunk by its number; `undefined` when it has not come yet. */
  readonly read: (at: number) => Buffer | undefined;
  readonly findEnd: () => 'whole' | 'failed' | null;
  /** It takes what comes, or takes it no longer. */
  readonly onPaced: () => void;
  readonly onGone: () => void;
}

/** One who gets a shared reply. */
export class Player implements ReplyControl {
  readonly #handler: ReplyHandler;
  readonly #ports: PlayerPorts;
  #paused = false;
  #isOver = false;
  #isPlaying = false;
  /** The chunk that comes next. */
  at = 0;

  constructor(handler: ReplyHandler, ports: PlayerPorts) {
    this.#handler = handler;
    this.#ports = ports;
  }

  play(): void {
    if (this.#isPlaying) return;
    this.#isPlaying = true;
    while (!this.#paused && !this.#isOver) {
      const bytes = this.#ports.read(this.at);
      if (bytes === undefined) break;
      this.at += 1;
      this.#handler.onData(bytes);
    }
    this.#isPlaying = false;
    const end = this.#paused || this.#isOver || this.#ports.read(this.at) !== undefined ? null : this.#ports.findEnd();
    if (end === null) return;
    this.#isOver = true;
    if (end === 'whole') this.#handler.onEnd([]);
    else this.#handler.onError(new Error('the reply it shares was cut'));
    this.#ports.onGone();
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#ports.onPaced();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.play();
    this.#ports.onPaced();
  }

  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler.onError(makeLagError());
    this.#ports.onGone();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ports.onGone();
  }
}
