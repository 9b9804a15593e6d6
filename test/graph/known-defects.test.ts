/** The twenty defects that are known of LaunchDarkly's SDKs (fact table, 5.5), each with what is done here. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { RunnerResult } from '../../src/configs/runner.js';
import { ManagedAgentGraph } from '../../src/graph/managed-graph.js';
import { runGraph } from '../../src/graph/run-graph.js';
import { ConfigTracker } from '../../src/trackers/config-tracker.js';
import type { RunMetrics, TokenCounts } from '../../src/trackers/run-metrics.js';
import { openConfigLab, user } from '../fixtures/config-lab.js';
import { briefly, openGraphLab } from '../fixtures/graph-lab.js';
import { openRecorder } from '../fixtures/run-recorder.js';

const line = { a: ['b'], b: ['c'] };
const tokens = (total: number): TokenCounts => ({ total, input: total, output: 0 });
const down = (): never => {
  throw new Error('down');
};
const runIdOf = ({ data }: { readonly data: unknown }): string | undefined => (data as { runId?: string }).runId;
const outcomes = (events: readonly string[]): readonly string[] =>
  events.filter((event) => event.startsWith('generation'));

async function runAndFail() {
  const lab = await openGraphLab(line);
  const running = runGraph(lab.graph, async (run) => {
    await run.runNode('a', (node) => node.addTokens(tokens(5)));
    await run.runNode('b', down, { from: 'a' });
  });
  await expect(running).rejects.toThrow('down');
  return lab;
}

describe('a defect of others', () => {
  it('1: a node that threw is no success, and one that never worked is nothing', async () => {
    const { events } = await runAndFail();
    expect(['a', 'b', 'c'].map((key) => outcomes(briefly(events, key)))).toEqual([
      ['generation:success 1'],
      ['generation:error 1'],
      [],
    ]);
  });

  it('2: a graph that failed has its path, tokens and nodes recorded', async () => {
    const { events } = await runAndFail();
    expect(briefly(events, 'graph')).toEqual([
      ...[
        'handoff_success a b',
        expect.stringMatching(/^duration/),
        'invocation_failure 1',
        'path a>b',
        'total_tokens 5',
      ],
    ]);
    expect(briefly(events, 'a')).toContain('tokens:total 5');
  });

  it('3: a node has one tracker a run, however often it works and whatever it records', async () => {
    let made = 0;
    const newRunId = () => `run-${++made}`;
    const { graph, events } = await openGraphLab({ a: ['a'] }, { options: { newRunId } });
    await runGraph(graph, async (run) => {
      for (let i = 0; i < 3; i++) {
        await run.runNode('a', (node) => {
          node.addToolCalls(['x']);
          node.addTokens(tokens(1));
        });
      }
    });
    expect(made).toBe(2);
    expect(new Set(events.filter(({ event }) => !event.includes(':graph:')).map(runIdOf))).toEqual(new Set(['run-2']));
  });

  it('4: a run has one tracker of the graph', async () => {
    const { graph, events } = await openGraphLab(line);
    await runGraph(graph, async (run) => {
      run.tracker.trackRedirect('a', 'c');
      await run.runNode('a', () => undefined);
      await run.runNode('b', () => undefined, { from: 'a' });
      expect(run.tracker.getTrackData().runId).toBe(run.runId);
    });
    expect(new Set(events.filter(({ event }) => event.includes(':graph:')).map(runIdOf)).size).toBe(1);
  });

  it('5: two runs at once have nothing in common', async () => {
    const { graph } = await openGraphLab({ a: ['b'], b: [] });
    const managed = new ManagedAgentGraph(graph);
    const start = (key: string, total: number) =>
      managed.run(async (run) => {
        await run.runNode(key, async (node) => {
          await new Promise(setImmediate);
          node.addTokens(tokens(total));
        });
        return { content: key, metrics: { success: true } };
      });
    const [first, second] = await Promise.all([start('a', 1), start('b', 2)]);
    expect([first.metrics.path, second.metrics.path]).toEqual([['a'], ['b']]);
    expect([first.metrics.tokens?.total, second.metrics.tokens?.total]).toEqual([1, 2]);
    expect([Object.keys(first.metrics.nodeMetrics), Object.keys(second.metrics.nodeMetrics)]).toEqual([['a'], ['b']]);
  });

  it('6: a node that works twice has the tokens, times and tools of both', async () => {
    const { graph, events, clock, advance } = await openGraphLab({ a: ['a'] });
    await runGraph(
      graph,
      async (run) => {
        for (const ms of [10, 30]) {
          await run.runNode('a', (node) => {
            advance(ms);
            node.addTokens(tokens(ms));
            node.addToolCalls([`tool-${ms}`]);
          });
        }
      },
      { clock },
    );
    expect(briefly(events, 'a')).toEqual([
      ...['tool_call tool-10', 'tool_call tool-30', 'tokens:total 40', 'tokens:input 40', 'duration:total 40'],
      'generation:success 1',
    ]);
  });

  it('6, where asked: a node that works twice has a tracker for each time', async () => {
    const { graph, events } = await openGraphLab({ a: ['a'] });
    await runGraph(
      graph,
      async (run) => {
        for (const total of [10, 30]) await run.runNode('a', (node) => node.addTokens(tokens(total)));
      },
      { trackers: 'activation' },
    );
    const totals = events.filter(({ event }) => event === '$ld:ai:tokens:total');
    expect(totals.map(({ value }) => value)).toEqual([10, 30]);
    expect(new Set(totals.map(runIdOf)).size).toBe(2);
  });

  it('7: all calls of a node count, not the last', async () => {
    const { graph, events } = await openGraphLab({ a: [] });
    await runGraph(graph, async (run) => {
      await run.runNode('a', (node) => {
        for (const total of [3, 4, 5]) node.addTokens(tokens(total));
      });
    });
    expect(briefly(events, 'a')).toContain('tokens:total 12');
    expect(briefly(events, 'graph')).toContain('total_tokens 12');
  });

  it('8: a path has every step of a loop', async () => {
    const { graph, events } = await openGraphLab({ a: ['b'], b: ['a'] });
    await runGraph(graph, async (run) => {
      for (const key of 'abab') await run.runNode(key, () => undefined);
    });
    expect(briefly(events, 'graph')).toContain('path a>b>a>b');
  });

  it('9: a score of a node is with the run the node had', async () => {
    const judged = { judgeConfiguration: { judges: [{ key: 'j' }] } };
    const run = (): RunnerResult => ({ content: '', metrics: { success: true }, parsed: { score: 1 } });
    const { graph, events } = await openGraphLab(
      { a: [] },
      {
        nodes: { a: judged },
        flags: { j: { _ldMeta: { enabled: true, mode: 'judge' }, evaluationMetricKey: 'metric' } },
        options: { makeRunner: () => ({ run }) },
      },
    );
    const { evaluations, metrics } = await new ManagedAgentGraph(graph).run(async (own) => {
      await own.runNode('a', (node) => node.collect('Q', 'A'));
      return { content: 'A', metrics: { success: true } };
    });
    await evaluations;
    const token = Buffer.from(metrics.nodeMetrics.a?.resumptionToken ?? '', 'base64url').toString('utf8');
    const score = events.find(({ event }) => event === 'metric');
    expect((JSON.parse(token) as { runId: string }).runId).toBe(score === undefined ? null : runIdOf(score));
  });

  it('10: what a summary holds is a copy', async () => {
    const { graph } = await openGraphLab(line);
    const path = ['a'];
    const { result: run, metrics } = await runGraph(graph, (own) => own, {
      metricsOf: () => ({ success: true, path }),
    });
    path.push('later');
    (metrics.path as string[]).push('b');
    (run.path as string[]).push('b');
    expect(run.tracker.getSummary().path).toEqual(['a']);
    expect(run.path).toEqual([]);
  });

  it('11: a stream that fails is told of, and one that is left is an error of its run', async () => {
    const { sink, logger, lines, brief } = openRecorder();
    const make = () => new ConfigTracker({ sink, logger, context: user, configKey: 'k' });
    make().trackStreamMetricsOf(
      () => 'stream',
      async () => await Promise.reject(new Error('cut')),
    );
    await new Promise(setImmediate);
    expect(lines).toEqual([{ level: 'debug', message: expect.stringContaining('cut') as string }]);
    async function* read(): AsyncGenerator<number> {
      yield* [1, 2, 3];
      await Promise.resolve();
    }
    const stream = make().trackStreamMetricsOf(read, async () => await new Promise<RunMetrics>(() => undefined));
    for await (const _ of stream) break;
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(brief().map(([event]) => event)).toEqual([
      ...['$ld:ai:generation:error', '$ld:ai:duration:total', '$ld:ai:generation:error', '$ld:ai:duration:total'],
    ]);
  });

  it('12: what a runner gives has its counts by names that the compiler holds', async () => {
    expectTypeOf<RunnerResult['metrics']>().toEqualTypeOf<RunMetrics>();
    expectTypeOf<RunMetrics['tokens']>().toEqualTypeOf<TokenCounts | null | undefined>();
    expectTypeOf<keyof TokenCounts>().toEqualTypeOf<'total' | 'input' | 'output'>();
    const metrics: RunMetrics = { success: true, tokens: { total: 3, input: 2, output: 1 } };
    const { client, brief } = openConfigLab(
      { k: { _ldMeta: { enabled: true } } },
      { makeRunner: () => ({ run: () => ({ content: '', metrics }) }) },
    );
    await (await client.createModel('k', user))?.run('Hi');
    expect(brief().slice(-3)).toEqual([
      ['$ld:ai:tokens:total', 3],
      ['$ld:ai:tokens:input', 2],
      ['$ld:ai:tokens:output', 1],
    ]);
  });

  it('13: a crossing is one handoff, a second crossing another', async () => {
    const { graph, events } = await openGraphLab({ a: ['b'], b: ['a'] });
    await runGraph(graph, async (run) => {
      await run.runNode('a', () => undefined);
      await run.runNode('b', () => undefined, { from: 'a' });
      await run.runNode('a', () => undefined, { from: 'b' });
      await run.runNode('b', () => undefined, { from: 'a' });
    });
    const handoffs = briefly(events, 'graph').filter((event) => event.startsWith('handoff'));
    expect(handoffs).toEqual(['handoff_success a b', 'handoff_success b a', 'handoff_success a b']);
  });

  it('14: a second run in the same context is another run', async () => {
    const { graph, events } = await openGraphLab({ a: [] });
    for (let i = 0; i < 2; i++) await runGraph(graph, async (run) => await run.runNode('a', () => undefined));
    const ids = events.map(runIdOf);
    expect(new Set(ids).size).toBe(4);
  });

  it('15: a graph that is off, or not connected, is disabled', async () => {
    const off = await openGraphLab({ a: [] }, { flags: { g: { _ldMeta: { enabled: false }, root: 'a' } } });
    const apart = await openGraphLab({ a: [], b: ['a'] });
    expect([off.graph.enabled, apart.graph.enabled]).toEqual([false, false]);
  });

  it('16: a duration that is reported beats the one that is measured: of a run, of a node, of a graph', async () => {
    const { graph, events, clock, advance, sink } = await openGraphLab({ a: [] });
    const metricsOf = () => ({ success: true, durationMs: 9 });
    const work = (): void => advance(250);
    await runGraph(graph, async (run) => await run.runNode('a', work, { metricsOf }), { clock, metricsOf });
    expect([briefly(events, 'graph')[0], briefly(events, 'a')[0]]).toEqual(['duration:total 9', 'duration:total 9']);
    const tracker = new ConfigTracker({ sink, clock, context: user, configKey: 'k' });
    await tracker.trackMetricsOf(metricsOf, work);
    expect(tracker.getSummary().durationMs).toBe(9);
  });

  it('17: counts that are all 0 leave room for the real ones', () => {
    const { sink, brief, warnings, logger } = openRecorder();
    const tracker = new ConfigTracker({ sink, logger, context: user, configKey: 'k' });
    tracker.trackTokens(tokens(0));
    tracker.trackTokens(tokens(2));
    expect(brief()).toContainEqual(['$ld:ai:tokens:total', 2]);
    expect(warnings()).toEqual([]);
  });

  it('18: a token that is malformed gives an error, and no tracker', () => {
    const { client } = openConfigLab({});
    const halves = ['', 'e30', 'bnVsbA', Buffer.from('{"runId":"r","configKey":"k"}').toString('base64url')];
    for (const token of halves) {
      expect(() => client.createTracker(token, user)).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }));
      expect(() => client.createGraphTracker(token, user)).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }));
    }
  });

  it('19: a flag that is off is of no mode, and nobody is warned', async () => {
    const { client, lines } = openConfigLab({ k: { _ldMeta: { enabled: false } } });
    expect((await client.agentConfig('k', user)).enabled).toBe(false);
    expect((await client.judgeConfig('k', user)).enabled).toBe(false);
    expect(lines).toEqual([]);
  });

  it('20: a graph whose runner reports a failure has its path and tokens recorded', async () => {
    const { graph, events } = await openGraphLab(line);
    await new ManagedAgentGraph(graph).run(async (run) => {
      await run.runNode('a', (node) => {
        node.addTokens(tokens(6));
        node.fail();
      });
      return { content: '', metrics: { success: false } };
    });
    expect(briefly(events, 'graph').slice(1)).toEqual(['invocation_failure 1', 'path a', 'total_tokens 6']);
    expect(outcomes(briefly(events, 'a'))).toEqual(['generation:error 1']);
  });
});
