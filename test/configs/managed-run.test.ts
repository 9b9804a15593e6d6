import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import type { Runner, RunnerResult } from '../../src/configs/runner.js';
import type { RunIds, RunScope } from '../../src/core/run-scope.js';
import { openConfigLab, user } from '../fixtures/config-lab.js';

const judge = (more: object = {}) => ({
  ...{ _ldMeta: { enabled: true, mode: 'judge', variationKey: 'jv', version: 2 }, evaluationMetricKey: 'metric' },
  ...more,
});
const main = (judges: readonly object[] = [], mode = 'completion') => ({
  ...{ _ldMeta: { enabled: true, mode, variationKey: 'v', version: 3 }, judgeConfiguration: { judges } },
});
const ok: RunnerResult = { content: 'OUT', metrics: { success: true } };
const scored = (score: unknown): RunnerResult => ({ ...ok, parsed: { score } });

/** Scopes that say whose they are, and by whom they were asked for. */
function openScopes() {
  const storage = new AsyncLocalStorage<RunIds>();
  const opened: RunIds[] = [];
  const runScope: RunScope = async (ids, work) => {
    opened.push(ids);
    return await storage.run(ids, async () => await work());
  };
  return { opened, runScope, current: () => storage.getStore()?.configKey };
}

describe('the scope of a run', () => {
  it("is the run's own, a judge's call is in the judge's, and its score with the judged", async () => {
    const { opened, runScope, current } = openScopes();
    const calls: (string | null | undefined)[] = [];
    const lab = openConfigLab(
      { main: main([{ key: 'j' }]), j: judge() },
      {
        runScope,
        makeRunner: ({ kind }) => ({
          run: async () => {
            calls.push(current());
            return await Promise.resolve(kind === 'judge' ? scored(0.5) : ok);
          },
        }),
      },
    );
    const model = await lab.client.createModel('main', user);
    await (await model?.run('Hi'))?.evaluations;
    expect(calls).toEqual(['main', 'j']);
    const runIds = lab.events.flatMap(({ data }) =>
      typeof data === 'string' ? [] : [(data as { runId: string }).runId],
    );
    const [mainRun, judgeRun] = [...new Set(runIds)];
    expect(opened).toEqual([
      { runId: mainRun, configKey: 'main', variationKey: 'v', version: 3 },
      { runId: judgeRun, configKey: 'j', variationKey: 'jv', version: 2 },
    ]);
    expect(lab.events.at(-1)).toMatchObject({
      event: 'metric',
      value: 0.5,
      data: { runId: mainRun, judgeConfigKey: 'j' },
    });
  });

  it('that cannot be opened is an error of the run, and nobody is asked', async () => {
    let asked = 0;
    const { client, events } = openConfigLab(
      { main: main([], 'agent') },
      {
        runScope: () => Promise.reject(new Error('closed')),
        makeRunner: () => ({ run: () => ({ ...ok, raw: ++asked }) }),
      },
    );
    const agent = await client.createAgent('main', user);
    await expect(agent?.run('Hi')).rejects.toThrow('closed');
    expect(asked).toBe(0);
    expect(events.map(({ event }) => event)).toEqual(['$ld:ai:usage:create-agent', '$ld:ai:generation:error']);
  });

  it('gets ids alone, and none it could not hold', async () => {
    const { opened, runScope } = openScopes();
    const key = 'k'.repeat(600);
    const flag = { _ldMeta: { enabled: true, variationKey: ' ', version: -1 } };
    const flags = { [key]: { ...flag, model: { name: 'm' }, provider: { name: 'p' } } };
    const { client } = openConfigLab(flags, { runScope, makeRunner: () => ({ run: () => ok }) });
    await (await client.createModel(key, user))?.run('Hi');
    expect(opened.map((ids) => Object.keys(ids))).toEqual([['runId']]);
  });
});

