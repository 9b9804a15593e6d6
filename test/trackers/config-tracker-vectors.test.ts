import { runInThisContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ConfigTracker } from '../../src/trackers/config-tracker.js';
import { openRecorder } from '../fixtures/run-recorder.js';
import { listVectors, requireVector } from '../fixtures/tracker-vectors.js';

const runId = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const context = { kind: 'user', key: 'user-1' };
const feedback = { Positive: 'positive', Negative: 'negative' };

interface TrackInput {
  readonly runId: string;
  readonly configKey: string;
  readonly variationKey: string;
  readonly version: number;
  readonly modelName: string;
  readonly providerName: string;
  readonly call: string;
}
interface TrackFacts {
  readonly events: readonly { readonly event: string; readonly data: object; readonly value: number }[];
  readonly summary: object;
}

function openTracker(more: object = {}) {
  const recorder = openRecorder();
  const { sink, logger, clock } = recorder;
  const tracker = new ConfigTracker({ sink, logger, clock, context, runId, configKey: 'cfg', ...more });
  return { ...recorder, tracker };
}

/** A line of JavaScript of the table, as a function of the tracker. */
function readCall(code: string): (tracker: ConfigTracker) => unknown {
  const make = runInThisContext(`(t, FB) => ${code}`) as (tracker: ConfigTracker, FB: object) => unknown;
  return (tracker) => make(tracker, feedback);
}

/** What we send where the table knows better than the SDK that was run. */
const eventsOfOurs: Readonly<Record<string, TrackFacts['events']>> = { 'track.config.judge-empty-metric-key': [] };

describe('what a config tracker sends', () => {
  const single = listVectors<TrackInput, TrackFacts>('track-config', [
    'track.config.payload-minimal-flag',
    'track.config.resumed-feedback',
  ]);

  it.each(single)('$id', ({ id, input, expected }) => {
    const { call, ...ids } = input;
    const { tracker, events, warnings } = openTracker(ids);
    readCall(call)(tracker);
    const wanted = eventsOfOurs[id] ?? expected.events;
    expect(events).toEqual(wanted.map((event) => ({ ...event, context })));
    expect(events.map(({ data }) => Object.keys(data as object))).toEqual(wanted.map(({ data }) => Object.keys(data)));
    expect(warnings()).toEqual([]);
    expect(tracker.getSummary()).toEqual({ ...expected.summary, resumptionToken: tracker.resumptionToken });
  });

  it('track.config.payload-minimal-flag: leaves the variation key out, or empty where that is asked', () => {
    const { expected } = requireVector<object, TrackFacts>('track.config.payload-minimal-flag');
    const data = expected.events[0]?.data ?? {};
    const { variationKey, ...others } = data as Record<string, unknown>;
    expect(variationKey).toBe('');
    expect(openTracker().tracker.getTrackData()).toEqual(others);
    const asJavaScript = openTracker({ omitEmptyVariationKey: false }).tracker.getTrackData();
    expect(asJavaScript).toEqual(data);
    expect(Object.keys(asJavaScript)).toEqual(Object.keys(data));
  });

  it('track.config.resumed-feedback: goes on with the run in the context given then', () => {
    const vector = requireVector<{ token: string; context: object }, TrackFacts>('track.config.resumed-feedback');
    const { sink, events } = openRecorder();
    const tracker = ConfigTracker.fromResumptionToken(vector.input.token, { sink, context: vector.input.context });
    expect(events).toEqual([]);
    tracker.trackFeedback({ kind: 'positive' });
    expect(events).toEqual(vector.expected.events);
    expect(tracker.resumptionToken).toBe(vector.input.token);
  });
});

interface OnceFacts {
  readonly events: readonly (readonly [string, number])[];
  readonly warnings: number;
  readonly warningTopics: readonly string[];
  readonly summary: object;
}

describe('what is recorded once', () => {
  const ours: Readonly<Record<string, OnceFacts>> = {
    // Nothing of the kind was recorded, so nothing is taken.
    'once.config.tokens-zero-then-real': {
      events: [
        ['$ld:ai:tokens:total', 9],
        ['$ld:ai:tokens:input', 4],
        ['$ld:ai:tokens:output', 5],
      ],
      warnings: 0,
      warningTopics: [],
      summary: { tokens: { total: 9, input: 4, output: 5 } },
    },
  };
  const vectors = listVectors<{ calls?: string }, OnceFacts>('at-most-once', ['once.config.across-resumption']);

  it.each(vectors)('$id', ({ id, input, expected }) => {
    const { tracker, brief, warnings } = openTracker();
    readCall(input.calls ?? '')(tracker);
    const wanted = ours[id] ?? expected;
    expect(brief()).toEqual(wanted.events);
    expect(warnings()).toHaveLength(wanted.warnings);
    for (const [i, topic] of wanted.warningTopics.entries()) {
      expect(warnings()[i]).toContain(topic.replace('duplicate:', ''));
      expect(warnings()[i]).toContain(runId);
    }
    expect(tracker.getSummary()).toEqual({ ...wanted.summary, resumptionToken: tracker.resumptionToken });
  });

  it('once.config.across-resumption: is once a tracker, not once a run', () => {
    const { expected } = requireVector<string, { events: readonly (readonly [string, string])[] }>(
      'once.config.across-resumption',
    );
    const { tracker, sink, events } = openTracker();
    tracker.trackFeedback({ kind: 'positive' });
    ConfigTracker.fromResumptionToken(tracker.resumptionToken, { sink, context }).trackFeedback({ kind: 'negative' });
    expect(events.map(({ event, data }) => [event, (data as { runId: string }).runId])).toEqual(expected.events);
  });
});

interface MetricsFacts {
  readonly result?: unknown;
  readonly thrown?: string;
  readonly events: readonly (readonly unknown[])[];
  readonly warnings: number;
  readonly summary: object;
}

describe('measuring a run', () => {
  it.each(listVectors<string, MetricsFacts>('metrics-of'))('$id', async ({ input, expected }) => {
    const { tracker, advance, events, warnings } = openTracker();
    const run = (runInThisContext(`(advance) => (${input})`) as (advance: unknown) => (t: unknown) => unknown)(advance);
    const outcome = await Promise.resolve()
      .then(() => run(tracker))
      .then(
        (result) => ({ result }),
        (error: unknown) => ({ thrown: String(error) }),
      );
    await new Promise(setImmediate);
    const { result, thrown } = expected;
    expect(outcome).toEqual(thrown === undefined ? { result } : { thrown });
    const brief = events.map(({ event, value, data }) => {
      const { toolKey } = data as { toolKey?: string };
      return toolKey === undefined ? [event, value] : [event, value, toolKey];
    });
    expect(brief).toEqual(expected.events);
    expect(warnings()).toHaveLength(expected.warnings);
    expect(tracker.getSummary()).toEqual({ ...expected.summary, resumptionToken: tracker.resumptionToken });
  });
});
