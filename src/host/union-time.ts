interface Interval {
  readonly startMs: number;
  endMs: number;
}

/** More gaps than this between calls, and those before the middle one are settled. */
const mostIntervals = 10_000;

/**
 * Time in which at least one of several calls was under way, given in any order. Memory is bounded: of a run with more than
 * 10,000 pauses the older half is settled, and what comes later of before then counts nothing.
 *
 * @example
 * const time = new UnionTime();
 * time.add(0, 10);
 * time.add(5, 20);
 * time.add(30, 31);
 * time.totalMs; // 21
 */
export class UnionTime {
  /** In order, without touching each other. */
  readonly #intervals: Interval[] = [];
  #settledMs = 0;
  #settledUntilMs = Number.NEGATIVE_INFINITY;

  get totalMs(): number {
    return this.#intervals.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, this.#settledMs);
  }

  add(givenStartMs: number, givenEndMs: number): void {
    let startMs = Math.max(givenStartMs, this.#settledUntilMs);
    let endMs = givenEndMs;
    if (!(endMs >= startMs)) return;
    // From the end: calls come about in the order they ended.
    let after = this.#intervals.length;
    while (after > 0 && (this.#intervals[after - 1]?.startMs ?? 0) > endMs) after -= 1;
    let from = after;
    while (from > 0 && (this.#intervals[from - 1]?.endMs ?? 0) >= startMs) from -= 1;
    const touched = this.#intervals.slice(from, after);
    for (const interval of touched) {
      startMs = Math.min(startMs, interval.startMs);
      endMs = Math.max(endMs, interval.endMs);
    }
    this.#intervals.splice(from, touched.length, { startMs, endMs });
    if (this.#intervals.length > mostIntervals) this.#settleHalf();
  }

  #settleHalf(): void {
    const old = this.#intervals.splice(0, mostIntervals / 2);
    for (const { startMs, endMs } of old) this.#settledMs += endMs - startMs;
    this.#settledUntilMs = old.at(-1)?.endMs ?? this.#settledUntilMs;
  }
}
