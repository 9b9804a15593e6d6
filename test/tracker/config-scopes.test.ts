import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CallRecord,
  ConfigClient,
  type LLMTracker,
  type MakeRunner,
  ManagedAgentGraph,
  type RunnerResult,
  type RunScope,
  runGraph,
} from '../../dist/index.js';
import { chat, makeProgram, openTrackerLab, type TrackerLab } from './tracker-lab.js';

const run = promisify(execFile);
let lab: TrackerLab;
let tracker: LLMTracker;
const events: { readonly event: string; readonly data: unknown }[] = [];
const runScope: RunScope = (ids, work) => tracker.track(ids, work);

beforeAll(async () => {
  lab = await openTrackerLab();
  tracker = await lab.makeTracker().start();
});
afterAll(async () => await lab.close());

const agent = (more: object = {}) => ({
  _ldMeta: { enabled: true, mode: 'agent', variationKey: 'v', version: 2 },
  ...more,
});
const flags: Readonly<Record<string, unknown>> = {
  ...{ triage: agent(), billing: agent({ judgeConfiguration: { judges: [{ key: 'judge' }] } }), loop: agent() },
  support: { root: 'triage', edges: { triage: [{ key: 'billing' }, { key: 'loop' }], loop: [{ key: 'loop' }] } },
  bot: {
    _ldMeta: { enabled: true, version: 3 },
    model: { name: 'gpt-4o' },
    messages: [{ role: 'system', content: 'Be kind to {{name}}.' }],
    judgeConfiguration: { judges: [{ key: 'judge' }] },
  },
  judge: { _ldMeta: { enabled: true, mode: 'judge' }, model: { name: 'gpt-4o' }, evaluationMetricKey: 'kindness' },
};

/** By the real SDK of OpenAI, which knows nothing of the tap. */
const makeRunner: MakeRunner = ({ kind, config }) => ({
  run: async (input): Promise<RunnerResult> => {
    const openai = new OpenAI({ apiKey: 'sk-of-a-test', maxRetries: 0 });
    const system = kind === 'model' ? (config.messages ?? []) : [];
    const messages = [...system, { role: 'user' as const, content: input }];
    const reply = await openai.chat.completions.create({ model: config.model?.name ?? 'gpt-4o', messages });
    const { prompt_tokens = 0, completion_tokens = 0, total_tokens = 0 } = reply.usage ?? {};
    const tokens = { total: total_tokens, input: prompt_tokens, output: completion_tokens };
    const metrics = { success: true, tokens };
    return {
      content: reply.choices[0]?.message.content ?? '',
      metrics,
      ...(kind === 'judge' ? { parsed: { score: 1 } } : {}),
    };
  },
});

function openClient(): ConfigClient {
  events.length = 0;
  const variation = (key: string, _: object, fallback: unknown): unknown => flags[key] ?? fallback;
  const sink = { track: (event: string, _: object, data: unknown) => void events.push({ event, data }) };
  return new ConfigClient({ flags: { variation }, sink, runScope, makeRunner });
}

/** A client whose runners call, and say nothing of it. */
function openSilentClient() {
  events.length = 0;
  const sink = { track: (event: string, _: object, data: unknown) => void events.push({ event, data }) };
  const run = async (input: string): Promise<RunnerResult> => {
    const content = await chat(input);
    if (input === 'fail') throw new Error('too late');
    return { content, metrics: { success: true } };
  };
  const bot = { _ldMeta: { enabled: true } };
  const variation = (key: string, _: object, fallback: unknown): unknown => (key === 'bot' ? bot : fallback);
  return { client: new ConfigClient({ flags: { variation }, sink, runScope, makeRunner: () => ({ run }) }) };
}

const user = { kind: 'user', key: 'user-1' };
const idsOf = ({ runId, configKey, graphKey, graphRunId }: CallRecord) => ({ runId, configKey, graphKey, graphRunId });

describe('a managed model', () => {
  it('has its calls under its run, and those of its judge under the judge’s', async () => {
    const client = openClient();
    const model = await client.createModel('bot', user, null, { name: 'Ann' });
    const { evaluations, metrics } = (await model?.run('Hi')) ?? {};
    expect(await evaluations).toMatchObject([{ score: 1, judgeConfigKey: 'judge', success: true }]);
    const runs = events.map(({ data }) => data as { runId?: string; configKey?: string });
    const runOf = (key: string) => runs.find(({ configKey }) => configKey === key)?.runId;
    const calls = await tracker.records();
    const mine = calls.filter(({ runId }) => runId === runOf('bot') || runId === runOf('judge'));
    expect(mine.map(({ configKey, runId, version }) => [configKey, runId, version])).toEqual([
      ['bot', runOf('bot'), 3],
      ['judge', runOf('judge'), 1],
    ]);
    const [own] = mine;
    expect([own?.usage.inputTokens, own?.usage.outputTokens]).toEqual([
      metrics?.tokens?.input,
      metrics?.tokens?.output,
    ]);
    expect(events.at(-1)).toMatchObject({ event: 'kindness', data: { runId: runOf('bot') } });
  });
});

describe('a run whose runner says nothing of tokens', () => {
  it('has those of its calls, a failed one those until then', async () => {
    const { client } = openSilentClient();
    const model = await client.createModel('bot', user);
    const { metrics } = (await model?.run('Hi')) ?? {};
    expect(metrics?.tokens?.input).toBeGreaterThan(0);
    expect(metrics?.tokens?.output).toBeGreaterThan(0);
    events.length = 0;
    await expect(model?.run('fail')).rejects.toThrow('too late');
    expect(events.map(({ event }) => event)).toEqual([
      ...['$ld:ai:duration:total', '$ld:ai:generation:error'],
      ...['$ld:ai:tokens:total', '$ld:ai:tokens:input', '$ld:ai:tokens:output'],
    ]);
  });
});

