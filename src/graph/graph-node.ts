import type { GraphEdge } from './graph-flag.js';

/** One agent of a graph. */
export class GraphNode<C> {
  readonly #key: string;
  readonly #config: C;
  readonly #edges: readonly GraphEdge[];

  constructor(key: string, config: C, edges: readonly GraphEdge[]) {
    this.#key = key;
    this.#config = config;
    this.#edges = edges;
  }

  /** The key of the agent's config. */
  getKey(): string {
    return this.#key;
  }

  getConfig(): C {
    return this.#config;
  }

  /** Where it leads, in the flag's order; frozen. */
  getEdges(): readonly GraphEdge[] {
    return this.#edges;
  }

  /** Whether it leads nowhere, by its own edges: one whose only target is missing is no terminal. */
  isTerminal(): boolean {
    return this.#edges.length === 0;
  }
}
