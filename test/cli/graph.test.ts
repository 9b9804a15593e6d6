import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExampleProvider, openExampleProvider } from '../../examples/provider/provider.js';
import { makePalette } from '../../src/cli/colour.js';
import { formatGraphRun } from '../../src/cli/format/graph.js';
import { readGraphRun } from '../../src/cli/graph/graph-run.js';
import { GRAPH_EVENTS, type RunEvent } from '../../src/core/run-events.js';
import { makeGraphToken } from '../../src/trackers/resumption-token.js';
import { makeCall } from '../storage/records.js';
import { launch, openFolder, readJsonLines } from './launch.js';

const plain = makePalette({ isTty: false }, {});

function graphEvent(name: string, data: object, value = 1): RunEvent {
  return {
    ...{ eventId: name, name, value, data: data as RunEvent['data'], context: {}, runId: 'graph-1', sessionId: null },
    ...{ callId: null, source: 'caller', at: '2026-01-01T00:00:00.000Z' },
  };
}

const handoff = (sourceKey: string, targetKey: string) =>
  graphEvent(GRAPH_EVENTS.handoffSuccess, { graphKey: 'g', sourceKey, targetKey });

function draw(events: readonly RunEvent[], nodes: readonly string[]): string[] {
  const calls = nodes.map((configKey) => makeCall({ configKey, graphKey: 'g', graphRunId: 'graph-1' }));
  const view = readGraphRun({ graphKey: 'g', graphRunId: 'graph-1', calls, events });
  return formatGraphRun(view, plain).split('\n');
}

describe('the drawing of a graph’s run', () => {
  it('does not say that an edge was not taken where the run told no way', () => {
    const calls = ['a', 'b'].map((configKey) => makeCall({ configKey, graphKey: 'g', graphRunId: 'graph-1' }));
    const view = readGraphRun({ graphKey: 'g', graphRunId: 'graph-1', calls, events: [] });
    const edge = (to: string) => ({ kind: 'edge' as const, from: 'a', to, count: 0 });
    const lines = formatGraphRun({ ...view, steps: [edge('b'), edge('c')] }, plain).split('\n');
    expect(lines.slice(3, 5)).toEqual([
      expect.stringMatching(/^├─ b .+not told$/),
      expect.stringMatching(/not taken$/),
    ]);
  });

  it('is a tree of handoffs in which a node that is reached again is named', () => {
    const events = [
      ...[handoff('a', 'b'), handoff('a', 'c'), handoff('b', 'd'), handoff('d', 'a'), handoff('c', 'd')],
      handoff('a', 'b'),
      graphEvent(GRAPH_EVENTS.handoffFailure, { sourceKey: 'c', targetKey: 'e' }),
      graphEvent(GRAPH_EVENTS.path, { path: ['a', 'b', 'd'] }),
      graphEvent(GRAPH_EVENTS.duration, {}, 1500),
      graphEvent(GRAPH_EVENTS.success, {}),
    ];
    const lines = draw(events, ['a', 'b', 'b', 'lonely']);
    expect(lines[0]).toBe('g · run graph-1 · success, 1.50 s, –');
    expect(lines.slice(2, -1).map((line) => line.replace(/ {2,}.*$/, ''))).toEqual([
      ...['a', '├─ b', '│', '│', '└─ c', '', '', 'lonely', '', 'path: a → b → d'],
    ]);
    expect(lines.slice(2, 9).map((line) => line.trimEnd())).toEqual([
      expect.stringMatching(/^a +1 call {2}10 → 5 tokens {2}– {2}13 ms$/),
      expect.stringMatching(/^├─ b +2 calls {2}20 → 10 tokens {2}– {2}25 ms {2}×2$/),
      expect.stringMatching(/^│ {2}└─ d +no calls$/),
      '│     └─ a ↺',
      expect.stringMatching(/^└─ c +no calls$/),
      '   ├─ d ↺',
      expect.stringMatching(/^ {3}└─ e +no calls {2}failed handoff$/),
    ]);
  });

  it('takes a chain of ten thousand nodes, and a name that would move the cursor', () => {
    const events = Array.from({ length: 10_000 }, (_, at) => handoff(`n${at}`, `n${at + 1}`));
    expect(draw(events, []).length).toBeGreaterThan(10_000);
    expect(draw([handoff('a', '\u001b[31m')], [])[3]).toContain('\\u{1b}');
  });
});

describe('llmtap graph show', () => {
  let folder: ReturnType<typeof openFolder>;
  let provider: ExampleProvider;
  beforeAll(async () => {
    folder = openFolder();
    provider = await openExampleProvider();
    for (const node of ['triage', 'billing']) await runNode(node);
    const token = makeGraphToken({ runId: 'graph-7', graphKey: 'support', variationKey: '', version: 1 });
    for (const said of [['handoff', 'triage', 'billing'], ['path', 'triage', 'billing'], ['success']]) {
      await llmtap('event', token, ...said);
    }
  });
  afterAll(async () => {
    await provider.close();
    folder.close();
  });

  const llmtap = (...args: readonly string[]) => launch(args, { home: folder.path });

  async function runNode(node: string): Promise<void> {
    const body = JSON.stringify({ model: 'model-a', messages: [{ role: 'user', content: 'Hi' }] });
    const curl = `curl -sS -o /dev/null -H 'content-type: application/json' -d '${body}' ${provider.url}/v1/chat/completions`;
    const ids = [
      '--graph-key',
      'support',
      '--graph-run-id',
      'graph-7',
      '--config-key',
      node,
      '--run-id',
      `run-${node}`,
    ];
    const flags = [...ids, '--quiet', '--provider', `local=${provider.url}`];
    await llmtap('run', ...flags, '--', 'sh', '-c', node === 'billing' ? `${curl}; exit 1` : curl);
  }

  it('draws the newest run with what each node cost', async () => {
    const { stdout, stderr, status } = await llmtap('graph', 'show', 'support');
    expect([stderr, status]).toEqual(['', 0]);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^support · run graph-7 · success, /);
    expect(lines[2]).toMatch(/^triage +1 call {2}\d+ → \d+ tokens {2}/);
    expect(lines[3]).toMatch(/^└─ billing {2}failed {2}1 call {2}/);
    expect(lines[5]).toBe('path: triage → billing');
    const [view] = readJsonLines((await llmtap('graph', 'show', 'support', '--run', 'graph', '--json')).stdout);
    expect(view).toMatchObject({ graphRunId: 'graph-7', path: ['triage', 'billing'], success: true });
  });

  it('lists the runs of its nodes', async () => {
    const runs = readJsonLines((await llmtap('runs', '--graph', 'support', '--json')).stdout);
    expect(runs.map(({ runId, outcome }) => [runId, outcome])).toEqual([
      ['run-billing', 'error'],
      ['run-triage', 'success'],
    ]);
    expect((await llmtap('runs', '--graph', 'none', '--json')).stdout).toBe('');
  });

  it('says so in one sentence where there is none', async () => {
    const { status, stderr } = await llmtap('graph', 'show', 'nobody');
    expect([status, stderr.split('\n')[0]]).toEqual([
      1,
      'llmtap: Could not find a run of graph "nobody": none is on record.',
    ]);
  });
});
