import { describe, expect, it } from 'vitest';
import type { AgentGraph } from '../../src/graph/agent-graph.js';
import { loadGraph } from '../../src/graph/load-graph.js';
import { GraphTracker } from '../../src/trackers/graph-tracker.js';
import { openRecorder } from '../fixtures/run-recorder.js';
import { requireVector } from '../fixtures/tracker-vectors.js';

interface Config {
  readonly enabled: boolean;
  readonly key: string;
}

async function load(value: unknown, more: { off?: readonly string[]; broken?: readonly string[] } = {}) {
  const recorder = openRecorder();
  const loaded: string[] = [];
  const graph = await loadGraph<Config>({
    graphKey: 'g',
    value,
    logger: recorder.logger,
    loadConfig: async (key) => {
      loaded.push(key);
      if (more.broken?.includes(key) === true) throw new Error('not to be had');
      return await Promise.resolve({ key, enabled: more.off?.includes(key) !== true });
    },
    createTracker: ({ variationKey, version }) =>
      new GraphTracker({ sink: recorder.sink, context: {}, graphKey: 'g', variationKey, version }),
  });
  return { ...recorder, graph, loaded };
}

const keysOf = (nodes: ReturnType<AgentGraph<Config>['terminalNodes']>): readonly string[] =>
  nodes.map((node) => node.getKey());

