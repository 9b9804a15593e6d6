import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConfigClient, type LLMTracker, type RunScope, runGraph } from '../../dist/index.js';
import { openTrackerLab, type TrackerLab } from '../tracker/tracker-lab.js';
import { findChild } from './lab.js';

const run = promisify(execFile);
let lab: TrackerLab;
let tracker: LLMTracker;
beforeAll(async () => {
  lab = await openTrackerLab();
  tracker = await lab.makeTracker().start();
});
afterAll(async () => await lab.close());

interface Used {
  readonly name: string;
  readonly used: readonly [input: number, output: number];
}

/** An agent in a process of its own, and what it and those it starts say they used. */
async function startAgent(name: string, model: string, ...helpers: readonly string[]): Promise<Used[]> {
  const { stdout } = await run(process.execPath, [findChild('agent-child.js'), name, model, ...helpers]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Used);
}

const agent = { _ldMeta: { enabled: true, mode: 'agent', variationKey: 'v', version: 2 } };
const flags: Readonly<Record<string, unknown>> = {
  ...{ triage: agent, billing: agent, search: agent, risky: agent, clerk: agent },
  support: {
    root: 'triage',
    edges: { triage: [{ key: 'billing' }, { key: 'search' }, { key: 'risky' }], search: [{ key: 'search' }] },
  },
  office: { root: 'clerk', edges: {} },
};
const user = { kind: 'user', key: 'user-1' };
const runScope: RunScope = (ids, work) => tracker.track(ids, work);

it('a graph of agents that are processes, parallel, nested, failing and looping, comes out right', async () => {
  const events: { readonly event: string; readonly value: number; readonly data: Record<string, string> }[] = [];
  const sink = {
    track: (event: string, _: object, data: object, value: number) =>
      void events.push({ event, value, data: data as Record<string, string> }),
  };
  const variation = (key: string, _: object, fallback: unknown): unknown => flags[key] ?? fallback;
  const client = new ConfigClient({ flags: { variation }, sink, runScope });
  const [support, office] = await Promise.all([client.agentGraph('support', user), client.agentGraph('office', user)]);
  const used: Record<string, Used[]> = { billing: [], search: [], clerk: [] };
  let officeRun: string | null = null;

  const { result, metrics } = await runGraph(
    support,
    async (own) => {
      used.triage = await own.runNode('triage', async () => await startAgent('triage', 'gpt-4o'));
      const billing = own.runNode(
        'billing',
        async () => {
          used.billing = await startAgent('billing', 'claude-haiku-4-5');
          // A graph in a node of another.
          await runGraph(
            office,
            async (inner) => {
              officeRun = inner.runId;
              used.clerk = await inner.runNode('clerk', async () => await startAgent('clerk', 'gpt-4o'));
            },
            { runScope },
          );
        },
        { from: 'triage' },
      );
      const search = async (from: string): Promise<void> => {
        await own.runNode(
          'search',
          // An agent that starts one of its own.
          async () => used.search?.push(...(await startAgent('search', 'gpt-4o', 'helper:claude-haiku-4-5'))),
          { from },
        );
      };
      const risky = own.runNode('risky', async () => await startAgent('risky', 'fail-500'), { from: 'triage' });
      const [, , failed] = await Promise.allSettled([billing, search('triage'), risky]);
      await search('search');
      await search('search');
      return { runId: own.runId, failed: failed.status };
    },
    { runScope },
  );

  expect(result.failed).toBe('rejected');
  expect([...metrics.path].sort()).toEqual(['billing', 'risky', 'search', 'search', 'search', 'triage']);
  expect(metrics.path.slice(-2)).toEqual(['search', 'search']);
  const calls = await tracker.records();
  const ofConfig = (key: string) => calls.filter(({ configKey }) => configKey === key);
  const sum = (key: string): number[] =>
    [0, 1].map((side) => (used[key] ?? []).reduce((total, each) => total + (each.used[side] ?? 0), 0));
  const recorded = (key: string) =>
    ofConfig(key).map(({ usage }) => [usage.inputTokens, usage.outputTokens].map((tokens) => tokens ?? 0));
  for (const key of ['triage', 'billing', 'search', 'clerk']) {
    // Each agent's own count of its tokens is what the wire has of it, and its helpers'.
    expect([key, recorded(key)]).toEqual([key, used[key]?.map((each) => each.used)]);
    const graph = key === 'clerk' ? ['office', officeRun] : ['support', result.runId];
    expect(new Set(ofConfig(key).map((call) => `${call.graphKey} ${call.graphRunId}`))).toEqual(
      new Set([graph.join(' ')]),
    );
    // One run a node, however often it worked, in however many processes.
    expect(new Set(ofConfig(key).map(({ runId }) => runId)).size).toBe(1);
  }
  expect(ofConfig('search')).toHaveLength(6);
  expect(ofConfig('risky')).toMatchObject([{ status: 500, outcome: 'http_error', graphRunId: result.runId }]);

  const nodes = metrics.nodeMetrics;
  for (const key of ['triage', 'billing', 'search']) {
    const [input, output] = sum(key);
    expect([key, nodes[key]?.tokens?.input, nodes[key]?.tokens?.output]).toEqual([key, input, output]);
  }
  const named = (event: string) => events.filter((each) => each.event === `$ld:ai:${event}`);
  const keys = (event: string) => named(event).map(({ data }) => data.configKey);
  expect(new Set(keys('generation:success'))).toEqual(new Set(['billing', 'clerk', 'search', 'triage']));
  expect(keys('generation:success')).toHaveLength(4);
  expect(keys('generation:error')).toEqual(['risky']);
  expect(
    named('graph:handoff_success')
      .map(({ data }) => `${data.sourceKey} ${data.targetKey}`)
      .sort(),
  ).toEqual(
    [
      ['search search', 'search search'],
      ['triage billing', 'triage risky', 'triage search'],
    ].flat(),
  );
  const totals = named('graph:total_tokens').map(({ data, value }) => [data.graphKey, value]);
  const all = ['triage', 'billing', 'search'].flatMap(sum).reduce((a, b) => a + b, 0);
  expect(Object.fromEntries(totals)).toEqual({ support: all, office: sum('clerk').reduce((a, b) => a + b, 0) });
  expect(named('graph:invocation_success').map(({ data }) => data.graphKey)).toEqual(['office', 'support']);
}, 60_000);
