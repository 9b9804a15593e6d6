import { describe, expect, it } from 'vitest';
import type { ConfigDefault } from '../../src/configs/config-flag.js';
import { openConfigLab, user } from '../fixtures/config-lab.js';
import type { LoggedLine } from '../fixtures/run-recorder.js';
import { listVectors, requireVector } from '../fixtures/tracker-vectors.js';

type Method = 'completionConfig' | 'agentConfig' | 'judgeConfig';
interface Input {
  readonly method: Method;
  readonly flag: unknown;
  readonly variables?: Record<string, unknown> | null;
  readonly default?: ConfigDefault;
}
interface Line {
  readonly level: string;
  readonly topic: string;
}
interface Facts {
  readonly config: Record<string, unknown>;
  readonly logs: readonly Line[];
  readonly enabled: boolean;
  readonly configKeys: readonly string[];
  readonly trackData: Record<string, unknown>;
  readonly usage: readonly object[];
  readonly variationDefault: object;
  readonly throws?: string;
}

/** What each topic of the table is in our words. */
const topics: Readonly<Record<string, RegExp>> = {
  'mode-mismatch': /^The config ".*" is of mode \w+ and was asked for as \w+/,
  'judge-reserved-variable': /^The variable message_history is reserved/,
  'graph-no-root': /^The graph "g" is disabled: it has no root/,
  'graph-unreachable-node:orphan': /"g" is disabled: its node "orphan" cannot be reached/,
  'graph-node-config-unusable:child': /"g" is disabled: the config of its node "child" cannot be used/,
};
const wantLines = (logs: readonly Line[]): readonly LoggedLine[] =>
  logs.map(({ level, topic }) => ({
    level: level as LoggedLine['level'],
    message: expect.stringMatching(topics[topic] ?? /^no such topic$/) as string,
  }));

/** A config as the table has it: without what cannot be written down. */
const plain = (config: object): unknown => JSON.parse(JSON.stringify({ ...config, evaluator: undefined }));

describe('a config', () => {
  const vectors = listVectors<Input, Facts>('config', ['config.flag-not-object.null', 'config.flag-not-object.5']);

  it.each(vectors)('$id', async ({ input, expected }) => {
    const { client, lines } = openConfigLab({ k: input.flag });
    const config = await client[input.method]('k', user, undefined, input.variables ?? undefined);
    expect(plain(config)).toEqual(expected.config);
    expect(lines).toEqual(wantLines(expected.logs));
  });

  // Where JavaScript's SDK throws or gives a disabled config, others give the default, and so do we.
  it.each(['config.flag-not-object.null', 'config.flag-not-object.5'])('%s: is the default', async (id) => {
    const { input } = requireVector<Input, Facts>(id);
    const { client, lines } = openConfigLab({ k: input.flag });
    const config = await client.completionConfig('k', user, input.default);
    expect(plain(config)).toEqual({ key: 'k', enabled: true, model: { name: 'dflt' } });
    expect(lines).toEqual([{ level: 'error', message: 'The config "k" is no object, its default is used.' }]);
  });
});

describe('how trackers are made', () => {
  const runId = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
  const load = async ({ method, flag }: Input) => {
    const lab = openConfigLab(flag === null ? {} : { k: flag }, {
      newRunId: () => runId,
      omitEmptyVariationKey: false,
    });
    return { ...lab, config: await lab.client[method]('k', user) };
  };

  it.each(['factory.disabled-flag', 'factory.missing-flag'])('%s', async (id) => {
    const { input, expected } = requireVector<Input, Facts>(id);
    const { config, events, lines, fallbacks } = await load(input);
    expect(config.enabled).toBe(expected.enabled);
    expect(Object.keys(config)).toEqual(expected.configKeys);
    expect(config.createTracker().getTrackData()).toEqual(expected.trackData);
    expect(events).toEqual(expected.usage.map((event) => ({ ...event, context: user })));
    expect(fallbacks).toEqual([expected.variationDefault]);
    expect(lines).toEqual([]);
  });

  it('factory.mode-mismatch: gives the default, whose trackers know nothing of the flag', async () => {
    const { input, expected } = requireVector<Input, Facts>('factory.mode-mismatch');
    const { config, events, lines, fallbacks } = await load(input);
    expect(config.enabled).toBe(expected.enabled);
    expect(config.createTracker().getTrackData()).toEqual({
      ...expected.trackData,
      ...{ variationKey: '', version: 1, modelName: '', providerName: '' },
    });
    expect(events).toEqual(expected.usage.map((event) => ({ ...event, context: user })));
    expect(fallbacks).toEqual([expected.variationDefault]);
    expect(lines).toEqual(wantLines(expected.logs));
  });

  it('factory.fresh-run-id: is a new one each time, and sends nothing', async () => {
    const { expected } = requireVector<string, { distinct: number }>('factory.fresh-run-id');
    const { client, events } = openConfigLab({ k: {} }, { newRunId: undefined });
    const config = await client.completionConfig('k', user);
    events.length = 0;
    const ids = [1, 2, 3].map(() => config.createTracker().getTrackData().runId);
    expect(new Set(ids).size).toBe(expected.distinct);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(events).toEqual([]);
  });

  it('factory.independent-guards: records each run once', async () => {
    const { expected } = requireVector<string, { warnings: number }>('factory.independent-guards');
    const { client, events, warnings } = openConfigLab({ k: {} });
    const config = await client.completionConfig('k', user);
    events.length = 0;
    for (const tracker of [config.createTracker(), config.createTracker()]) tracker.trackSuccess();
    expect(new Set(events.map(({ data }) => (data as { runId: string }).runId)).size).toBe(2);
    expect(warnings()).toHaveLength(expected.warnings);
  });
});

