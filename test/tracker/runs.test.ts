import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigTracker, type EventSink, type LLMTracker, type RunEvent, type TrackerEvent } from '../../dist/index.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { chat, listen, makeProgram, openTrackerLab, type TrackerLab } from './tracker-lab.js';

let lab: TrackerLab;
beforeAll(async () => {
  lab = await openTrackerLab();
});
afterAll(async () => await lab.close());

const context = { kind: 'user', key: 'user-1' };

const readRun = (events: readonly TrackerEvent[]): RunEvent[] =>
  events.flatMap((event) => (event.type === 'run.tracked' ? [event.event] : []));
const names = (events: readonly TrackerEvent[]) => readRun(events).map(({ name }) => name.replace('$ld:ai:', ''));
const outcomes = (events: readonly TrackerEvent[]) =>
  events.flatMap((event) => (event.type === 'session.closed' ? [event.outcome] : []));
const whole = ['duration:total', 'generation:success', 'tokens:total', 'tokens:input', 'tokens:output'];

async function start(options: Parameters<TrackerLab['makeTracker']>[0] = {}) {
  const tracker = lab.makeTracker({ ...options });
  const heard = listen(tracker);
  return { ...heard, tracker: await tracker.start() };
}

describe('the scope of a config', () => {
  it('tells its run by what the wire saw, with its own run id, to listeners, sinks and ledger', async () => {
    const sent: unknown[][] = [];
    const sink: EventSink = { track: (...args) => void sent.push(args) };
    const failing: EventSink = {
      track: () => {
        throw new Error('no');
      },
    };
    const { tracker, events } = await start({ sinks: [failing, sink] });
    const runId = await tracker.track({ configKey: 'bot', context }, async (scope) => {
      await chat('a');
      await chat('b');
      return scope.runId;
    });
    await tracker.close();
    expect(names(events)).toEqual(whole);
    expect(outcomes(events)).toEqual(['success']);
    expect(readRun(events).every((event) => event.runId === runId)).toBe(true);
    expect(sent.map(([name, given, data, value]) => ({ name, given, data, value }))).toEqual(
      readRun(events).map(({ name, data, value }) => ({ name, given: context, data, value })),
    );
  });

  it('has a tracker whose word goes before the wire’s, and nothing is said twice', async () => {
    const { tracker, events } = await start();
    let summary: unknown;
    await tracker.track({ configKey: 'bot', context }, async (scope) => {
      expect(scope.tracker).toBe(scope.tracker);
      scope.tracker?.trackDuration(5);
      await chat('a');
      scope.tracker?.trackError();
      summary = scope.tracker?.getSummary();
    });
    await tracker.close();
    expect(names(events).toSorted()).toEqual(
      ['duration:total', 'generation:error', 'tokens:input', 'tokens:output', 'tokens:total'].toSorted(),
    );
    expect(readRun(events).find(({ name }) => name.includes('duration'))).toMatchObject({ value: 5, source: 'caller' });
    expect(summary).toMatchObject({ success: false, durationMs: 5 });
  });

  it('has no tracker without a config', async () => {
    const { tracker, events } = await start();
    await tracker.track({ graphKey: 'g' }, async (scope) => {
      expect(scope.tracker).toBeNull();
      await chat('a');
    });
    await tracker.close();
    expect([names(events), outcomes(events)]).toEqual([[], [null]]);
  });

  it('is an error when its work throws, aborted when it was told to stop, and empty without a call', async () => {
    const { tracker, events } = await start();
    const abort = new DOMException('stopped', 'AbortError');
    for (const error of [new Error('failed'), abort]) {
      const running = tracker.track({ configKey: 'bot' }, async () => {
        await chat('a');
        throw error;
      });
      await expect(running).rejects.toBe(error);
    }
    await tracker.track({ configKey: 'bot' }, () => 1);
    await tracker.close();
    expect(outcomes(events)).toEqual(['error', 'aborted', 'empty']);
    expect(names(events).filter((name) => name.startsWith('generation'))).toEqual([
      'generation:error',
      'generation:error',
    ]);
  });

  it('is aborted when it is closed over its work', async () => {
    const { tracker, events } = await start();
    let go = (): void => undefined;
    const running = tracker.track({ configKey: 'bot' }, async () => {
      await chat('a');
      go();
      await new Promise(() => undefined);
    });
    void running.catch(() => undefined);
    await new Promise<void>((resolve) => {
      go = resolve;
    });
    await tracker.close();
    expect(outcomes(events)).toEqual(['aborted']);
  });

  it('takes a config as a flag client gives it, and the run of its tracker', async () => {
    const { tracker, events } = await start();
    const made = new ConfigTracker({
      ...{ sink: { track: () => undefined }, context, configKey: 'made', variationKey: 'v', version: 7 },
      ...{ modelName: 'm', providerName: 'p', modelKey: 'mk', modelVersion: 2 },
    });
    const config = { key: 'made', enabled: true, createTracker: () => made };
    await tracker.track({ config, context }, async ({ session }) => {
      expect(session).toMatchObject({
        configKey: 'made',
        variationKey: 'v',
        version: 7,
        runId: made.getTrackData().runId,
      });
      await chat('a');
    });
    await tracker.track({ config: { key: 'plain', model: { name: 'x' }, provider: { name: 'y' } } }, () => chat('b'));
    await tracker.close();
    expect(readRun(events)[0]?.data).toEqual(made.getTrackData());
    expect(readRun(events).at(-1)).toMatchObject({
      data: { configKey: 'plain', modelName: 'x', providerName: 'y' },
      context: { kind: 'llmtap', key: 'plain', anonymous: true },
    });
  });

  it('counts the calls of a child that its program waits for with its loop blocked', async () => {
    const { tracker, events } = await start();
    await tracker.track({ configKey: 'bot' }, (scope) => {
      scope.tracker?.trackToolCall('before');
      execFileSync(process.execPath, ['-e', makeProgram('child')]);
      scope.tracker?.trackTimeToFirstToken(3);
    });
    await tracker.close();
    expect(names(events).toSorted()).toEqual([...whole, 'tokens:ttf', 'tool_call'].toSorted());
  });
});

