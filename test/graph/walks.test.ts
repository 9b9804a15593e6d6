import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgentGraph, type GraphVisitor } from '../../src/graph/agent-graph.js';
import { readGraphFlag } from '../../src/graph/graph-flag.js';
import type { GraphOrder } from '../../src/graph/visit-order.js';
import { GraphTracker } from '../../src/trackers/graph-tracker.js';
import { openRecorder } from '../fixtures/run-recorder.js';
import { requireVector, table, type WalkFacts } from '../fixtures/tracker-vectors.js';

type Edges = readonly (readonly [string, string])[];

function makeGraph(root: string, edges: Edges, known?: readonly string[]): AgentGraph<string> {
  const bySource = Object.create(null) as Record<string, { key: string }[]>;
  for (const [source, key] of edges) {
    bySource[source] ??= [];
    bySource[source].push({ key });
  }
  const flag = readGraphFlag({ root, edges: bySource });
  const keys = known ?? [...flag.keys];
  const nodes = AgentGraph.buildNodes(flag, new Map(keys.map((key) => [key, `config of ${key}`])));
  const { sink } = openRecorder();
  const createTracker = () => new GraphTracker({ sink, context: {}, graphKey: 'g' });
  return new AgentGraph({ flag, enabled: nodes.size > 0, nodes, createTracker });
}

/** Both walks of a graph as the fact table has them. */
function walk(graph: AgentGraph<string>, order: GraphOrder): WalkFacts {
  const found: Record<'traverse' | 'reverseTraverse', { visits: string[]; contexts: Record<string, string[]> }> = {
    traverse: { visits: [], contexts: {} },
    reverseTraverse: { visits: [], contexts: {} },
  };
  for (const way of ['traverse', 'reverseTraverse'] as const) {
    graph[way](
      (node, context) => {
        found[way].visits.push(node.getKey());
        found[way].contexts[node.getKey()] = Object.keys(context);
        for (const [key, result] of Object.entries(context)) expect(result).toBe(`result of ${key}`);
        return `result of ${node.getKey()}`;
      },
      {},
      { order },
    );
  }
  return {
    traverse: found.traverse.visits,
    reverseTraverse: found.reverseTraverse.visits,
    traverseContextKeys: found.traverse.contexts,
    reverseContextKeys: found.reverseTraverse.contexts,
  };
}

/** Which results a visitor finds is a fact, in which order an object lists them is not. */
function sortContexts({ traverse, reverseTraverse, traverseContextKeys, reverseContextKeys }: WalkFacts): WalkFacts {
  const sort = (contexts: Readonly<Record<string, readonly string[]>>) =>
    Object.fromEntries(Object.entries(contexts).map(([key, keys]) => [key, [...keys].sort()]));
  return {
    traverse,
    reverseTraverse,
    traverseContextKeys: sort(traverseContextKeys),
    reverseContextKeys: sort(reverseContextKeys),
  };
}

