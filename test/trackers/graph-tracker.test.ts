import { runInThisContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { GraphTracker } from '../../src/trackers/graph-tracker.js';
import { makeConfigToken } from '../../src/trackers/resumption-token.js';
import { openRecorder } from '../fixtures/run-recorder.js';
import { listVectors } from '../fixtures/tracker-vectors.js';

const context = { kind: 'user', key: 'user-1' };

interface TrackInput {
  readonly runId: string;
  readonly graphKey: string;
  readonly variationKey: string;
  readonly version: number;
  readonly call: string;
}
interface TrackFacts {
  readonly events: readonly { readonly event: string; readonly data: object; readonly value: number }[];
  readonly dataKeyOrder: readonly (readonly string[])[];
  readonly warnings: number;
  readonly summary: object;
}

function openTracker(more: object = {}) {
  const recorder = openRecorder();
  const { sink, logger } = recorder;
  return { ...recorder, tracker: new GraphTracker({ sink, logger, context, graphKey: 'g', ...more }) };
}

describe('what a graph tracker sends', () => {
  const nothing = { events: [], dataKeyOrder: [], warnings: 0, summary: {} };
  /** Nothing of the kind was recorded, so nothing is sent and nothing taken. */
  const ours: Readonly<Record<string, TrackFacts>> = { 'track.graph.tokens-zero': nothing };

  it.each(listVectors<TrackInput, TrackFacts>('track-graph'))('$id', ({ id, input, expected }) => {
    const { call, ...ids } = input;
    const { tracker, events, warnings } = openTracker(ids);
    (runInThisContext(`(t) => ${call}`) as (t: GraphTracker) => void)(tracker);
    const wanted = ours[id] ?? expected;
    expect(events).toEqual(wanted.events.map((event) => ({ ...event, context })));
    expect(events.map(({ data }) => Object.keys(data as object))).toEqual(wanted.dataKeyOrder);
    expect(warnings()).toHaveLength(wanted.warnings);
    expect(tracker.getSummary()).toEqual({ ...wanted.summary, resumptionToken: tracker.resumptionToken });
  });

  it('track.graph.tokens-zero: a total of 0 where that is asked', () => {
    const { tracker, brief } = openTracker({ emitZeroTokens: true });
    tracker.trackTotalTokens({ total: 0, input: 0, output: 0 });
    expect(brief()).toEqual([['$ld:ai:graph:total_tokens', 0]]);
  });

  it('counts input and output where there is no total', () => {
    const { tracker, brief } = openTracker();
    tracker.trackTotalTokens({ total: Number.NaN, input: 4, output: 5 });
    expect(brief()).toEqual([['$ld:ai:graph:total_tokens', 9]]);
    expect(tracker.getSummary().tokens).toEqual({ total: 9, input: 4, output: 5 });
  });

  it('leaves out an empty variation key', () => {
    expect(openTracker({ runId: 'r', variationKey: '' }).tracker.getTrackData()).toEqual({
      runId: 'r',
      graphKey: 'g',
      version: 1,
    });
  });
});

describe('what a graph tracker records once', () => {
  it('warns of a second outcome, duration, total and path, and where to get a tracker for another run', () => {
    const { tracker, events, warnings } = openTracker({ runId: 'r' });
    tracker.trackInvocationFailure();
    tracker.trackInvocationSuccess();
    for (const ms of [1, 2]) tracker.trackDuration(ms);
    for (const total of [1, 2]) tracker.trackTotalTokens({ total, input: 0, output: 0 });
    for (const key of ['a', 'b']) tracker.trackPath([key]);
    expect(events).toHaveLength(4);
    expect(warnings().map((line) => line.split(' ')[0])).toEqual([
      'trackInvocationSuccess',
      'trackDuration',
      'trackTotalTokens',
      'trackPath',
    ]);
    expect(warnings()[0]).toMatch(/run r of graph "g".*createTracker\(\) of the graph/);
    expect(tracker.getSummary()).toMatchObject({ success: false, durationMs: 1, tokens: { total: 1 }, path: ['a'] });
  });

  it.each([
    ['trackDuration', [Number.NaN]],
    ['trackTotalTokens', [null]],
    ['trackTotalTokens', [{ total: 0, input: 0, output: 0 }]],
    ['trackPath', [null]],
    ['trackPath', [[]]],
    ['trackPath', [['a', 1]]],
    ['trackRedirect', ['a', ' ']],
    ['trackHandoffSuccess', [null, 'b']],
    ['trackHandoffFailure', ['', 'b']],
  ])('takes nothing by %s%j, and says so at debug', (method, args) => {
    const { tracker, events, lines } = openTracker();
    (tracker as unknown as Record<string, (...args: unknown[]) => void>)[method]?.(...args);
    expect(events).toEqual([]);
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
    tracker.trackDuration(-1);
    tracker.trackTotalTokens({ total: 1, input: 0, output: 0 });
    tracker.trackPath(['a', 'b', 'a']);
    expect(events.map(({ value }) => value)).toEqual([0, 1, 1]);
  });

  it('keeps a path as it was: neither the list given, nor the event, nor the summary is it', () => {
    const { tracker, events } = openTracker();
    const path = ['a'];
    tracker.trackPath(path);
    path.push('b');
    const sent = events[0]?.data as { path: string[] } | undefined;
    sent?.path.push('c');
    (tracker.getSummary().path as string[]).push('d');
    expect(sent?.path).toEqual(['a', 'c']);
    expect(tracker.getSummary().path).toEqual(['a']);
  });

  it('may race: of twenty callers one is recorded, nineteen are told', async () => {
    const { tracker, brief, warnings } = openTracker();
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await new Promise(setImmediate);
        if (i % 2 === 0) tracker.trackInvocationSuccess();
        else tracker.trackInvocationFailure();
      }),
    );
    expect(brief()).toEqual([['$ld:ai:graph:invocation_success', 1]]);
    expect(warnings()).toHaveLength(19);
  });
});

describe("going on with a graph's run by its token", () => {
  it('gives the same token and payload again, and frees every slot', () => {
    const { tracker, sink, events, warnings } = openTracker({ variationKey: 'v', version: 0 });
    tracker.trackPath(['a']);
    const resumed = GraphTracker.fromResumptionToken(tracker.resumptionToken, { sink, context: {} });
    resumed.trackPath(['b']);
    expect(resumed.resumptionToken).toBe(tracker.resumptionToken);
    expect(resumed.getTrackData()).toEqual(tracker.getTrackData());
    expect(events.map(({ context: at }) => at)).toEqual([context, {}]);
    expect(warnings()).toEqual([]);
  });

  it("refuses a node's token", () => {
    const token = makeConfigToken({ runId: 'r', configKey: 'k', variationKey: '', version: 1, graphKey: 'g' });
    const { sink } = openRecorder();
    expect(() => GraphTracker.fromResumptionToken(token, { sink, context })).toThrow(
      expect.objectContaining({ code: 'TOKEN_INVALID' }),
    );
  });
});
