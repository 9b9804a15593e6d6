import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getCurrentSessionProxy, LLMTracker, type TrackedSession } from '../../dist/index.js';
import { chat, listen, makeProgram, openTrackerLab, startChat, type TrackerLab } from './tracker-lab.js';

let lab: TrackerLab;
beforeAll(async () => {
  lab = await openTrackerLab();
});
afterAll(async () => await lab.close());

async function isRefused(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  return await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
  }).finally(() => socket.destroy());
}

describe('a tracker', () => {
  it('starts, stops and closes as often as it is told to, and answers queries until it is closed', async () => {
    const tracker = lab.makeTracker();
    expect(await tracker.start()).toBe(tracker);
    await Promise.all([tracker.start(), tracker.start()]);
    await tracker.track(async () => await chat('one'));
    await Promise.all([tracker.stop(), tracker.stop()]);
    expect(await tracker.records()).toHaveLength(1);
    await Promise.all([tracker.close(), tracker.close(), tracker.stop()]);
    await expect(tracker.records()).rejects.toMatchObject({ code: 'TRACKER_CLOSED' });
    await expect(tracker.start()).rejects.toMatchObject({ code: 'TRACKER_CLOSED' });
  });

  it('has each call once, however often it is started and stopped', async () => {
    const tracker = lab.makeTracker();
    for (let cycle = 1; cycle <= 4; cycle++) {
      await tracker.start();
      await tracker.track(async () => await chat(`cycle ${cycle}`));
      await tracker.stop();
      expect(await tracker.records()).toHaveLength(cycle);
      expect((await tracker.getUsage())['gpt-4o-2024-08-06']?.calls).toBe(cycle);
    }
  });

  it('closes everything when the function of a scope throws, and throws what it threw', async () => {
    const tracker = await lab.makeTracker().start();
    const { events, until } = listen(tracker);
    let session: TrackedSession | undefined;
    const work = async (opened: TrackedSession): Promise<void> => {
      session = opened;
      expect(Object.keys(opened.proxy.envDict())).toContain('HTTPS_PROXY');
      await chat('before the end');
      throw new RangeError('of the agent');
    };
    await expect(tracker.track(work)).rejects.toThrow(new RangeError('of the agent'));
    await until((list) => list.some(({ type }) => type === 'session.closed'));
    expect(events.map(({ type }) => type)).toEqual(['session.opened', 'call.completed', 'session.closed']);
    // Its files go when the thread that announced this has answered, too.
    await session?.close();
    expect(await isRefused(session?.proxy.port ?? 0)).toBe(true);
    const files = join(String(session?.proxy.caBundlePath), '..', '..', 'sessions');
    expect(existsSync(files) ? readdirSync(files) : []).toEqual([]);
    expect(getCurrentSessionProxy()).toBeUndefined();
  });

  it('run once gives what the function gives, and is closed when it throws', async () => {
    const options = { ...lab.options, home: join(String(lab.provider.caPath), '..', 'run-home') };
    const { value, records } = await LLMTracker.run({ ...options, configKey: 'c' }, async (tracker, session) => {
      await chat('in run');
      return { value: session.session.configKey, records: await tracker.records() };
    });
    expect([value, records.map(({ configKey }) => configKey)]).toEqual(['c', ['c']]);
    let kept: LLMTracker | undefined;
    const failing = LLMTracker.run(options, (tracker) => {
      kept = tracker;
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await expect(kept?.records()).rejects.toMatchObject({ code: 'TRACKER_CLOSED' });
  });

  it('closes at the end of a block that uses it', async () => {
    const tracker = await lab.makeTracker().start();
    await tracker[Symbol.asyncDispose]();
    await expect(tracker.records()).rejects.toMatchObject({ code: 'TRACKER_CLOSED' });
  });
});

describe('what outlives its scope', () => {
  it('as a stream is whole, and recorded as it ends', async () => {
    const tracker = await lab.makeTracker().start();
    const { until } = listen(tracker);
    const extra = { model: 'words-300', stream: true };
    const response = await tracker.track({ runId: 'late' }, async () => await startChat('a long story', extra));
    expect(await response.text()).toContain('[DONE]');
    await until((list) => list.some(({ type }) => type === 'session.closed'));
    const [record, ...more] = await tracker.records({ runId: 'late' });
    expect(more).toEqual([]);
    expect(record).toMatchObject({ outcome: 'ok', stream: true });
    expect(record?.usage.outputTokens).toBeGreaterThan(200);
  });

  it('as a fetch nobody waited for is not broken', async () => {
    const tracker = await lab.makeTracker().start();
    const answer = await tracker.track(() => ({ pending: chat('not waited for') }));
    expect(await answer.pending).toContain('chat.completion');
  });

  it('as a child still goes through, and the session is closed behind it', async () => {
    const tracker = await lab.makeTracker().start();
    const { until } = listen(tracker);
    const program = `process.stdin.once('data', () => { process.stdin.pause(); ${makeProgram('after the scope')} })`;
    const child = await tracker.track({ runId: 'orphan' }, () => ({
      child: spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] }),
    }));
    child.child.stdin.end('go');
    const [text] = (await once(child.child.stdout, 'data')) as [Buffer];
    expect(text.toString()).toContain('chat.completion');
    await until((list) => list.some(({ type }) => type === 'session.closed'));
    expect(await tracker.records({ runId: 'orphan' })).toHaveLength(1);
  });

  it('as a child that somebody took all listeners off does not keep its session open once it has ended', async () => {
    const tracker = await lab.makeTracker({ drainMs: 60_000 }).start();
    const session = await tracker.open();
    const child = session.run(() => spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: 'pipe' }));
    child.removeAllListeners();
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
    await session.close();
    await tracker.stop();
  });

  it('is cut when the tracker stops and its patience ends, and recorded so', async () => {
    const tracker = await lab.makeTracker({ drainMs: 50 }).start();
    const failed = tracker
      .track({ runId: 'cut' }, () => chat('hang', { model: 'hang' }))
      .catch((error: unknown) => error);
    const { until } = listen(tracker);
    await until(() => true);
    await new Promise<void>((resolve) => {
      const look = async (): Promise<void> => {
        const asked = await lab.provider.requests();
        if (asked.some(({ body }) => (body as { model?: string } | null)?.model === 'hang')) resolve();
        else setImmediate(() => void look());
      };
      void look();
    });
    await tracker.stop();
    expect(await failed).toMatchObject({ name: 'TypeError' });
    expect(await tracker.records({ runId: 'cut' })).toMatchObject([
      { outcome: 'client_aborted', status: 0, error: { code: 'SESSION_CLOSED' } },
    ]);
  });

  it('while the tracker stops is not opened, and leaves no session behind', async () => {
    const tracker = await lab.makeTracker().start();
    const { events } = listen(tracker);
    const early = tracker.track({ runId: 'early' }, () => 'ran').catch((error: unknown) => error);
    const stopping = tracker.stop();
    const late = tracker.track({ runId: 'late' }, () => 'ran').catch((error: unknown) => error);
    expect(await late).toMatchObject({ code: 'TRACKER_NOT_STARTED' });
    await stopping;
    expect(await early).toMatchObject({ code: 'TRACKER_NOT_STARTED' });
    const count = (type: string) => events.filter((event) => event.type === type).length;
    expect(count('session.closed')).toBe(count('session.opened'));
    await tracker.start();
    expect(await tracker.track(() => 'ran')).toBe('ran');
  });
});

describe('a program with a tracker', () => {
  const index = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;
  const run = promisify(execFile);

  it.each([
    ['that is closed', 'await tracker.close();'],
    ['that is stopped', 'await tracker.stop();'],
    ['that nobody closes', ''],
  ])('ends by itself: %s', async (_how, end) => {
    const options = JSON.stringify({ ...lab.options, home: join(String(lab.provider.caPath), '..', 'ends-home') });
    const program = `import { LLMTracker } from ${JSON.stringify(index)};
      const tracker = await new LLMTracker(${options}).start();
      await tracker.track(async () => { ${makeProgram('ends').replace('.then(console.log)', '')}; });
      const open = await tracker.open();
      ${end}
      console.log('done');`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { timeout: 15_000 });
    expect(stdout.trim()).toBe('done');
  });
});
