import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunIds, RunScope } from '../../src/core/run-scope.js';
import type { NodeRun } from '../../src/graph/node-run.js';
import { runGraph } from '../../src/graph/run-graph.js';
import { briefly, openGraphLab } from '../fixtures/graph-lab.js';

const line = { a: ['b'], b: ['c'] };
const tokens = (total: number) => ({ total, input: 0, output: total });

describe('a run of a graph', () => {
  it('is recorded when its work has ended: graph first, then each node, in order', async () => {
    const { graph, events, clock, advance, lines } = await openGraphLab(line);
    const { result, metrics } = await runGraph(
      graph,
      async (run) => {
        const first = await run.runNode('a', async (node) => {
          advance(20);
          node.addTokens(tokens(4));
          node.addToolCalls(['search']);
          return await Promise.resolve(`${node.config.instructions ?? ''}!`);
        });
        return await run.runNode('b', () => `${first}!`, { from: 'a' });
      },
      { clock },
    );
    expect(result).toBe('a!!');
    expect(briefly(events, 'graph')).toEqual([
      'handoff_success a b',
      'duration:total 20',
      'invocation_success 1',
      'path a>b',
      'total_tokens 4',
    ]);
    expect(briefly(events, 'a')).toEqual([
      'tool_call search',
      'tokens:total 4',
      'tokens:output 4',
      'duration:total 20',
      'generation:success 1',
    ]);
    expect(briefly(events, 'b')).toEqual(['duration:total 0', 'generation:success 1']);
    expect(events.findIndex(({ event }) => event.endsWith('total_tokens'))).toBeLessThan(
      events.findIndex(({ event }) => event === '$ld:ai:tokens:total'),
    );
    expect(metrics).toMatchObject({
      ...{ success: true, durationMs: 20, path: ['a', 'b'], tokens: tokens(4) },
      nodeMetrics: { a: { success: true, toolCalls: ['search'] }, b: { success: true } },
    });
    expect(lines).toEqual([]);
  });

  it('has the tokens, path and times its runner reports, where it does', async () => {
    const { graph, events, logger, warnings } = await openGraphLab(line);
    const nodeMetrics = {
      a: { success: false, tokens: tokens(1), durationMs: 5, toolCalls: ['x'] },
      zzz: { success: true },
    };
    await runGraph(graph, async (run) => await run.runNode('a', (node) => node.addTokens(tokens(100))), {
      logger,
      metricsOf: () => ({ success: true, durationMs: 7, path: ['a', 'c'], tokens: tokens(9), nodeMetrics }),
    });
    expect(briefly(events, 'graph')).toEqual([
      'duration:total 7',
      'invocation_success 1',
      'path a>c',
      'total_tokens 9',
    ]);
    expect(briefly(events, 'a')).toEqual([
      'tokens:total 1',
      'tokens:output 1',
      'duration:total 5',
      'tool_call x',
      'generation:error 1',
    ]);
    expect(warnings()).toEqual(['The graph "g" has no node "zzz": what was reported of it is not recorded.']);
  });

  it('is neither a success nor a failure when what it came to cannot be read', async () => {
    const { graph, events } = await openGraphLab(line);
    const running = runGraph(graph, () => 'done', {
      metricsOf: () => {
        throw new Error('no metrics');
      },
    });
    await expect(running).rejects.toThrow('no metrics');
    expect(briefly(events, 'graph')).toEqual([expect.stringMatching(/^duration/)]);
  });

  it('says nothing again that its trackers were told by hand', async () => {
    const { graph, events, lines } = await openGraphLab(line);
    await runGraph(graph, async (run) => {
      run.tracker.trackPath(['c']);
      run.tracker.trackDuration(1);
      await run.runNode('a', ({ tracker }) => {
        tracker.trackTokens(tokens(3));
        tracker.trackError();
      });
    });
    expect(briefly(events, 'graph')).toEqual(['path c', 'duration:total 1', 'invocation_success 1', 'total_tokens 3']);
    expect(briefly(events, 'a').filter((event) => !event.startsWith('duration'))).toEqual([
      ...['tokens:total 3', 'tokens:output 3', 'generation:error 1'],
    ]);
    expect(lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  it('keeps its path to a bound, however long it goes round', async () => {
    const { graph, events } = await openGraphLab({ a: ['a'] });
    const { metrics } = await runGraph(graph, async (run) => {
      for (let i = 0; i < 10_050; i++) await run.runNode('a', () => undefined);
    });
    expect(metrics.path).toHaveLength(10_000);
    expect(events).toHaveLength(5);
  });
});

describe('a node', () => {
  it('works in a scope of its own, which names the run of the graph', async () => {
    const scopes = new AsyncLocalStorage<RunIds>();
    const runScope: RunScope = async (ids, work) => await scopes.run(ids, async () => await work());
    const { graph } = await openGraphLab(line);
    const seen: (RunIds | undefined)[] = [];
    const runIds: string[] = [];
    const look = (node: NodeRun<unknown>): void => {
      seen.push(scopes.getStore());
      runIds.push(node.tracker.getTrackData().runId);
    };
    await runGraph(
      graph,
      async (run) => {
        await Promise.all([run.runNode('a', look), run.runNode('b', look)]);
        await run.runNode('a', look);
        expect(seen.map((ids) => ids?.graphRunId)).toEqual([run.runId, run.runId, run.runId]);
      },
      { runScope },
    );
    expect(seen.map((ids) => [ids?.configKey, ids?.graphKey, ids?.runId])).toEqual([
      ['a', 'g', runIds[0]],
      ['b', 'g', runIds[1]],
      ['a', 'g', runIds[0]],
    ]);
    expect(new Set(runIds).size).toBe(2);
  });

  it('that is handed over to by an edge is a handoff, else a redirect, each time it is', async () => {
    const { graph, events } = await openGraphLab({ a: ['b'], b: ['a', 'c'] });
    await runGraph(graph, async (run) => {
      const pass = () => undefined;
      await run.runNode('a', pass);
      for (const [from, key] of ['ab', 'ba', 'ab', 'bc', 'ca']) await run.runNode(key ?? '', pass, { from });
    });
    expect(briefly(events, 'graph').slice(0, 5)).toEqual([
      ...['handoff_success a b', 'handoff_success b a', 'handoff_success a b', 'handoff_success b c', 'redirect c a'],
    ]);
    expect(briefly(events, 'graph')).toContain('path a>b>a>b>c>a');
  });

  it('that is none, or whose scope cannot be opened, is a failed handoff', async () => {
    const runScope: RunScope = async (ids, work) => {
      if (ids.configKey === 'c') throw new Error('closed');
      return await work();
    };
    const { graph, events } = await openGraphLab(line);
    const running = runGraph(
      graph,
      async (run) => {
        await run.runNode('a', () => undefined);
        await expect(run.runNode('x', () => undefined, { from: 'a' })).rejects.toMatchObject({
          code: 'OPTION_INVALID',
        });
        await expect(run.runNode('a', () => undefined, { from: 'x' })).rejects.toMatchObject({
          code: 'OPTION_INVALID',
        });
        await run.runNode('c', () => undefined, { from: 'a' });
      },
      { runScope },
    );
    await expect(running).rejects.toThrow('closed');
    expect(briefly(events, 'graph')).toEqual([
      ...[
        'handoff_failure a x',
        'handoff_failure a c',
        expect.stringMatching(/^duration/),
        'invocation_failure 1',
        'path a',
      ],
    ]);
    expect(briefly(events, 'c')).toEqual([]);
  });

  it('says by what its work gave what it came to, its own time included', async () => {
    const { graph, events } = await openGraphLab(line);
    await runGraph(graph, async (run) => {
      const metricsOf = (success: boolean) => ({ success, tokens: tokens(2), toolCalls: ['t'], durationMs: 50 });
      await run.runNode('a', () => true, { metricsOf });
      await run.runNode('b', () => false, { metricsOf });
    });
    const wanted = ['tool_call t', 'tokens:total 2', 'tokens:output 2', 'duration:total 50'];
    expect(briefly(events, 'a')).toEqual([...wanted, 'generation:success 1']);
    expect(briefly(events, 'b')).toEqual([...wanted, 'generation:error 1']);
  });

  it('of whose tokens nobody speaks has those of the calls in its scope, also when it throws', async () => {
    const usage = {
      m: { inputTokens: 3, outputTokens: 1, totalTokens: null },
      n: { inputTokens: null, outputTokens: null, totalTokens: 5 },
    };
    let asked = 0;
    const runScope: RunScope = async (ids, work) => {
      if (ids.configKey === 'c') return await work({ usage: () => Promise.reject(new Error('lost')) });
      return await work({ usage: async () => await Promise.resolve({ [asked++]: usage.m, n: usage.n }) });
    };
    const { graph, events } = await openGraphLab(line);
    await runGraph(
      graph,
      async (run) => {
        await run.runNode('a', () => Promise.reject(new Error('down'))).catch(() => undefined);
        await run.runNode('a', () => undefined);
        await run.runNode('b', (node) => node.addTokens(tokens(2)));
        await run.runNode('b', () => undefined, { metricsOf: () => ({ success: true, tokens: tokens(2) }) });
        await run.runNode('c', () => undefined);
      },
      { runScope },
    );
    expect(asked).toBe(2);
    expect(briefly(events, 'a').slice(0, 3)).toEqual(['tokens:total 18', 'tokens:input 6', 'tokens:output 2']);
    expect(briefly(events, 'b').slice(0, 2)).toEqual(['tokens:total 4', 'tokens:output 4']);
    expect(briefly(events, 'c')).toEqual([expect.stringMatching(/^duration/), 'generation:success 1']);
    expect(briefly(events, 'graph')).toContain('total_tokens 22');
  });

  it('that says it failed has failed; of what cannot be read nothing is known', async () => {
    const { graph, events } = await openGraphLab(line);
    await runGraph(graph, async (run) => {
      await run.runNode('a', (node) => node.fail());
      await run.runNode('b', () => 1, { metricsOf: () => ({}) as never });
      const broken = run.runNode('c', () => 1, {
        metricsOf: () => {
          throw new Error('no metrics');
        },
      });
      await expect(broken).rejects.toThrow('no metrics');
    });
    expect(briefly(events, 'a').at(-1)).toBe('generation:error 1');
    for (const key of ['b', 'c']) expect(briefly(events, key)).toEqual([expect.stringMatching(/^duration/)]);
  });

  it('that failed and is run again is what it came to then; one that worked meanwhile does not make it good', async () => {
    const fail = (): never => {
      throw new Error('down');
    };
    const { graph, events } = await openGraphLab({ a: ['a', 'b'] });
    await runGraph(graph, async (run) => {
      await run.runNode('a', fail).catch(() => undefined);
      await run.runNode('a', () => 'better');
      let finish: () => void = () => undefined;
      const slow = run.runNode('b', async () => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      });
      await new Promise(setImmediate);
      await run.runNode('b', fail).catch(() => undefined);
      finish();
      await slow;
    });
    expect(briefly(events, 'a').at(-1)).toBe('generation:success 1');
    expect(briefly(events, 'b').at(-1)).toBe('generation:error 1');
  });

  it('that outlives the run has its tokens sent with it, its time and outcome when it ends', async () => {
    const { graph, events } = await openGraphLab(line);
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let late: Promise<void> = Promise.resolve();
    await runGraph(graph, (run) => {
      late = run.runNode('a', async (node) => {
        node.addTokens(tokens(5));
        await held;
      });
    });
    expect(briefly(events, 'a')).toEqual(['tokens:total 5', 'tokens:output 5']);
    finish();
    await late;
    expect(briefly(events, 'a').slice(2)).toEqual([expect.stringMatching(/^duration/), 'generation:success 1']);
  });

  it('cannot be entered when the run is over', async () => {
    const { graph } = await openGraphLab(line);
    const { result: run } = await runGraph(graph, (own) => own);
    await expect(run.runNode('a', () => undefined)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('of a disabled graph there is none', async () => {
    const { graph, events } = await openGraphLab(line, { flags: { a: { _ldMeta: { enabled: false } } } });
    await expect(runGraph(graph, async (run) => await run.runNode('a', () => 1))).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    expect(briefly(events, 'graph')).toEqual([expect.stringMatching(/^duration/), 'invocation_failure 1']);
  });
});

describe('any run', () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c'), total: fc.nat({ max: 5 }), fails: fc.boolean() });

  it('has one outcome a node, that of its last activation, all its tokens, and every step in its path', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, together) => {
        const { graph, events } = await openGraphLab(line);
        const { metrics } = await runGraph(graph, async (run) => {
          const running: Promise<unknown>[] = [];
          for (const { key, total, fails } of steps) {
            const one = run
              .runNode(key, async (node) => {
                node.addTokens(tokens(total));
                // All have begun before any ends.
                if (together) await new Promise(setImmediate);
                if (fails) throw new Error('down');
              })
              .catch(() => undefined);
            running.push(one);
            if (!together) await one;
          }
          await Promise.all(running);
        });
        expect(metrics.path).toEqual(steps.map(({ key }) => key));
        const sum = steps.reduce((all, { total }) => all + total, 0);
        expect(metrics.tokens?.total ?? 0).toBe(sum);
        for (const key of ['a', 'b', 'c']) {
          const own = steps.filter((one) => one.key === key);
          const said = briefly(events, key);
          expect(said.filter((event) => event.startsWith('generation'))).toHaveLength(own.length === 0 ? 0 : 1);
          if (own.length > 0 && !together) {
            expect(said.at(-1)).toBe(`generation:${own.at(-1)?.fails === true ? 'error' : 'success'} 1`);
          }
          if (own.some(({ fails }) => fails) && together) expect(said).toContain('generation:error 1');
          const spent = own.reduce((all, { total }) => all + total, 0);
          expect(metrics.nodeMetrics[key]?.tokens?.total ?? 0).toBe(spent);
        }
      }),
    );
  });
});
