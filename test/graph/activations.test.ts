import { describe, expect, it } from 'vitest';
import { GraphRun } from '../../src/graph/graph-run.js';
import { ManagedAgentGraph } from '../../src/graph/managed-graph.js';
import { runGraph } from '../../src/graph/run-graph.js';
import { briefly, openGraphLab } from '../fixtures/graph-lab.js';

const tokens = (total: number) => ({ total, input: total, output: 0 });
const trackers = 'activation';

describe('a graph whose activations are runs of their own', () => {
  it('records each with a run id, tokens, time, tools and outcome of its own, and their sums for the graph', async () => {
    const { graph, events, clock, advance } = await openGraphLab({ a: ['b'], b: ['a'] });
    const scopes: unknown[] = [];
    const runScope = async (ids: object, work: () => Promise<unknown>) => {
      scopes.push(ids);
      return (await work()) as never;
    };
    const { metrics } = await runGraph(
      graph,
      async (run) => {
        for (const [key, ms] of [
          ['a', 10],
          ['b', 5],
          ['a', 30],
        ] as const) {
          await run.runNode(key, (node) => {
            advance(ms);
            node.addTokens(tokens(ms));
            node.addToolCalls([`tool-${ms}`]);
            if (ms === 30) node.fail();
          });
        }
      },
      { clock, runScope, trackers },
    );
    expect(briefly(events, 'a')).toEqual([
      ...['tool_call tool-10', 'tool_call tool-30', 'tokens:total 10', 'tokens:input 10', 'duration:total 10'],
      ...['generation:success 1', 'tokens:total 30', 'tokens:input 30', 'duration:total 30', 'generation:error 1'],
    ]);
    const runIds = events.flatMap(({ event, data }) =>
      event === '$ld:ai:duration:total' ? [(data as { runId: string }).runId] : [],
    );
    expect(new Set(runIds).size).toBe(3);
    expect(scopes).toMatchObject(
      ['a', 'b', 'a'].map((configKey, at) => ({
        configKey,
        runId: [runIds[0], runIds[1], runIds[2]][at],
      })),
    );
    expect(briefly(events, 'graph')).toContain('total_tokens 45');
    expect(metrics.activations?.map(({ key, activation, metrics: own }) => [key, activation, own.durationMs])).toEqual([
      ...[
        ['a', 1, 10],
        ['b', 1, 5],
        ['a', 2, 30],
      ],
    ]);
    expect(metrics.nodeMetrics.a).toMatchObject({
      ...{ success: false, durationMs: 40, tokens: tokens(40), toolCalls: ['tool-10', 'tool-30'] },
    });
  });

  it('tells what a runner says afterwards of a node that worked once or never, and of no other', async () => {
    const warnings: string[] = [];
    const quiet = () => undefined;
    const logger = { debug: quiet, info: quiet, error: quiet, warn: (line: string) => void warnings.push(line) };
    const { graph, events } = await openGraphLab({ a: ['b', 'c'] });
    const managed = new ManagedAgentGraph(graph, { trackers, logger });
    const said = { success: true, tokens: tokens(7) };
    const { metrics } = await managed.run(async (run) => {
      for (const key of 'aab') await run.runNode(key, () => undefined);
      return { content: '', metrics: { success: true, nodeMetrics: { a: said, b: said, c: said } } };
    });
    expect(
      ['a', 'b', 'c'].map((key) => briefly(events, key).filter((event) => event.startsWith('tokens:total'))),
    ).toEqual([...[[], ['tokens:total 7'], ['tokens:total 7']]]);
    expect(warnings).toEqual([expect.stringContaining('"a" worked more than once')]);
    expect(Object.keys(metrics.nodeMetrics)).toEqual(['a', 'b', 'c']);
  });

  it('goes round for longer than it tells of, and still counts and sends everything', async () => {
    const { graph, events } = await openGraphLab({ a: ['a'] });
    const { metrics } = await runGraph(
      graph,
      async (run) => {
        for (let at = 0; at < 10_050; at++) await run.runNode('a', (node) => node.addTokens(tokens(1)));
      },
      { trackers },
    );
    expect(metrics.activations).toHaveLength(10_000);
    expect([metrics.nodeMetrics.a?.tokens?.total, metrics.tokens?.total]).toEqual([10_050, 10_050]);
    expect(events.filter(({ event }) => event === '$ld:ai:generation:success')).toHaveLength(10_050);
  });

  it('refuses another way to count', async () => {
    const { graph } = await openGraphLab({ a: [] });
    expect(() => new GraphRun(graph, { trackers: 'edge' as never })).toThrow('it has to be node or activation');
  });
});