describe('what a managed run gives', () => {
  const open = async (runner: Runner, flags: Readonly<Record<string, unknown>> = { main: main() }) => {
    const lab = openConfigLab(flags, { makeRunner: () => runner });
    return { ...lab, model: await lab.client.createModel('main', user) };
  };

  it('is what its runner gave, and the duration its runner reports', async () => {
    const raw = { id: 1 };
    const { model, advance, brief } = await open({
      run: () => {
        advance(250);
        return { content: 'A', raw, parsed: { a: 1 }, metrics: { success: true, durationMs: 99 } };
      },
    });
    const result = await model?.run('Hi');
    expect(result).toMatchObject({ content: 'A', raw, parsed: { a: 1 }, metrics: { success: true, durationMs: 99 } });
    expect(result?.raw).toBe(raw);
    expect(brief().slice(1)).toEqual([
      ['$ld:ai:duration:total', 99],
      ['$ld:ai:generation:success', 1],
    ]);
  });

  it('is of that run alone, also when two run at once', async () => {
    const waiting: (() => void)[] = [];
    const { model, events } = await open({
      run: async (input) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        const tokens = { total: input.length, input: 0, output: 0 };
        return { content: input, metrics: { success: true, tokens } };
      },
    });
    const [short, long] = [model?.run('a'), model?.run('bcd')];
    for (const go of waiting.reverse()) go();
    const [first, second] = [await short, await long];
    expect([first?.metrics.tokens?.total, second?.metrics.tokens?.total]).toEqual([1, 3]);
    expect(first?.metrics.resumptionToken).not.toBe(second?.metrics.resumptionToken);
    expect(events.filter(({ event }) => event === '$ld:ai:generation:success')).toHaveLength(2);
  });

  it('is there before its judges have spoken', async () => {
    let speak: (result: RunnerResult) => void = () => undefined;
    const verdict = new Promise<RunnerResult>((resolve) => {
      speak = resolve;
    });
    const lab = openConfigLab(
      { main: main([{ key: 'j' }]), j: judge() },
      { makeRunner: ({ kind }) => ({ run: async () => (kind === 'judge' ? await verdict : ok) }) },
    );
    const result = await (await lab.client.createModel('main', user))?.run('Hi');
    expect(lab.events.map(({ event }) => event)).not.toContain('metric');
    speak(scored(1));
    expect(await result?.evaluations).toMatchObject([{ score: 1 }]);
    expect(lab.events.at(-1)?.event).toBe('metric');
  });

  it('is rejected where its runner breaks its word, with the duration alone on record', async () => {
    const { model, brief } = await open({ run: () => undefined as never });
    await expect(model?.run('Hi')).rejects.toThrow(TypeError);
    expect(brief().slice(1)).toEqual([['$ld:ai:duration:total', 0]]);
  });
});

describe('what there is no runner for', () => {
  it.each([
    ['nobody makes any', undefined],
    ['none is made', () => null],
    ['its making fails', () => Promise.reject(new Error('no key'))],
  ])('is no model, with a warning: %s', async (_, makeRunner) => {
    const { client, lines } = openConfigLab({ main: main() }, { makeRunner });
    expect(await client.createModel('main', user)).toBeUndefined();
    expect(lines).toEqual([{ level: 'warn', message: expect.stringMatching(/^There is no model "main": /) as string }]);
  });

  it('is no judge either: the others judge', async () => {
    const lab = openConfigLab(
      { main: main([{ key: 'a' }, { key: 'b' }, { key: 'none' }]), a: judge(), b: judge() },
      {
        makeRunner: ({ kind, config }) => {
          if (config.key === 'a') throw new Error('no key');
          return { run: () => (kind === 'judge' ? scored(0.25) : ok) };
        },
      },
    );
    const result = await (await lab.client.createModel('main', user))?.run('Hi');
    expect(await result?.evaluations).toMatchObject([{ judgeConfigKey: 'b', score: 0.25 }]);
  });

  it('gets the provider it was asked for with', async () => {
    const uses: unknown[] = [];
    const { client } = openConfigLab(
      { main: main([{ key: 'j' }]), j: judge() },
      {
        makeRunner: ({ kind, defaultAiProvider }) => {
          uses.push([kind, defaultAiProvider]);
          return { run: () => ok };
        },
      },
    );
    await (await (await client.createModel('main', user, null, null, 'vercel'))?.run('Hi'))?.evaluations;
    expect(uses).toEqual([
      ['model', 'vercel'],
      ['judge', 'vercel'],
    ]);
  });
});