describe('the walks of the fact table', () => {
  const graphs = Object.entries(table.traversal);

  it.each(graphs)('visit %s level by level', (_, { root, edges, bfs }) => {
    expect(sortContexts(walk(makeGraph(root, edges), 'bfs'))).toEqual(sortContexts(bfs));
  });

  it.each(graphs)('visit %s topologically', (_, { root, edges, topologicalRecommended }) => {
    expect(sortContexts(walk(makeGraph(root, edges), 'topological'))).toEqual(sortContexts(topologicalRecommended));
  });

  it('graph.definition.missing-middle-node: end where a node is missing', () => {
    interface Facts extends Record<'nodes' | 'traverse' | 'reverse' | 'terminals', readonly string[]> {
      readonly isTerminalA: boolean;
    }
    const { expected } = requireVector<object, Facts>('graph.definition.missing-middle-node');
    const middle: Edges = [
      ['a', 'b'],
      ['b', 'c'],
    ];
    const graph = makeGraph('a', middle, ['a', 'c']);
    const { traverse, reverseTraverse } = walk(graph, 'topological');
    expect({ traverse, reverse: reverseTraverse }).toEqual({ traverse: expected.traverse, reverse: expected.reverse });
    expect(graph.getChildNodes('a')).toEqual([]);
    expect(graph.getParentNodes('c')).toEqual([]);
    expect(graph.getNode('b')).toBeNull();
    expect(graph.terminalNodes().map((node) => node.getKey())).toEqual(expected.terminals);
    expect(graph.rootNode()?.isTerminal()).toBe(expected.isTerminalA);
    expect(walk(graph, 'bfs').traverse).toEqual(expected.traverse);
  });

  it('graph.definition.visitor-throws: end with what a visitor throws', () => {
    const { expected } = requireVector<string, { threw: string }>('graph.definition.visitor-throws');
    const seen: string[] = [];
    const failing: GraphVisitor<string> = (node) => {
      seen.push(node.getKey());
      throw new Error('visitor');
    };
    const graph = makeGraph('a', [['a', 'b']]);
    expect(() => graph.traverse(failing)).toThrow(expected.threw.replace('Error: ', ''));
    expect(() => graph.reverseTraverse(failing)).toThrow('visitor');
    expect(seen).toEqual(['a', 'b']);
  });

  it('graph.definition.async-visitor-not-awaited: keep a promise as a result, or wait for it where that is asked', async () => {
    const { expected } = requireVector<string, { synchronouslyObserved: readonly string[] }>(
      'graph.definition.async-visitor-not-awaited',
    );
    const observed: string[] = [];
    makeGraph('a', []).traverse(async (node) => await Promise.resolve(observed.push(node.getKey())));
    expect(observed).toEqual(expected.synchronouslyObserved);
    const graph = makeGraph('a', [['a', 'b']]);
    const results: unknown[] = [];
    const visitor: GraphVisitor<string> = async (node, context) => {
      results.push(context.a, context.b);
      await Promise.resolve();
      return node.getKey();
    };
    graph.traverse(visitor);
    expect(results).toEqual([undefined, undefined, expect.any(Promise), undefined]);
    results.length = 0;
    await graph.traverseAsync(visitor);
    expect(results).toEqual([undefined, undefined, 'a', undefined]);
    results.length = 0;
    await graph.reverseTraverseAsync(visitor, null, { order: 'topological' });
    expect(results).toEqual([undefined, undefined, undefined, 'b']);
  });
});

