import type { GraphNode } from './graph-node.js';

/** A graph's nodes by number, which is their place in the map of nodes, and how they hang together. */
export interface GraphShape {
  readonly keys: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  /** `null` when the root is no node. */
  readonly root: number | null;
  /** Each target once, in edge order; edges to what is no node are left out. A node may lead to itself. */
  readonly targets: readonly (readonly number[])[];
  /** Each parent once, in the order of the map. */
  readonly parents: readonly (readonly number[])[];
  readonly terminals: readonly number[];
  /** From the root, level by level, in edge order. */
  readonly discovered: readonly number[];
}

export function makeGraphShape(nodes: ReadonlyMap<string, GraphNode<unknown>>, rootKey: string): GraphShape {
  const keys = [...nodes.keys()];
  const numbers = new Map(keys.map((key, i) => [key, i]));
  const targets = [...nodes.values()].map((node) => {
    const known = node.getEdges().map(({ key }) => numbers.get(key));
    return [...new Set(known)].filter((target) => target !== undefined);
  });
  const parents: number[][] = keys.map(() => []);
  for (const [source, own] of targets.entries()) for (const target of own) parents[target]?.push(source);
  const root = numbers.get(rootKey) ?? null;
  const discovered = new Set<number>(root === null ? [] : [root]);
  for (const number of discovered) for (const target of targets[number] ?? []) discovered.add(target);
  const terminals = [...nodes.values()].flatMap((node, i) => (node.isTerminal() ? [i] : []));
  return { keys, numbers, root, targets, parents, terminals, discovered: [...discovered] };
}