describe('judges', () => {
  it('are asked with the variables and in the context that were given, whatever became of them', async () => {
    const variables = { mood: 'fair' };
    const context = { kind: 'user', key: 'a' };
    const systems: unknown[] = [];
    const messages = [{ role: 'system', content: 'Be {{mood}} to {{ldctx.key}}' }];
    const { client } = openConfigLab(
      { main: main([{ key: 'j' }]), j: judge({ messages }) },
      {
        makeRunner: ({ kind, config }) => {
          if (kind === 'judge') systems.push(config.messages?.[0]?.content);
          return { run: () => scored(1) };
        },
      },
    );
    const { evaluator } = await client.completionConfig('main', context, null, variables);
    Object.assign(variables, { mood: 'harsh' });
    context.key = 'b';
    await evaluator.evaluate('in', 'out');
    expect(systems).toEqual(['Be fair to a']);
  });

  it('are not loaded until something is to be judged, then once', async () => {
    const { client, evaluated } = openConfigLab(
      { main: main([{ key: 'j' }]), j: judge() },
      { makeRunner: () => ({ run: () => scored(1) }) },
    );
    const { evaluator } = await client.completionConfig('main', user);
    expect(evaluated).toEqual(['main']);
    await Promise.all([evaluator.evaluate('in', 'out'), evaluator.evaluate('in', 'out')]);
    expect(evaluated).toEqual(['main', 'j']);
  });

  it.each([
    [0, 0, false],
    [-1, 0, false],
    [0.5, 0.5, true],
    [0.5, 0.51, false],
    [1, 0.999, true],
    [Number.NaN, 0.999, true],
    [Number.POSITIVE_INFINITY, 0.999, true],
    [undefined, 0.999, true],
  ])('of rate %s where chance says %s: asked is %s', async (rate, chance, asked) => {
    const { client } = openConfigLab(
      { j: judge() },
      { random: () => chance, makeRunner: () => ({ run: () => scored(1) }) },
    );
    const opened = await client.createJudge('j', user);
    expect((await opened?.evaluate('in', 'out', rate))?.sampled).toBe(asked);
    const own = await client.createJudge('j', user, null, null, null, rate);
    expect((await own?.evaluate('in', 'out'))?.sampled).toBe(asked);
  });

  it('may be asked at another rate than theirs, 0 included', async () => {
    const { client, events } = openConfigLab({ j: judge() }, { makeRunner: () => ({ run: () => scored(1) }) });
    const opened = await client.createJudge('j', user);
    events.length = 0;
    expect(await opened?.evaluate('in', 'out', 0)).toEqual({ success: false, sampled: false, judgeConfigKey: 'j' });
    expect(events).toEqual([]);
  });

  it.each([[-0.1], [1.1], [Number.NaN], ['1'], [null], [undefined]])('give no score by %j', async (score) => {
    const { client, warnings } = openConfigLab({ j: judge() }, { makeRunner: () => ({ run: () => scored(score) }) });
    const result = await (await client.createJudge('j', user))?.evaluate('in', 'out');
    expect(result).toEqual({ success: false, sampled: true, judgeConfigKey: 'j' });
    expect(warnings()).toHaveLength(1);
  });

  it('without a metric key are not asked', async () => {
    let asked = 0;
    const { client, warnings } = openConfigLab(
      { j: judge({ evaluationMetricKey: ' ' }) },
      { makeRunner: () => ({ run: () => ({ ...scored(1), raw: ++asked }) }) },
    );
    const result = await (await client.createJudge('j', user))?.evaluate('in', 'out');
    expect(result).toMatchObject({
      success: false,
      sampled: true,
      errorMessage: expect.stringContaining('evaluationMetricKey') as string,
    });
    expect([asked, warnings().length]).toEqual([0, 1]);
  });

  it('whose runner reports a failure are no success, whatever it scored', async () => {
    const run = (): RunnerResult => ({ content: '', metrics: { success: false }, parsed: { score: 1, reasoning: 5 } });
    const { client } = openConfigLab({ main: main([{ key: 'j' }]), j: judge() }, { makeRunner: () => ({ run }) });
    const result = await (await client.createJudge('j', user))?.evaluate('in', 'out');
    expect(result).toEqual({ success: false, sampled: true, judgeConfigKey: 'j', score: 1, metricKey: 'metric' });
  });
});
