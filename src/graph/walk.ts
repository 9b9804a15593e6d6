import { setOwn } from '../core/plain-copy.js';
import type { GraphShape } from './graph-shape.js';
import { type GraphDirection, type GraphOrder, listVisits } from './visit-order.js';

/** What a visitor finds: what the caller began with, and the results of nodes visited before, by their keys. */
export type WalkContext = Record<string, unknown>;

export interface WalkParts<N> {
  readonly shape: GraphShape;
  /** By number. */
  readonly nodes: readonly N[];
  readonly order: GraphOrder;
  readonly direction: GraphDirection;
  readonly initial: Readonly<Record<string, unknown>>;
}

/**
 * From so many nodes on a context is filled when it is first looked into: the contexts of a walk together are as large as
 * the square of its nodes, and most visitors look into few, or up one name. Below that it is a plain object, which can be
 * cloned.
 */
const leastFilledOnUse = 500;

/** One walk: for each of `nodes` in turn a context is made, and its result kept before the next is made. */
export class Walk<N> {
  /** In the order they are visited. */
  readonly nodes: readonly N[];
  readonly #parts: WalkParts<N>;
  readonly #visits: readonly number[];
  /** When each node is visited, by its number. */
  readonly #places: ReadonlyMap<number, number>;
  readonly #results: unknown[] = [];
  /** Whether a visitor finds the results of all before it, by place: those of a chain do. */
  readonly #wholePlaces: boolean[] = [];

  constructor(parts: WalkParts<N>) {
    this.#parts = parts;
    this.#visits = listVisits(parts.shape, parts.order, parts.direction);
    this.#places = new Map(this.#visits.map((number, place) => [number, place]));
    this.nodes = this.#visits.flatMap((number) => parts.nodes[number] ?? []);
  }

  /**
   * An object of the next visitor's own, so that what it writes there is nobody else's: with what the walk began with, and in
   * `bfs` the results of all visited before; in `topological` of those that lead to it, or in reverse, to whom it leads, at
   * any distance, as far as they were visited before; of all for the root in reverse.
   */
  makeContext(): WalkContext {
    const place = this.#results.length;
    if (this.#visits.length >= leastFilledOnUse) {
      return openFilledOnUse(
        (context) => this.#fill(context, place),
        (name) => this.#lookUp(name, place),
      );
    }
    const context = {};
    this.#fill(context, place);
    return context;
  }

  keep(result: unknown): void {
    this.#results.push(result);
  }

  #fill(context: WalkContext, place: number): void {
    const { initial, shape } = this.#parts;
    for (const name of Object.keys(initial)) setOwn(context, name, initial[name]);
    for (const seen of this.#listSeen(place)) {
      setOwn(context, shape.keys[this.#visits[seen] ?? 0] ?? '', this.#results[seen]);
    }
  }

  /** What a context has by a name, without filling it; `null` where that takes as long. */
  #lookUp(name: string, place: number): LookedUp | null {
    const { initial, shape } = this.#parts;
    const number = shape.numbers.get(name);
    const at = number === undefined ? undefined : this.#places.get(number);
    if (number !== undefined && at !== undefined && at < place) {
      if (this.#seesAll(place) || this.#before(place).includes(number)) return { value: this.#results[at] };
      return null;
    }
    return Object.hasOwn(initial, name) ? { value: initial[name] } : { value: Reflect.get({}, name) };
  }

  #seesAll(place: number): boolean {
    const { shape, order, direction } = this.#parts;
    if (order === 'bfs' || (direction === 'reverse' && this.#visits[place] === shape.root)) return true;
    for (let at = this.#wholePlaces.length; at <= place; at++) {
      const last = this.#visits[at - 1];
      const followsWhole = last !== undefined && this.#wholePlaces[at - 1] === true && this.#before(at).includes(last);
      this.#wholePlaces.push(at === 0 || followsWhole);
    }
    return this.#wholePlaces[place] === true;
  }

  /** From which nodes one is come upon in this direction. */
  #before(place: number): readonly number[] {
    const { shape, direction } = this.#parts;
    return (direction === 'forward' ? shape.parents : shape.targets)[this.#visits[place] ?? 0] ?? [];
  }

  /** Whose results a visitor finds: places in the walk, in their order. */
  #listSeen(place: number): Iterable<number> {
    if (this.#seesAll(place)) return Array(place).keys();
    const seen = new Set<number>([place]);
    // Each step goes to one visited earlier, so a cycle ends, and nobody finds itself.
    for (const at of seen) {
      for (const other of this.#before(at)) {
        const earlier = this.#places.get(other);
        if (earlier !== undefined && earlier < at) seen.add(earlier);
      }
    }
    seen.delete(place);
    return [...seen].sort((a, b) => a - b);
  }
}

interface LookedUp {
  readonly value: unknown;
}

/**
 * An object that is filled when something of it is first asked for or set, but for one name, which is looked up. NOTE: once
 * filled it answers without a trap, as the object behind it would: a trap is called for each of its properties when all are
 * listed, which took five times as long (measured, Node 20.20).
 */
function openFilledOnUse(fill: (context: WalkContext) => void, lookUp: (name: string) => LookedUp | null): WalkContext {
  const whole = (context: WalkContext): WalkContext => {
    for (const name of Object.keys(traps)) Reflect.deleteProperty(traps, name);
    fill(context);
    return context;
  };
  const traps: ProxyHandler<WalkContext> = {
    get: (context, name) => {
      const found = typeof name === 'symbol' ? null : lookUp(name);
      return found === null ? Reflect.get(whole(context), name) : found.value;
    },
    set: (context, name, value) => Reflect.set(whole(context), name, value),
    has: (context, name) => Reflect.has(whole(context), name),
    ownKeys: (context) => Reflect.ownKeys(whole(context)),
    getOwnPropertyDescriptor: (context, name) => Reflect.getOwnPropertyDescriptor(whole(context), name),
    defineProperty: (context, name, descriptor) => Reflect.defineProperty(whole(context), name, descriptor),
    deleteProperty: (context, name) => Reflect.deleteProperty(whole(context), name),
    preventExtensions: (context) => Reflect.preventExtensions(whole(context)),
  };
  return new Proxy<WalkContext>({}, traps);
}