describe('what a client says of itself', () => {
  interface Said {
    readonly event: string;
    readonly context: object;
    readonly data: unknown;
    readonly value: number;
  }

  it('usage.all: one event for itself, one for each config that is asked for, none for what that leads to', async () => {
    const { expected } = requireVector<string, { events: readonly Said[] }>('usage.all');
    const lab = openConfigLab({}, { makeRunner: () => null });
    const { client, events } = lab;
    await client.completionConfig('cfg', user);
    await client.completionConfigTemplate('cfg', user);
    await client.agentConfig('a1', user);
    await client.agentConfigTemplate('a1', user);
    await client.judgeConfig('jj', user);
    await client.judgeConfigTemplate('jj', user);
    await client.agentConfigs([{ key: 'a1' }, { key: 'a2' }], user);
    await client.agentConfigs([], user);
    await client.agentGraph('nope', user);
    await client.createModel('cfg', user);
    await client.createAgent('a1', user);
    await client.createJudge('jj', user);
    const [sdkInfo, ...others] = expected.events;
    expect(events).toEqual(others);
    const aiSdkVersion = expect.stringMatching(/^\d+\.\d+\.\d+/) as string;
    expect(lab.sdkInfo).toEqual({
      ...sdkInfo,
      data: { aiSdkName: 'llmtap', aiSdkVersion, aiSdkLanguage: 'javascript' },
    });
  });
});

describe('a graph of a flag', () => {
  interface GraphInput {
    readonly graphKey: string;
    readonly flags: Record<string, unknown>;
    readonly variables?: Record<string, unknown>;
  }
  interface GraphFacts {
    readonly throws?: string;
    readonly enabled: boolean;
    readonly root: string | null;
    readonly order: readonly string[];
    readonly terminals: readonly string[];
    readonly usage: readonly object[];
    readonly evaluated: readonly string[];
    readonly logs: readonly Line[];
    readonly graphTrackData: object;
  }
  const runId = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
  const usage = [{ event: '$ld:ai:usage:agent-graph', data: 'g', value: 1 }];
  const graphTrackData = { runId, graphKey: 'g', version: 1 };
  const single: GraphFacts = {
    ...{ enabled: true, root: 'a', order: ['a'], terminals: ['a'], evaluated: ['g', 'a'], logs: [] },
    ...{ usage, graphTrackData },
  };
  const none: GraphFacts = {
    ...{ enabled: false, root: null, order: [], terminals: [], evaluated: ['g'] },
    ...{ usage, graphTrackData, logs: [{ level: 'debug', topic: 'graph-no-root' }] },
  };
  /** Where what is malformed is left out, and JavaScript's SDK throws or gives up. */
  const ours: Readonly<Record<string, GraphFacts>> = {
    'graph.validate.edges-value-not-array': single,
    'graph.validate.edge-null-entry': single,
    // An edge that leads nowhere: what JavaScript's SDK asks for then is the config of undefined.
    'graph.validate.edge-without-key': single,
    'graph.validate.flag-null': none,
  };
  const vectors = listVectors<GraphInput, GraphFacts>('graph-validate', ['graph.threading']);

  it.each(vectors)('$id', async ({ id, input, expected }) => {
    const { client, events, lines, evaluated } = openConfigLab(input.flags, { newRunId: () => runId });
    const graph = await client.agentGraph(input.graphKey, user);
    const wanted = ours[id] ?? expected;
    const order: string[] = [];
    graph.traverse((node) => order.push(node.getKey()));
    expect({
      enabled: graph.enabled,
      root: graph.rootNode()?.getKey() ?? null,
      order,
      terminals: graph.terminalNodes().map((node) => node.getKey()),
      evaluated,
      graphTrackData: graph.createTracker().getTrackData(),
    }).toEqual({
      ...{ enabled: wanted.enabled, root: wanted.root, order: wanted.order, terminals: wanted.terminals },
      ...{ evaluated: wanted.evaluated, graphTrackData: wanted.graphTrackData },
    });
    expect(events).toEqual(wanted.usage.map((event) => ({ ...event, context: user })));
    expect(lines).toEqual(wantLines(wanted.logs));
  });

  it('graph.threading: the runs of nodes have ids of their own, and say of which graph they are', async () => {
    interface Threading {
      readonly instructions: readonly string[];
      readonly events: readonly object[];
    }
    const { input, expected } = requireVector<GraphInput, Threading>('graph.threading');
    const { client, events } = openConfigLab(input.flags);
    const graph = await client.agentGraph('g', user, input.variables);
    const nodes = ['a', 'b'].map((key) => graph.getNode(key)?.getConfig());
    expect(nodes.map((config) => config?.instructions)).toEqual(expected.instructions);
    const [run] = [graph.createTracker(), graph.createTracker()];
    const [first, second] = nodes.map((config) => config?.createTracker());
    first?.trackSuccess();
    second?.trackError();
    run?.trackPath(['a', 'b']);
    expect(events).toEqual(expected.events.map((event) => ({ ...event, context: user })));
    expect(first?.resumptionToken).toBeDefined();
  });
});