describe('what a visitor finds', () => {
  const diamond: Edges = [
    ['a', 'b'],
    ['a', 'c'],
    ['b', 'd'],
    ['c', 'd'],
  ];

  it.each(['bfs', 'topological'] as const)("is its own in %s: neither the caller's nor another visitor's", (order) => {
    const initial = { seed: 1 };
    const found: Record<string, unknown>[] = [];
    makeGraph('a', diamond).traverse(
      (node, context) => {
        found.push({ ...context });
        context.seed = 2;
        context[`left by ${node.getKey()}`] = true;
        return node.getKey();
      },
      initial,
      { order },
    );
    expect(initial).toEqual({ seed: 1 });
    expect(found.at(-1)).toEqual({ seed: 1, a: 'a', b: 'b', c: 'c' });
  });

  it('has a key of any name, and a result beats what the caller began with', () => {
    const seen: string[][] = [];
    const graph = makeGraph('__proto__', [
      ['__proto__', 'constructor'],
      ['constructor', 'end'],
    ]);
    graph.traverse(
      (node, context) => {
        seen.push(Object.entries(context).map(([key, value]) => `${key}=${String(value)}`));
        return `of ${node.getKey()}`;
      },
      { constructor: 'mine' },
    );
    expect(seen).toEqual([
      ['constructor=mine'],
      ['constructor=mine', '__proto__=of __proto__'],
      ['constructor=of constructor', '__proto__=of __proto__'],
    ]);
  });

  it('is the same in a graph so large that it is filled when it is looked into', () => {
    const edges = Array.from({ length: 599 }, (_, i) => [`n${i}`, `n${i + 1}`] as const);
    const graph = makeGraph('n0', [...edges, ['n0', 'leaf'], ['n599', 'n0']]);
    for (const order of ['bfs', 'topological'] as const) {
      graph.traverse(
        (node, context) => {
          if (node.getKey() === 'n300') {
            const names = [...Array.from({ length: 300 }, (_, i) => `n${i}`), ...(order === 'bfs' ? ['leaf'] : [])];
            expect(Object.keys(context).sort()).toEqual([...names, 'seed'].sort());
            expect('n299' in context).toBe(true);
            expect(context.n300).toBeUndefined();
            context.seed = 3;
            expect(context).toMatchObject({ seed: 3, n299: 'result' });
            expect(delete context.n299).toBe(true);
            expect({ ...context }).not.toHaveProperty('n299');
          }
          if (node.getKey() === 'n301') expect(context).toMatchObject({ seed: 1, n299: 'result' });
          return 'result';
        },
        { seed: 1 },
        { order },
      );
    }
  });

  it('gives each of 10,000 nodes what it looks up, without a copy of all results', () => {
    const edges = Array.from({ length: 9_999 }, (_, i) => [`n${i}`, `n${i + 1}`] as const);
    const graph = makeGraph('n0', [...edges, ['n9999', 'n0']]);
    for (const order of ['bfs', 'topological'] as const) {
      let wrong = 0;
      graph.traverse(
        (node, context) => {
          const number = Number(node.getKey().slice(1));
          const before = number === 0 ? undefined : number - 1;
          if (context[`n${number - 1}`] !== before || context[`n${number}`] !== undefined) wrong += 1;
          if (context.seed !== 'kept' || typeof context.toString !== 'function') wrong += 1;
          return number;
        },
        { seed: 'kept', n5: undefined },
        { order },
      );
      expect(wrong).toBe(0);
    }
  });

  it('stays what its visitor found when it is looked into later, and can be frozen then', () => {
    const edges = Array.from({ length: 599 }, (_, i) => [`n${i}`, `n${i + 1}`] as const);
    for (const order of ['bfs', 'topological'] as const) {
      const kept: object[] = [];
      makeGraph('n0', edges).traverse(
        (node, context) => {
          kept.push(context);
          return node.getKey();
        },
        {},
        { order },
      );
      const late = kept[550] ?? {};
      expect(Object.keys(late)).toEqual(Array.from({ length: 550 }, (_, i) => `n${i}`));
      expect(Object.isFrozen(Object.freeze(late))).toBe(true);
      expect(Object.values(late).at(-1)).toBe('n549');
    }
  });

  it('cannot be asked for in an order that is none', () => {
    const order = 'depth' as GraphOrder;
    expect(() => makeGraph('a', diamond).traverse(() => undefined, {}, { order })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});

describe('any graph', () => {
  const keys = fc.integer({ min: 0, max: 9 }).map((i) => `n${i}`);
  const anyEdges = fc.array(fc.tuple(keys, keys), { maxLength: 30 });

  it('is visited once a node: by both orders forward and by topological in reverse, the root first or last', () => {
    fc.assert(
      fc.property(anyEdges, (edges) => {
        const graph = makeGraph('n0', edges);
        const { traverse: level, reverseTraverse: climbed } = walk(graph, 'bfs');
        const { traverse: sorted, reverseTraverse: reverse } = walk(graph, 'topological');
        expect(level[0]).toBe('n0');
        expect(sorted[0]).toBe('n0');
        expect(reverse.at(-1)).toBe('n0');
        for (const visits of [sorted, reverse]) expect([...visits].sort()).toEqual([...level].sort());
        expect(new Set(climbed).size).toBe(climbed.length);
      }),
    );
  });

  it('without cycles has every node after all that lead to it, and each finds exactly those', () => {
    const down = anyEdges.map((edges) => edges.filter(([source, target]) => source < target));
    fc.assert(
      fc.property(down, (edges) => {
        const graph = makeGraph('n0', edges);
        const { traverse, traverseContextKeys, reverseTraverse } = walk(graph, 'topological');
        for (const [source, target] of edges) {
          if (!traverse.includes(source)) continue;
          expect(traverse.indexOf(source)).toBeLessThan(traverse.indexOf(target));
          expect(reverseTraverse.indexOf(target)).toBeLessThan(reverseTraverse.indexOf(source));
        }
        const leading = (key: string): ReadonlySet<string> => {
          const found = new Set([key]);
          for (const at of found)
            for (const [source, target] of edges) if (target === at && traverse.includes(source)) found.add(source);
          found.delete(key);
          return found;
        };
        for (const key of traverse) expect(new Set(traverseContextKeys[key])).toEqual(leading(key));
      }),
    );
  });
});
