import { describe, expect, it } from 'vitest';
import type { EventSink } from '../../src/core/run-events.js';
import { ConfigTracker } from '../../src/trackers/config-tracker.js';
import { makeConfigToken } from '../../src/trackers/resumption-token.js';
import { openRecorder } from '../fixtures/run-recorder.js';

const context = { kind: 'user', key: 'user-1', address: { city: 'Bern' } };

function openTracker(more: object = {}) {
  const recorder = openRecorder();
  const { sink, logger, clock } = recorder;
  return { ...recorder, tracker: new ConfigTracker({ sink, logger, clock, context, configKey: 'cfg', ...more }) };
}

/** Calls a method with what its type forbids. */
function callWith(tracker: ConfigTracker, method: string, value: unknown): void {
  (tracker as unknown as Record<string, (value: unknown) => void>)[method]?.(value);
}

describe('a config tracker', () => {
  it('makes a run id of its own, a UUIDv4, and sends nothing by being made', () => {
    const { tracker, events } = openTracker();
    expect(tracker.getTrackData().runId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(openTracker().tracker.getTrackData().runId).not.toBe(tracker.getTrackData().runId);
    expect(events).toEqual([]);
  });

  it('sends every field of its payload in order, extras last', () => {
    const ids = { runId: 'r', variationKey: 'v', version: 0, modelName: 'm', providerName: 'p' };
    const { tracker, events } = openTracker({ ...ids, modelKey: 'mk', modelVersion: 2, graphKey: 'g' });
    tracker.trackToolCall('search');
    expect(JSON.stringify(events[0]?.data)).toBe(
      '{"runId":"r","configKey":"cfg","variationKey":"v","version":0,"modelName":"m","providerName":"p","modelVersion":2,"modelKey":"mk","graphKey":"g","toolKey":"search"}',
    );
  });

  it('takes an empty graph key for none, in its events as in its token', () => {
    const { tracker } = openTracker({ runId: 'r', graphKey: '' });
    expect(tracker.getTrackData()).not.toHaveProperty('graphKey');
    expect(tracker.resumptionToken).toBe(
      makeConfigToken({ runId: 'r', configKey: 'cfg', variationKey: '', version: 1, graphKey: null }),
    );
  });

  it('says version 1 of the model where nobody gave one, or leaves it out where that is asked', () => {
    expect(openTracker().tracker.getTrackData().modelVersion).toBe(1);
    expect(openTracker({ omitUnknownModelVersion: true }).tracker.getTrackData()).not.toHaveProperty('modelVersion');
    expect(openTracker({ omitUnknownModelVersion: true, modelVersion: 0 }).tracker.getTrackData().modelVersion).toBe(0);
  });

  it.each([
    ['configKey', ''],
    ['configKey', undefined],
    ['sink', {}],
    ['context', undefined],
    ['logger', { debug: () => undefined }],
    ['version', Number.NaN],
    ['runId', ''],
    ['modelname', 'a slip of the pen'],
  ])('refuses the option %s %j', (name, value) => {
    expect(() => openTracker({ [name]: value })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});

describe('what a config tracker cannot use', () => {
  it.each([
    ['trackDuration', Number.NaN],
    ['trackDuration', Number.POSITIVE_INFINITY],
    ['trackDuration', null],
    ['trackDuration', '5'],
    ['trackTimeToFirstToken', undefined],
    ['trackTokens', null],
    ['trackTokens', { total: 0, input: 0, output: 0 }],
    ['trackTokens', { total: Number.NaN, input: Number.POSITIVE_INFINITY, output: -1 }],
    ['trackFeedback', null],
    ['trackFeedback', { kind: 'lukewarm' }],
    ['trackToolCall', ' '],
    ['trackToolCalls', null],
    ['trackJudgeResult', null],
    ['trackJudgeResult', { sampled: true, success: true, metricKey: ' ', score: 1 }],
    ['trackJudgeResult', { sampled: true, success: true, metricKey: 'm', score: Number.NaN }],
    ['trackJudgeResult', { sampled: true, success: true, metricKey: 'm', score: 1.01 }],
  ])('%s(%j) is one line at debug, no event, and takes nothing', (method, value) => {
    const { tracker, events, lines } = openTracker();
    callWith(tracker, method, value);
    expect(events).toEqual([]);
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
    expect(tracker.getSummary()).toEqual({ resumptionToken: tracker.resumptionToken });
    tracker.trackDuration(1);
    tracker.trackTimeToFirstToken(1);
    tracker.trackTokens({ total: 1, input: 0, output: 0 });
    tracker.trackFeedback({ kind: 'positive' });
    expect(events).toHaveLength(4);
  });

  it('counts as 0 below it: a duration, and a count of tokens beside others', () => {
    const { tracker, brief } = openTracker();
    tracker.trackDuration(-5);
    callWith(tracker, 'trackTokens', { total: Number.NaN, input: 3, output: -2 });
    expect(brief()).toEqual([
      ['$ld:ai:duration:total', 0],
      ['$ld:ai:tokens:input', 3],
    ]);
    expect(tracker.getSummary()).toMatchObject({ durationMs: 0, tokens: { total: 0, input: 3, output: 0 } });
  });

  it('sends a score of 0, and leaves out a judge that is not known', () => {
    const { tracker, events } = openTracker();
    tracker.trackJudgeResult({ sampled: true, success: true, metricKey: 'm', score: 0, reasoning: 'secret' });
    expect(events).toMatchObject([{ event: 'm', value: 0 }]);
    expect(events[0]?.data).toEqual(tracker.getTrackData());
  });
});

describe('what surrounds a config tracker', () => {
  it('may fail: a sink that throws or rejects is logged, and nothing is sent again', async () => {
    let calls = 0;
    const sink: EventSink = {
      track: () => {
        calls += 1;
        if (calls === 1) throw new Error('sink down');
        return Promise.reject(new Error('sink gone'));
      },
    };
    const { tracker, lines, warnings } = openTracker({ sink });
    tracker.trackSuccess();
    tracker.trackTokens({ total: 3, input: 2, output: 1 });
    tracker.trackSuccess();
    await new Promise(setImmediate);
    expect(calls).toBe(4);
    expect(warnings()).toHaveLength(1);
    const errors = lines.filter(({ level }) => level === 'error').map(({ message }) => message);
    expect(errors).toHaveLength(4);
    expect(errors[0]).toMatch(/\$ld:ai:generation:success.*sink down/);
    expect(tracker.getSummary()).toMatchObject({ success: true, tokens: { total: 3 } });
  });

  it('may fail twice: the logger, too', () => {
    const fail = (): never => {
      throw new Error('down');
    };
    const { tracker } = openTracker({
      sink: { track: fail },
      logger: { debug: fail, info: fail, warn: fail, error: fail },
    });
    tracker.trackSuccess();
    tracker.trackSuccess();
    tracker.trackDuration(Number.NaN);
    expect(tracker.getSummary().success).toBe(true);
  });

  it('may call back: a sink that tracks again finds the slot taken', () => {
    let tracker: ConfigTracker | undefined;
    const recorder = openRecorder();
    const sink: EventSink = {
      track: (...event) => {
        recorder.sink.track(...event);
        tracker?.trackError();
        tracker?.trackSuccess();
      },
    };
    tracker = new ConfigTracker({ sink, logger: recorder.logger, context, configKey: 'cfg' });
    tracker.trackSuccess();
    expect(recorder.brief()).toEqual([['$ld:ai:generation:success', 1]]);
    expect(recorder.warnings()).toHaveLength(2);
  });

  it('cannot change what is sent: neither the context, nor a payload, nor a summary', () => {
    const own = { kind: 'user', key: 'u', address: { city: 'Bern' } };
    const { tracker, events } = openTracker({ context: own, runId: 'r' });
    const tools = ['a'];
    const tokens = { total: 1, input: 1, output: 0 };
    own.address.city = 'Basel';
    tracker.trackToolCalls(tools);
    tracker.trackTokens(tokens);
    tools.push('b');
    tokens.total = 99;
    Object.assign(events[0]?.data as object, { runId: 'changed' });
    Object.assign(tracker.getTrackData(), { runId: 'changed' });
    const summary = tracker.getSummary() as unknown as { toolCalls: string[]; tokens: { total: number } };
    summary.toolCalls.push('c');
    summary.tokens.total = 7;
    tracker.trackSuccess();
    expect(events.at(-1)).toMatchObject({ context: { address: { city: 'Bern' } }, data: { runId: 'r' } });
    expect(tracker.getSummary()).toMatchObject({ toolCalls: ['a'], tokens: { total: 1 } });
  });

  it('may race: of twenty callers one is recorded, nineteen are told', async () => {
    const { tracker, brief, warnings } = openTracker();
    const racers = Array.from({ length: 20 }, async (_, i) => {
      await new Promise(setImmediate);
      tracker.trackDuration(i);
      await Promise.resolve();
      if (i % 2 === 0) tracker.trackSuccess();
      else tracker.trackError();
    });
    await Promise.all(racers);
    expect(brief()).toHaveLength(2);
    expect(warnings()).toHaveLength(38);
    expect(tracker.getSummary()).toMatchObject({ durationMs: 0, success: true });
  });

  it('is bounded: a summary keeps 10,000 tool calls, the events are all sent', () => {
    const { tracker, events } = openTracker();
    for (let i = 0; i < 10_001; i++) tracker.trackToolCall('search');
    expect(events).toHaveLength(10_001);
    expect(tracker.getSummary().toolCalls).toHaveLength(10_000);
  });
});

describe('going on with a run by its token', () => {
  it('refuses what is no token', () => {
    const { sink } = openRecorder();
    expect(() => ConfigTracker.fromResumptionToken('nope', { sink, context })).toThrow(
      expect.objectContaining({ code: 'TOKEN_INVALID' }),
    );
  });

  it('knows neither model nor provider, and frees every slot', () => {
    const { tracker, sink, events, warnings } = openTracker({ modelName: 'm', providerName: 'p', modelKey: 'mk' });
    tracker.trackDuration(1);
    const resumed = ConfigTracker.fromResumptionToken(tracker.resumptionToken, { sink, context: {} });
    resumed.trackDuration(2);
    const { modelKey, ...known } = tracker.getTrackData();
    expect(modelKey).toBe('mk');
    expect(resumed.getTrackData()).toEqual({ ...known, modelName: '', providerName: '' });
    expect(events).toHaveLength(2);
    expect(warnings()).toEqual([]);
  });
});
