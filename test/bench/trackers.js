// What a tracked event costs its caller, and graphs of 10,000 nodes. In a process of its own: run.js asks.
import { AgentGraph, ConfigClient, ConfigTracker, GraphTracker, loadGraph, runGraph } from '../../dist/index.js';

const sink = { track: () => undefined };
const context = { kind: 'user', key: 'user-1', name: 'Some One', plan: 'pro' };
const now = () => performance.now();

/** Microseconds of one event that is sent, of one that is refused as recorded already. */
function timeEvents(count = 200_000) {
  const tracker = new ConfigTracker({ sink, context, configKey: 'bench', modelName: 'm', providerName: 'p' });
  const time = (act) => {
    const begin = now();
    for (let i = 0; i < count; i++) act(i);
    return ((now() - begin) / count) * 1000;
  };
  time((i) => tracker.trackToolCall(`tool-${i % 7}`));
  return { sent: time((i) => tracker.trackToolCall(`tool-${i % 7}`)), refused: time(() => tracker.trackDuration(1)) };
}

/** A chain, a tree, layers of three each of whose nodes leads to all of the next, and a ring with chords. */
const shapes = {
  chain: (i, n) => (i + 1 < n ? [i + 1] : []),
  tree: (i, n) => [3 * i + 1, 3 * i + 2, 3 * i + 3].filter((child) => child < n),
  layers: (i, n) => (i === 0 ? range(1, 3) : range(3 * Math.ceil(i / 3) + 1, 3)).filter((child) => child < n),
  ring: (i, n) => [(i + 1) % n, (i * 7 + 3) % n],
};

function range(from, length) {
  return Array.from({ length }, (_, i) => from + i);
}

/** Milliseconds of loading a graph and of its slowest walk, of four; the largest of all shapes. */
async function timeGraphs(nodes = 10_000) {
  let worstMs = 0;
  for (const leads of Object.values(shapes)) {
    const edges = Object.fromEntries(
      range(0, nodes).map((i) => [`n${i}`, leads(i, nodes).map((child) => ({ key: `n${child}` }))]),
    );
    const value = { _ldMeta: { variationKey: 'v', version: 1 }, root: 'n0', edges };
    const begin = now();
    const graph = await loadGraph({
      graphKey: 'bench',
      value,
      loadConfig: (key) => ({ key, enabled: true }),
      createTracker: () => new GraphTracker({ sink, context, graphKey: 'bench' }),
    });
    const loadMs = now() - begin;
    let walkMs = 0;
    if (!(graph instanceof AgentGraph) || !graph.enabled) throw new Error('the graph is disabled');
    for (const order of ['bfs', 'topological']) {
      for (const way of ['traverse', 'reverseTraverse']) {
        const start = now();
        let visits = 0;
        graph[way](() => ++visits, {}, { order });
        walkMs = Math.max(walkMs, now() - start);
        if (visits !== nodes && order === 'topological') throw new Error(`${visits} of ${nodes} nodes were visited`);
      }
    }
    worstMs = Math.max(worstMs, loadMs + walkMs);
  }
  return worstMs;
}

/** Milliseconds of loading a tree of agents whose configs are flags, each read and rendered, and of a run through all of them. */
async function timeAgents(agents = 10_000) {
  const flags = { g: { root: 'n0', edges: {} } };
  for (let i = 0; i < agents; i++) {
    flags.g.edges[`n${i}`] = shapes.tree(i, agents).map((child) => ({ key: `n${child}` }));
    const meta = { enabled: true, mode: 'agent', variationKey: 'v', version: 3 };
    const model = { name: 'm', parameters: { temperature: 0.2 } };
    flags[`n${i}`] = {
      _ldMeta: meta,
      model,
      provider: { name: 'p' },
      instructions: `Agent ${i} of {{ldctx.name}}: {{task}}`,
    };
  }
  const client = new ConfigClient({ flags: { variation: (key, _, fallback) => flags[key] ?? fallback }, sink });
  const begin = now();
  const graph = await client.agentGraph('g', context, { task: 'count' });
  const loaded = now();
  let ran = 0;
  await runGraph(graph, async (run) => {
    for (let i = 0; i < agents; i++) await run.runNode(`n${i}`, () => ++ran);
  });
  if (ran !== agents) throw new Error(`${ran} of ${agents} agents were run`);
  return { loadMs: loaded - begin, runMs: now() - loaded };
}

const questions = { events: timeEvents, graphs: timeGraphs, agents: timeAgents };
process.on('message', async ({ id, question }) => {
  process.send?.({ id, answer: await questions[question]() });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
if (process.send === undefined) {
  console.log(timeEvents(), await timeGraphs(), await timeGraphs());
  for (let i = 0; i < 5; i++) console.log(await timeAgents());
}