describe('loading a graph', () => {
  it.each([
    ['null', null, 'it has no root'],
    ['a text', 'a', 'it has no root'],
    ['a list', [{ root: 'a' }], 'it has no root'],
    ['a root that is no text', { root: 5 }, 'it has no root'],
    ['one that says no, and has no root either', { _ldMeta: { enabled: false } }, 'its flag says so'],
    ['a source nobody leads to, without edges', { root: 'a', edges: { b: [] } }, 'its node "b" cannot be reached'],
    ['a source nobody leads to', { root: 'a', edges: { b: [{ key: 'a' }] } }, 'its node "b" cannot be reached'],
  ])('disables %s, and says why at debug', async (_, value, reason) => {
    const { graph, loaded, lines } = await load(value);
    expect(graph.enabled).toBe(false);
    expect(loaded).toEqual([]);
    expect(lines).toEqual([{ level: 'debug', message: expect.stringContaining(reason) as string }]);
    expect(lines[0]?.message).toContain('"g"');
  });

  it('disables one whose node is disabled or cannot be had, the first in the order of the flag', async () => {
    const value = { root: 'a', edges: { a: [{ key: 'b' }, { key: 'c' }] } };
    const off = await load(value, { off: ['c'], broken: ['b'] });
    expect(off.loaded).toEqual(['a', 'b', 'c']);
    expect(off.graph.enabled).toBe(false);
    expect(off.graph.rootNode()).toBeNull();
    expect(off.lines.map(({ message }) => message)).toEqual([
      expect.stringMatching(/"b" cannot be used: not to be had/),
    ]);
  });

  it('takes what is malformed for absent, and goes on with the rest', async () => {
    const edges = { a: [null, 5, {}, { key: '' }, { key: 'b', handoff: 'no object' }], b: 'no list', c: null };
    const { graph, loaded } = await load({ _ldMeta: 'none', root: 'a', edges });
    expect(graph.enabled).toBe(true);
    expect(loaded).toEqual(['a', 'b']);
    expect(graph.rootNode()?.getEdges()).toEqual([{ key: 'b' }]);
    expect(keysOf(graph.terminalNodes())).toEqual(['b']);
  });

  it('takes cycles, edges to itself and to the root, and the same edge twice', async () => {
    const edges = { a: [{ key: 'a' }, { key: 'b' }, { key: 'b' }], b: [{ key: 'a' }] };
    const { graph } = await load({ root: 'a', edges });
    expect(keysOf(graph.getChildNodes('a'))).toEqual(['a', 'b', 'b']);
    expect(keysOf(graph.getParentNodes('a'))).toEqual(['a', 'b']);
    expect(keysOf(graph.getParentNodes('b'))).toEqual(['a']);
    expect(graph.terminalNodes()).toEqual([]);
  });

  it('keeps nodes in the order they are come upon, also where keys look like numbers', async () => {
    const edges = { 10: [{ key: '3' }, { key: '2' }], 2: [{ key: '1' }], 3: [{ key: '1' }] };
    const { graph } = await load({ root: '10', edges });
    const visited: string[] = [];
    graph.traverse((node) => visited.push(node.getKey()));
    expect(visited).toEqual(['10', '3', '2', '1']);
    expect(keysOf(graph.getParentNodes('1'))).toEqual(['3', '2']);
  });

  it('knows nodes by any name, and none that was not named', async () => {
    const { graph } = await load({ root: 'constructor' });
    expect(graph.getNode('constructor')?.getConfig().key).toBe('constructor');
    expect(graph.getNode('toString')).toBeNull();
    expect(graph.getNode('__proto__')).toBeNull();
  });

  it('reads the flag once: what the caller changes later changes nothing', async () => {
    const value = { root: 'a', edges: { a: [{ key: 'b', handoff: { description: 'x' } }] } };
    const { graph } = await load(value);
    value.edges.a.push({ key: 'c', handoff: { description: 'y' } });
    Object.assign(value.edges.a[0]?.handoff ?? {}, { description: 'changed' });
    expect(graph.getConfig()).toEqual({ root: 'a', edges: { a: [{ key: 'b', handoff: { description: 'x' } }] } });
    expect(graph.rootNode()?.getEdges()).toEqual([{ key: 'b', handoff: { description: 'x' } }]);
    expect(() => Object.assign(graph.getConfig(), { root: 'z' })).toThrow(TypeError);
  });

  it('gives a tracker of a new run each time, of the version the flag has', async () => {
    const { graph, events } = await load({ _ldMeta: { variationKey: 'v', version: 0 }, root: 'a' });
    const [first, second] = [graph.createTracker(), graph.createTracker()];
    expect(first.getTrackData()).toMatchObject({ variationKey: 'v', version: 0 });
    expect(first.getTrackData().runId).not.toBe(second.getTrackData().runId);
    expect(events).toEqual([]);
  });

  it.each(['', ' ', null])('refuses the key %j', async (graphKey) => {
    const loading = loadGraph({
      graphKey: graphKey as string,
      value: {},
      loadConfig: (): Config => ({ enabled: true, key: '' }),
      createTracker: () => new GraphTracker({ sink: openRecorder().sink, context: {}, graphKey: 'g' }),
    });
    await expect(loading).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('a graph that is disabled', () => {
  it('graph.definition.disabled-no-ops: has no nodes, but its value and its trackers', async () => {
    interface Facts {
      readonly visits: number;
      readonly config: { readonly edges: object };
    }
    const { expected } = requireVector<string, Facts>('graph.definition.disabled-no-ops');
    const value = { ...expected.config, _ldMeta: { enabled: false, version: 4 } };
    const { graph } = await load(value);
    let visits = 0;
    const visitor = (): number => ++visits;
    for (const order of ['bfs', 'topological'] as const) {
      graph.traverse(visitor, {}, { order });
      graph.reverseTraverse(visitor, {}, { order });
      await graph.traverseAsync(visitor, {}, { order });
    }
    expect(visits).toBe(expected.visits);
    expect([graph.rootNode(), graph.getNode('a')]).toEqual([null, null]);
    expect([graph.getChildNodes('a'), graph.getParentNodes('b'), graph.terminalNodes()]).toEqual([[], [], []]);
    expect(graph.getConfig()).toEqual(value);
    expect(graph.createTracker().getTrackData()).toMatchObject({ graphKey: 'g', version: 4 });
  });

  it('gives an empty root for the value of a flag that was no object', async () => {
    expect((await load(null)).graph.getConfig()).toEqual({ root: '' });
  });
});
