/** Numbers of which the least comes out first: a binary heap in a list. */
export class MinHeap {
  readonly #values: number[];

  constructor(values: readonly number[]) {
    // A sorted list is a heap.
    this.#values = [...values].sort((a, b) => a - b);
  }

  push(value: number): void {
    const values = this.#values;
    let at = values.length;
    values.push(value);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = values[above] ?? value;
      if (parent <= value) break;
      values[at] = parent;
      at = above;
    }
    values[at] = value;
  }

  pop(): number | undefined {
    const values = this.#values;
    const least = values[0];
    const last = values.pop();
    if (last === undefined || values.length === 0) return least;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= values.length) break;
      if ((values[below + 1] ?? Number.POSITIVE_INFINITY) < (values[below] ?? 0)) below += 1;
      const child = values[below] ?? last;
      if (child >= last) break;
      values[at] = child;
      at = below;
    }
    values[at] = last;
    return least;
  }
}