describe('a graph', () => {
  it('has the calls of its nodes under their runs and its own, also of a child that a node starts', async () => {
    const graph = await openClient().agentGraph('support', user);
    const { result, metrics } = await runGraph(
      graph,
      async (own) => {
        await own.runNode('triage', async () => await chat('which?'));
        await Promise.all([
          own.runNode('billing', async () => await run(process.execPath, ['-e', makeProgram('child')]), {
            from: 'triage',
          }),
          own.runNode('loop', async () => await chat('one'), { from: 'triage' }),
        ]);
        await own.runNode('loop', async () => await chat('two'), { from: 'loop' });
        return own.runId;
      },
      { runScope },
    );
    const calls = await tracker.records({ graphKey: 'support' });
    const wanted = Object.fromEntries(
      Object.entries(metrics.nodeMetrics).map(([key, { resumptionToken }]) => {
        const { runId } = JSON.parse(Buffer.from(resumptionToken, 'base64url').toString('utf8')) as { runId: string };
        return [key, { runId, configKey: key, graphKey: 'support', graphRunId: result }];
      }),
    );
    expect(metrics.path).toEqual(['triage', 'billing', 'loop', 'loop']);
    // Nobody said which tokens they took: their calls do.
    for (const [key, { tokens }] of Object.entries(metrics.nodeMetrics)) {
      const own = calls.filter(({ configKey }) => configKey === key).map(({ usage }) => usage);
      expect(tokens?.input).toBe(own.reduce((sum, { inputTokens }) => sum + (inputTokens ?? 0), 0));
      expect(tokens?.output).toBe(own.reduce((sum, { outputTokens }) => sum + (outputTokens ?? 0), 0));
      expect(tokens?.total).toBeGreaterThan(0);
    }
    const byKey = calls.map(idsOf).sort((a, b) => ((a.configKey ?? '') < (b.configKey ?? '') ? -1 : 1));
    expect(byKey).toEqual([wanted.billing, wanted.loop, wanted.loop, wanted.triage]);
    expect(events.filter(({ event }) => event.includes(':graph:')).map(({ event }) => event)).toEqual([
      ...['$ld:ai:graph:handoff_success', '$ld:ai:graph:handoff_success', '$ld:ai:graph:handoff_success'],
      ...['$ld:ai:graph:duration:total', '$ld:ai:graph:invocation_success', '$ld:ai:graph:path'],
      '$ld:ai:graph:total_tokens',
    ]);
  });

  it('whose node fails has what was called until then, and one that is judged has the judge’s call apart', async () => {
    const graph = await openClient().agentGraph('support', user);
    const before = (await tracker.records()).length;
    const failing = runGraph(
      graph,
      async (own) => {
        await own.runNode('triage', async () => {
          await chat('then fail');
          throw new Error('no plan');
        });
      },
      { runScope },
    );
    await expect(failing).rejects.toThrow('no plan');
    const { evaluations } = await new ManagedAgentGraph(graph, { runScope }).run(async (own) => {
      const content = await own.runNode('billing', async (node) => {
        node.collect('Hi', 'Bye');
        return await chat('and be judged');
      });
      return { content, metrics: { success: true } };
    });
    expect(await evaluations).toMatchObject([{ score: 1 }]);
    const calls = (await tracker.records()).slice(before);
    expect(calls.map(({ configKey, graphKey }) => [configKey, graphKey])).toEqual([
      ['triage', 'support'],
      ['billing', 'support'],
      ['judge', null],
    ]);
    const runs = calls.map(({ runId }) => events.filter(({ data }) => (data as { runId?: string }).runId === runId));
    const told = (of: typeof events) => of.map(({ event }) => event).filter((event) => !/duration|tokens/.test(event));
    expect(runs.map(told)).toEqual([
      ['$ld:ai:generation:error'],
      ['$ld:ai:generation:success', 'kindness'],
      ['$ld:ai:generation:success'],
    ]);
  });
});

describe('a graph whose events go into the tap', () => {
  it('states each fact of a node once, over all its scopes, and the wire adds nothing', async () => {
    const told: { readonly event: string; readonly data: unknown; readonly value: number }[] = [];
    const track = (event: string, _: object, data: unknown, value: number) => void told.push({ event, data, value });
    const own = await lab.makeTracker({ sinks: [{ track }] }).start();
    const variation = (key: string, _: object, fallback: unknown): unknown => flags[key] ?? fallback;
    const graph = await new ConfigClient({ flags: { variation }, sink: own.sink }).agentGraph('support', user);
    const scope: RunScope = (ids, work) => own.track(ids, work);
    const { metrics } = await runGraph(
      graph,
      async (of) => {
        await of.runNode('loop', async () => await chat('one'));
        await of.runNode('loop', async () => await chat('two'), { from: 'loop' });
      },
      { runScope: scope },
    );
    await own.close();
    const ofNode = told.filter(({ data }) => (data as { configKey?: string }).configKey === 'loop');
    expect(ofNode.map(({ event }) => event)).toEqual([
      ...['$ld:ai:tokens:total', '$ld:ai:tokens:input', '$ld:ai:tokens:output'],
      ...['$ld:ai:duration:total', '$ld:ai:generation:success'],
    ]);
    expect(ofNode[0]?.value).toBe(metrics.nodeMetrics.loop?.tokens?.total);
    expect(metrics.tokens?.total).toBe(metrics.nodeMetrics.loop?.tokens?.total);
  });
});
