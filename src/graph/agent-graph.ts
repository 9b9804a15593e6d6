import { isObject, makeInvalid } from '../core/option-checks.js';
import type { GraphTracker } from '../trackers/graph-tracker.js';
import type { GraphFlag } from './graph-flag.js';
import { GraphNode } from './graph-node.js';
import { type GraphShape, makeGraphShape } from './graph-shape.js';
import type { GraphDirection, GraphOrder } from './visit-order.js';
import { Walk, type WalkContext } from './walk.js';

/** Called once a node; what it gives is its node's result. */
export type GraphVisitor<C> = (node: GraphNode<C>, context: WalkContext) => unknown;

export interface WalkOptions {
  /** `bfs` when absent. */
  readonly order?: GraphOrder | undefined;
}

export interface AgentGraphParts<C> {
  readonly flag: GraphFlag;
  readonly enabled: boolean;
  /** None when it is disabled. */
  readonly nodes: ReadonlyMap<string, GraphNode<C>>;
  /** A new tracker, of a new run, at each call. */
  readonly createTracker: () => GraphTracker;
}

/**
 * A graph of agents: which config leads to which. Immutable. One that is disabled has no nodes, and walks it visit nobody;
 * its flag's value and its trackers are there all the same.
 *
 * @example
 * graph.traverse((node, context) => `${node.getKey()} after ${Object.keys(context).join(', ')}`);
 */
export class AgentGraph<C> {
  readonly enabled: boolean;
  readonly #flag: GraphFlag;
  readonly #nodes: ReadonlyMap<string, GraphNode<C>>;
  readonly #createTracker: () => GraphTracker;
  #shape: GraphShape | null = null;

  constructor({ flag, enabled, nodes, createTracker }: AgentGraphParts<C>) {
    this.enabled = enabled;
    this.#flag = flag;
    this.#nodes = new Map(nodes);
    this.#createTracker = createTracker;
  }

  /**
   * A node for each key of a flag that has a config, in the order they are come upon from the root, level by level, and what
   * cannot be reached after that. This order, unlike that of the flag's own keys, is the same in every language.
   */
  static buildNodes<C>(flag: GraphFlag, configs: ReadonlyMap<string, C>): ReadonlyMap<string, GraphNode<C>> {
    const nodes = new Map<string, GraphNode<C>>();
    for (const key of new Set([...flag.reachable, ...flag.keys])) {
      const config = configs.get(key);
      if (config !== undefined) nodes.set(key, new GraphNode(key, config, flag.edges.get(key) ?? Object.freeze([])));
    }
    return nodes;
  }

  /** Where runs begin; `null` when disabled. */
  rootNode(): GraphNode<C> | null {
    return this.getNode(this.#flag.root);
  }

  getNode(key: string): GraphNode<C> | null {
    return this.#nodes.get(key) ?? null;
  }

  /** To which nodes one leads, in edge order, as often as it has an edge to each; edges to what is no node are left out. */
  getChildNodes(key: string): readonly GraphNode<C>[] {
    return (this.getNode(key)?.getEdges() ?? []).flatMap((edge) => this.getNode(edge.key) ?? []);
  }

  /** Which nodes lead to one, each once. */
  getParentNodes(key: string): readonly GraphNode<C>[] {
    const shape = this.#getShape();
    const number = shape.numbers.get(key);
    if (number === undefined) return [];
    return (shape.parents[number] ?? []).flatMap((parent) => this.getNode(shape.keys[parent] ?? '') ?? []);
  }

  /** The nodes that have no edges. */
  terminalNodes(): readonly GraphNode<C>[] {
    return [...this.#nodes.values()].filter((node) => node.isTerminal());
  }

  /** The flag's value as it was, frozen; `{ root: '' }` where it was no object. */
  getConfig(): Readonly<Record<string, unknown>> {
    return this.#flag.config;
  }

  /** A tracker of a new run of this graph, also when it is disabled. Sends nothing. */
  createTracker(): GraphTracker {
    return this.#createTracker();
  }

  /**
   * Visits each node that can be reached, once, from the root on. A visitor gets an object of its own with what `initial`
   * has and the results of others, by their keys: in `bfs` of all visited before, in `topological` of those that lead to it.
   * What a visitor throws ends the walk and is thrown here. Throws `OPTION_INVALID`.
   */
  traverse(visitor: GraphVisitor<C>, initial?: WalkContext | null, options?: WalkOptions): void {
    const walk = this.#open('forward', initial, options);
    for (const node of walk.nodes) walk.keep(visitor(node, walk.makeContext()));
  }

  /** As `traverse`, from the ends to the root, which comes last. In `bfs` a graph without terminals is not visited at all. */
  reverseTraverse(visitor: GraphVisitor<C>, initial?: WalkContext | null, options?: WalkOptions): void {
    const walk = this.#open('reverse', initial, options);
    for (const node of walk.nodes) walk.keep(visitor(node, walk.makeContext()));
  }

  /** As `traverse`, waiting for each visitor before the next is called. */
  async traverseAsync(visitor: GraphVisitor<C>, initial?: WalkContext | null, options?: WalkOptions): Promise<void> {
    const walk = this.#open('forward', initial, options);
    for (const node of walk.nodes) walk.keep(await visitor(node, walk.makeContext()));
  }

  /** As `reverseTraverse`, waiting for each visitor before the next is called. */
  async reverseTraverseAsync(
    visitor: GraphVisitor<C>,
    initial?: WalkContext | null,
    options?: WalkOptions,
  ): Promise<void> {
    const walk = this.#open('reverse', initial, options);
    for (const node of walk.nodes) walk.keep(await visitor(node, walk.makeContext()));
  }

  #open(
    direction: GraphDirection,
    initial: WalkContext | null | undefined,
    options: WalkOptions | undefined,
  ): Walk<GraphNode<C>> {
    const order: unknown = options?.order ?? 'bfs';
    if (order !== 'bfs' && order !== 'topological') throw makeInvalid('order', order, 'bfs or topological');
    if (!isObject(initial ?? {})) throw makeInvalid('the context of a walk', initial, 'an object');
    const nodes = [...this.#nodes.values()];
    return new Walk({ shape: this.#getShape(), nodes, order, direction, initial: { ...initial } });
  }

  /** Made on first use: most graphs are loaded and not walked. */
  #getShape(): GraphShape {
    this.#shape ??= makeGraphShape(this.#nodes, this.#flag.root);
    return this.#shape;
  }
}
