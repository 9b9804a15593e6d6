import type { GraphShape } from './graph-shape.js';
import { MinHeap } from './min-heap.js';

// Both orders were LaunchDarkly's: breadth first until July 2026 (js-core packages/sdk/server-ai 1.1.1, Java 0.2.0, .NET
// 0.12), topological since (2.0.0, Java 0.3.0). Of the latter this is Java's rule, in which edges to the root make nobody
// wait; besides, a node does not wait for itself, nor twice for the same. Read 2026-11-27.

/** `bfs`: level by level. `topological`: a node after all that lead to it, as far as cycles allow. */
export type GraphOrder = 'bfs' | 'topological';

export type GraphDirection = 'forward' | 'reverse';

/**
 * The numbers of the nodes in the order they are visited; each at most once, whatever cycles there are.
 *
 * Forward both begin at the root and visit all that can be reached. In reverse the root is last. `bfs` then begins at the
 * terminals and climbs to parents, so that it visits nothing where there is no terminal, and nobody who reaches none but
 * through the root; `topological` visits all.
 */
export function listVisits(shape: GraphShape, order: GraphOrder, direction: GraphDirection): readonly number[] {
  if (shape.root === null) return [];
  if (order === 'bfs') return direction === 'forward' ? shape.discovered : climb(shape, shape.root);
  return direction === 'forward' ? sortForward(shape, shape.root) : sortReverse(shape, shape.root);
}

function climb({ parents, terminals }: GraphShape, root: number): readonly number[] {
  const visits = new Set(terminals);
  for (const number of visits) {
    // The root waits for the end, and whoever leads to it is not its child's parent.
    if (number !== root) for (const parent of parents[number] ?? []) visits.add(parent);
  }
  if (visits.delete(root)) visits.add(root);
  return [...visits];
}

function sortForward({ discovered, parents, targets }: GraphShape, root: number): readonly number[] {
  return sortByWaiting({
    candidates: discovered,
    // From reachable nodes alone, which all parents of a reachable node need not be.
    countWaits: (number, isCandidate) =>
      number === root ? 0 : count(parents[number], (parent) => parent !== number && isCandidate(parent)),
    next: (number) => targets[number] ?? [],
  });
}

function sortReverse({ discovered, parents, targets }: GraphShape, root: number): readonly number[] {
  const others = sortByWaiting({
    candidates: discovered.filter((number) => number !== root),
    countWaits: (number, isCandidate) => count(targets[number], (target) => target !== number && isCandidate(target)),
    next: (number) => parents[number] ?? [],
  });
  return [...others, root];
}

interface Waiting {
  /** In the order that decides between equals. */
  readonly candidates: readonly number[];
  /** How many others a candidate waits for. */
  readonly countWaits: (number: number, isCandidate: (other: number) => boolean) => number;
  /** Who waits for a candidate. */
  readonly next: (number: number) => readonly number[];
}

/** Always the first candidate that waits for nobody; where all wait, in a cycle, the first of those who wait for the fewest. */
function sortByWaiting({ candidates, countWaits, next }: Waiting): readonly number[] {
  const places = new Map(candidates.map((number, place) => [number, place]));
  const waits = candidates.map((number) => countWaits(number, (other) => places.has(other)));
  // Waits before place in one number, so that the least is the next. What is left of earlier counts is stale.
  const heap = new MinHeap(waits.map((wait, place) => wait * candidates.length + place));
  const visited = new Set<number>();
  for (let least = heap.pop(); least !== undefined; least = heap.pop()) {
    const place = least % candidates.length;
    const number = candidates[place];
    if (number === undefined || visited.has(number)) continue;
    visited.add(number);
    for (const waiting of next(number)) {
      const at = places.get(waiting);
      if (at === undefined || waiting === number || visited.has(waiting)) continue;
      const wait = (waits[at] ?? 1) - 1;
      waits[at] = wait;
      heap.push(wait * candidates.length + at);
    }
  }
  return [...visited];
}

function count(numbers: readonly number[] | undefined, isCounted: (number: number) => boolean): number {
  return (numbers ?? []).filter(isCounted).length;
}
