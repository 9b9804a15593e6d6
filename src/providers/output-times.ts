import type { OutputTimes } from '../core/wire.js';

/** A gap nobody takes for the model's pace: agents show a spinner again by then. */
const stallMs = 2000;
/** Buckets a twentieth wider each than the one before, from a microsecond to beyond a day: a quantile is off by 2.5 % at most. */
const bucketGrowth = 1.05;
const shortestMs = 0.001;
const buckets = 520;

/** Takes the times at which pieces of output came; the memory it needs does not grow with their number. */
export class OutputWatch {
  #pieces = 0;
  #firstMs = 0;
  #lastMs = 0;
  #longestMs = 0;
  #stalls = 0;
  /** How many gaps were of each length; made with the second piece. */
  #gaps: Uint32Array | null = null;

  note(atMs: number): void {
    if (this.#pieces++ === 0) this.#firstMs = atMs;
    else this.#noteGap(Math.max(0, atMs - this.#lastMs));
    this.#lastMs = atMs;
  }

  /** `null` when no piece came. */
  summarise(): OutputTimes | null {
    if (this.#pieces === 0) return null;
    return Object.freeze({
      pieces: this.#pieces,
      firstAtMs: this.#firstMs,
      lastAtMs: this.#lastMs,
      gapP50Ms: this.#findQuantile(0.5),
      gapP95Ms: this.#findQuantile(0.95),
      longestGapMs: this.#gaps === null ? null : this.#longestMs,
      stalls: this.#stalls,
      stallMs,
    });
  }

  #noteGap(ms: number): void {
    this.#gaps ??= new Uint32Array(buckets);
    const bucket = ms <= shortestMs ? 0 : 1 + Math.floor(Math.log(ms / shortestMs) / Math.log(bucketGrowth));
    const at = Math.min(bucket, buckets - 1);
    this.#gaps[at] = (this.#gaps[at] ?? 0) + 1;
    this.#longestMs = Math.max(this.#longestMs, ms);
    if (ms > stallMs) this.#stalls++;
  }

  #findQuantile(share: number): number | null {
    if (this.#gaps === null) return null;
    let left = Math.ceil(share * (this.#pieces - 1));
    const bucket = this.#gaps.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    // Pieces that came in one chunk came at one time.
    if (bucket === 0) return 0;
    return Math.min(shortestMs * bucketGrowth ** (bucket - 0.5), this.#longestMs);
  }
}
