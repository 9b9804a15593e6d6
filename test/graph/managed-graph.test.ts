import { runInThisContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../src/configs/config.js';
import type { AgentGraph } from '../../src/graph/agent-graph.js';
import { loadGraph } from '../../src/graph/load-graph.js';
import { type GraphRunner, ManagedAgentGraph } from '../../src/graph/managed-graph.js';
import { openConfigLab, user } from '../fixtures/config-lab.js';
import { openGraphLab } from '../fixtures/graph-lab.js';
import { requireVector } from '../fixtures/tracker-vectors.js';

interface Input {
  readonly flags: Record<string, unknown>;
  readonly runner: string;
}
interface Facts {
  readonly metrics: Record<string, unknown> & { readonly nodeMetrics: Record<string, Record<string, unknown>> };
  readonly evaluations: readonly unknown[];
  readonly events: readonly (readonly [event: string, value: number, configKey: string, runId: string])[];
  readonly logs: readonly { readonly level: string }[];
}

const readToken = (token: unknown): string => Buffer.from(String(token), 'base64url').toString('utf8');
const readable = <T extends { readonly resumptionToken: unknown }>(summary: T) => ({
  ...summary,
  resumptionToken: readToken(summary.resumptionToken),
});

function requireConfig(graph: AgentGraph<AgentConfig>, key: string): AgentConfig {
  const config = graph.getNode(key)?.getConfig();
  if (config === undefined) throw new Error(`no node ${key}`);
  return config;
}

async function run(id: string) {
  const { input, expected } = requireVector<Input, Facts>(id);
  const lab = openConfigLab(input.flags);
  const graph = await lab.client.agentGraph('g', user);
  lab.events.length = 0;
  const managed = new ManagedAgentGraph(graph, { logger: lab.logger, clock: lab.clock });
  const result = await managed.run(runInThisContext(`(${input.runner})`) as GraphRunner<AgentConfig>);
  const { nodeMetrics, ...metrics } = readable(result.metrics);
  const nodes = Object.entries(nodeMetrics).map(([key, summary]) => [key, readable(summary)]);
  return { ...lab, expected, result, metrics: { ...metrics, nodeMetrics: Object.fromEntries(nodes) as object } };
}

describe('a managed graph', () => {
  it('managed.graph.ok: sends what its runner says of each node, after what it says of the graph', async () => {
    const { expected, events, lines, metrics, result } = await run('managed.graph.ok');
    expect(metrics).toEqual(expected.metrics);
    expect(await result.evaluations).toEqual(expected.evaluations);
    const sent = events.map(({ event, value, data }) => {
      const { configKey, runId } = data as Record<string, string>;
      return [event, value, configKey, runId];
    });
    // JavaScript's SDK leaves the graph's own events to the runner.
    const graphRun = '00000000-0000-4000-8000-000000000001';
    expect(sent).toEqual([
      ['$ld:ai:graph:duration:total', 50, undefined, graphRun],
      ['$ld:ai:graph:invocation_success', 1, undefined, graphRun],
      ['$ld:ai:graph:path', 1, undefined, graphRun],
      ['$ld:ai:graph:total_tokens', 9, undefined, graphRun],
      ...expected.events,
    ]);
    expect(lines).toEqual([]);
  });

  it('managed.graph.unknown-node: skips a node there is not, with a warning', async () => {
    const { expected, events, lines, metrics, result } = await run('managed.graph.unknown-node');
    expect(metrics).toEqual({ ...expected.metrics, durationMs: 0 });
    expect(await result.evaluations).toEqual(expected.evaluations);
    expect(events.map(({ event }) => event)).toEqual([
      '$ld:ai:graph:duration:total',
      '$ld:ai:graph:invocation_success',
    ]);
    expect(lines.filter(({ level }) => level !== 'debug')).toEqual([
      { level: 'warn', message: expect.stringContaining('"zzz"') as string },
    ]);
  });

  const judged = { judgeConfiguration: { judges: [{ key: 'j' }] } };
  const judge = { _ldMeta: { enabled: true, mode: 'judge' }, evaluationMetricKey: 'metric' };

  it('has its nodes judged by what was collected, one after the other, scores going to the runs of the nodes', async () => {
    const asked: string[] = [];
    let atOnce = 0;
    const { graph, events } = await openGraphLab(
      { a: ['b'] },
      {
        nodes: { a: judged, b: judged },
        flags: { j: judge },
        options: {
          makeRunner: () => ({
            run: async (input) => {
              atOnce += 1;
              expect(atOnce).toBe(1);
              asked.push(input.split('\n').at(-1) ?? '');
              await new Promise(setImmediate);
              atOnce -= 1;
              return { content: '', metrics: { success: true }, parsed: { score: asked.length / 4 } };
            },
          }),
        },
      },
    );
    const { content, evaluations, metrics } = await new ManagedAgentGraph(graph).run(async (own) => {
      await own.runNode('a', (node) => node.collect('Q', 'A1'));
      await own.runNode('a', (node) => node.collect('Q', 'A2'));
      await own.runNode('b', (node) => node.collect('A2', 'B'), { from: 'a' });
      return { content: 'B', metrics: { success: true } };
    });
    expect([content, metrics.path]).toEqual(['B', ['a', 'a', 'b']]);
    expect((await evaluations).map(({ score }) => score)).toEqual([0.25, 0.5, 0.75]);
    expect(asked).toEqual(['A1', 'A2', 'B']);
    const runs = new Map(
      events.map(({ data }) => data as { configKey?: string; runId: string }).map((of) => [of.configKey, of.runId]),
    );
    const scores = events.filter(({ event }) => event === 'metric');
    expect(scores.map(({ value, data }) => [value, (data as { runId: string }).runId])).toEqual([
      [0.25, runs.get('a')],
      [0.5, runs.get('a')],
      [0.75, runs.get('b')],
    ]);
  });

  it('whose runner throws is recorded, and nobody judges', async () => {
    const { graph, events } = await openGraphLab({ a: [] }, { nodes: { a: judged }, flags: { j: judge } });
    const running = new ManagedAgentGraph(graph).run(async (own) => {
      await own.runNode('a', (node) => node.collect('Q', 'A'));
      throw new Error('down');
    });
    await expect(running).rejects.toThrow('down');
    expect(events.map(({ event }) => event)).toEqual([
      ...['$ld:ai:graph:duration:total', '$ld:ai:graph:invocation_failure', '$ld:ai:graph:path'],
      ...['$ld:ai:duration:total', '$ld:ai:generation:success'],
    ]);
  });

  it('whose evaluator fails gives what the others say', async () => {
    const { graph, logger, warnings } = await openGraphLab({ a: [] });
    const evaluator = { evaluate: async () => await Promise.reject(new Error('no judge')) };
    const broken = await loadGraph({
      graphKey: 'g',
      value: { root: 'a' },
      loadConfig: (key) => ({ ...requireConfig(graph, key), evaluator }),
      createTracker: () => graph.createTracker(),
    });
    const managed = new ManagedAgentGraph(broken, { logger });
    const result = await managed.run(async (own) => {
      await own.runNode('a', (node) => node.collect('Q', 'A'));
      return { content: '', metrics: { success: true } };
    });
    expect(await result.evaluations).toEqual([]);
    expect(warnings()).toEqual(['A run of the config "a" was not judged: no judge']);
  });
});
