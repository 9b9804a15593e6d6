/** A set that keeps nothing alive and can be walked. */
export class WeakSetOf<T extends object> {
  readonly #known = new WeakSet<T>();
  readonly #references = new Set<WeakRef<T>>();
  #sweepAt = 64;

  add(item: T): void {
    if (this.#known.has(item)) return;
    this.#known.add(item);
    this.#references.add(new WeakRef(item));
    if (this.#references.size < this.#sweepAt) return;
    for (const reference of this.#references) if (reference.deref() === undefined) this.#references.delete(reference);
    this.#sweepAt = Math.max(64, this.#references.size * 2);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const reference of this.#references) {
      const item = reference.deref();
      if (item === undefined) this.#references.delete(reference);
      else yield item;
    }
  }
}