describe('the sink of a tracker', () => {
  it('takes what trackers made by hand say of a run in progress, and of one that is over', async () => {
    const { tracker, events } = await start();
    const token = await tracker.track({ configKey: 'bot', context }, async (scope) => {
      const own = new ConfigTracker({ sink: tracker.sink, context, configKey: 'bot', runId: scope.runId });
      await chat('a');
      own.trackSuccess();
      return own.resumptionToken;
    });
    ConfigTracker.fromResumptionToken(token, { sink: tracker.sink, context }).trackFeedback({ kind: 'negative' });
    await tracker.close();
    expect(names(events).toSorted()).toEqual([...whole, 'feedback:user:negative'].toSorted());
  });

  it('gives a run of many trackers each fact once, where that is asked', async () => {
    const { tracker, events } = await start();
    const make = () =>
      new ConfigTracker({ sink: tracker.sink, context, configKey: 'bot', runId: 'shared', dedupe: 'run' });
    const trackers = Array.from({ length: 20 }, make);
    for (const [at, one] of trackers.entries()) {
      one.trackTokens({ total: at + 1, input: at % 2, output: 1 });
      if (at % 2 === 0) one.trackSuccess();
      else one.trackError();
    }
    await tracker.close();
    expect(names(events)).toEqual(['tokens:total', 'tokens:output', 'generation:success']);
    expect(() => new ConfigTracker({ sink: { track: () => 0 }, context, configKey: 'b', dedupe: 'run' })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });

  it('is closed in time over sinks that never answer, and the others have had it all', async () => {
    const sent: string[] = [];
    const never = () => new Promise<void>(() => undefined);
    const silent = { track: never, flush: never };
    const { tracker } = await start({ sinks: [silent, { track: (name) => void sent.push(name) }] });
    await tracker.track({ configKey: 'bot', context }, async () => await chat('a'));
    const asked = performance.now();
    await tracker.close();
    // NOTE: no figure of speed, but the bound of the end: three seconds, where it would be forever.
    expect(performance.now() - asked).toBeLessThan(20_000);
    expect(sent.map((name) => name.replace('$ld:ai:', ''))).toEqual(whole);
  });

  it('keeps its events over the death of the thread that was to take them', async () => {
    const threads: { terminate(): Promise<number> }[] = [];
    const { Worker } = await import('node:worker_threads');
    const seen = Reflect.get(Worker.prototype, 'postMessage') as (...args: unknown[]) => void;
    Worker.prototype.postMessage = function (this: (typeof threads)[number], ...args: unknown[]) {
      threads.push(this);
      seen.apply(this, args);
    } as never;
    try {
      const { tracker, events, until } = await start();
      await tracker.track({ configKey: 'bot', context }, async (scope) => {
        await chat('a');
        scope.tracker?.trackToolCall('kept');
        const dying = threads.at(-1)?.terminate();
        scope.tracker?.trackSuccess();
        await dying;
        await until((all) => names(all).includes('generation:success'));
      });
      await tracker.close();
      expect(names(events).toSorted()).toEqual([...whole, 'tool_call'].toSorted());
      const ids = readRun(events).map(({ eventId }) => eventId);
      expect(new Set(ids).size).toBe(ids.length);
    } finally {
      Worker.prototype.postMessage = seen as never;
    }
  });

  it('has on record what a program said that came to its end without closing its tracker', async () => {
    const home = join(lab.folder, 'unclosed');
    const entry = new URL('../../dist/index.js', import.meta.url).href;
    const script = `
      import { ConfigTracker, LLMTracker } from ${JSON.stringify(entry)};
      const { sink } = await new LLMTracker({ home: ${JSON.stringify(home)} }).start();
      new ConfigTracker({ sink, context: { kind: 'user', key: 'u' }, configKey: 'bot', runId: 'unclosed' }).trackSuccess();`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    const ledger = openLedgerReader({ home });
    const said = [...ledger.listEvents({ runId: 'unclosed' })];
    ledger.close();
    expect(said.map(({ name }) => name)).toEqual(['$ld:ai:generation:success']);
  });

  it('is not opened for a context that no event can carry', async () => {
    const { tracker } = await start();
    for (const refused of [{ kind: 'user', key: 'x'.repeat(70_000) }, [] as object]) {
      await expect(tracker.track({ configKey: 'bot', context: refused }, () => 1)).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      });
    }
  });

  it('is refused before the tracker was started', () => {
    const tracker: LLMTracker = lab.makeTracker();
    expect(() => tracker.sink.track('e', context, {}, 1)).toThrow(
      expect.objectContaining({ code: 'TRACKER_NOT_STARTED' }),
    );
  });
});
