/** Allows so many at once, and then so many a second: what a well-behaved other end never comes near. */
export class RateLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #atMs = performance.now();

  constructor({ burst, perSecond }: { readonly burst: number; readonly perSecond: number }) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  /** Whether one more is allowed. */
  take(): boolean {
    this.#left -= 1;
    if (this.#left >= 0) return true;
    const nowMs = performance.now();
    this.#left = Math.min(this.#burst, Math.floor(((nowMs - this.#atMs) / 1000) * this.#perSecond)) - 1;
    this.#atMs = nowMs;
    return this.#left >= 0;
  }
}
