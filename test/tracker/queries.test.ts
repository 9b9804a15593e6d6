import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { CallRecord } from '../../dist/index.js';
import { chat, chatUrl, listen, makeChat, makeProgram, openTrackerLab, type TrackerLab } from './tracker-lab.js';

let lab: TrackerLab;
beforeAll(async () => {
  lab = await openTrackerLab();
});
afterAll(async () => await lab.close());

describe('queries', () => {
  it('filter, limit and keep bodies back until they are asked for', async () => {
    const tracker = await lab.makeTracker().start();
    for (const dataId of ['a', 'a', 'b', null]) await tracker.track({ dataId }, async () => await chat(`of ${dataId}`));
    const all = await tracker.records();
    expect(all.map(({ dataId }) => dataId)).toEqual(['a', 'a', 'b', null]);
    expect(all.every(Object.isFrozen)).toBe(true);
    expect(all[0]?.requestBody).toBeNull();
    expect(await tracker.records({ dataId: 'a' }, { limit: 1, bodies: true })).toMatchObject([
      { dataId: 'a', requestBody: { model: 'gpt-4o' } },
    ]);
    expect(await tracker.records({ dataId: null })).toHaveLength(1);
    expect(await tracker.getCachedLatency()).toBe(0);
  });

  it('add up to what the provider billed', async () => {
    const tracker = await lab.makeTracker().start();
    await tracker.track(async () => {
      await chat('one two three');
      await chat('four', { model: 'gpt-4o-mini', stream: true });
      await chat('five', { model: 'fail-429' });
    });
    const usage = await tracker.getUsage();
    const billed = (await lab.provider.requests()).slice(-3);
    for (const { bill, body } of billed) {
      const model = Object.keys(usage).find((name) => name.startsWith(`${(body as { model: string }).model}-2`));
      if (bill === null) continue;
      expect(usage[model ?? '']).toMatchObject({ inputTokens: bill.inputTokens, outputTokens: bill.outputTokens });
    }
    expect(usage['fail-429']).toMatchObject({ calls: 1, inputTokens: null, unknownCalls: 1, costUsd: null });
    expect(await tracker.summary()).toMatchObject({ calls: 3, errors: 1, groups: [{ dataId: null, calls: 3 }] });
  });

  it('are priced by a file of the user, when there is one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'llmtap-prices-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const prices = join(folder, 'prices.json');
    writeFileSync(prices, '{"models":{"openai/gpt-4o-2024-08-06":{"inputPerMillion":1000,"outputPerMillion":0}}}');
    const tracker = await lab.makeTracker({ prices }).start();
    await tracker.track(async () => await chat('one two three'));
    const [record] = await tracker.records();
    expect(record?.cost).toMatchObject({ usd: 0.003, basis: { source: 'file', provider: 'openai' } });
    expect(await tracker.getUsage()).toMatchObject({ 'gpt-4o-2024-08-06': { costUsd: 0.003, unpricedCalls: 0 } });
    expect((await tracker.summary()).models[0]?.costUsd).toEqual({ known: 0.003, unknownCalls: 0 });
    writeFileSync(prices, 'no prices');
    await expect(lab.makeTracker({ prices }).start()).rejects.toMatchObject({ code: 'PRICES_INVALID' });
  });

  it('are told as text, by data id when there are several, calls without one as well', async () => {
    const tracker = await lab.makeTracker().start();
    expect(await tracker.printSummary()).toBe('(no calls recorded)\n');
    for (const dataId of ['b', 'a', null]) await tracker.track({ dataId }, async () => await chat('x'));
    const text = (await tracker.printSummary()).replace(/[\d.]+ m?s\b/g, 'TIME').replace(/ +/g, ' ');
    expect(text.split('\n')).toEqual([
      'data b: 1 call, TIME in calls',
      ' 1 gpt-4o-2024-08-06 TIME',
      'data a: 1 call, TIME in calls',
      ' 1 gpt-4o-2024-08-06 TIME',
      'without a data id: 1 call, TIME in calls',
      ' 1 gpt-4o-2024-08-06 TIME',
      '',
      'model provider calls input output total cost',
      // 3 × 2.5 + 45 × 10 millionths
      'gpt-4o-2024-08-06 openai 3 3 45 48 $0.00046',
      '',
      '3 calls, 0 errors, TIME in calls, $0.00046',
      '',
    ]);
    expect((await tracker.printSummary({ dataId: 'b' })).split('\n')[0]).toMatch(/^1 {2}gpt-4o/);
  });

  it('are empty once the calls are cleared, and begin again', async () => {
    const tracker = await lab.makeTracker().start();
    const other = await lab.makeTracker().start();
    await tracker.track(async () => await chat('gone'));
    await other.track(async () => await chat('stays'));
    expect(await tracker.clear()).toBe(1);
    expect([await tracker.records(), { ...(await tracker.getUsage()) }]).toEqual([[], {}]);
    await tracker.track(async () => await chat('again'));
    expect([(await tracker.records()).length, (await other.records()).length]).toEqual([1, 1]);
  });
});

describe('events', () => {
  it('come in order, and a listener that throws harms nobody', async () => {
    const tracker = lab.makeTracker();
    tracker.onEvent(() => {
      throw new Error('of the listener');
    });
    // Unhandled, its rejection would end this program.
    tracker.onEvent(async () => await Promise.reject(new Error('of the asynchronous listener')));
    const { events, until } = listen(tracker);
    await tracker.start();
    await tracker.track(async () => await chat('heard'));
    await until((list) => list.some(({ type }) => type === 'session.closed'));
    expect(events.map(({ type }) => type)).toEqual(['session.opened', 'call.completed', 'session.closed']);
  });
});

describe('a NO_PROXY that hides a provider from children', () => {
  it('is told, once a session', async () => {
    const tracker = lab.makeTracker();
    const { events, until } = listen(tracker);
    await tracker.start();
    const before = process.env.NO_PROXY;
    process.env.NO_PROXY = '.openai.com';
    try {
      await tracker.track((session) => [session.proxy.envDict(), session.proxy.envDict()]);
    } finally {
      if (before === undefined) delete process.env.NO_PROXY;
      else process.env.NO_PROXY = before;
    }
    await until((list) => list.some(({ type }) => type === 'session.closed'));
    const faults = events.flatMap((event) => (event.type === 'fault.occurred' ? [event.fault] : []));
    expect(faults).toMatchObject([{ code: 'OPTION_CONFLICT', message: expect.stringContaining('.openai.com') }]);
  });
});

describe('a provider registered while scopes are open', () => {
  it('is known at once, in process and to new children', async () => {
    const tracker = await lab.makeTracker().start();
    const url = `http://localhost:${lab.provider.localPort}`;
    const ask = async () => await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: makeChat('local') });
    await tracker.track({ runId: 'local' }, async () => {
      expect((await ask()).status).toBe(200);
      expect(await tracker.records({ runId: 'local' })).toEqual([]);
      await tracker.registerProvider({ name: 'mine', baseUrl: url });
      expect((await (await ask()).text()).length).toBeGreaterThan(10);
      const program = makeProgram('child').replaceAll(chatUrl, `${url}/v1/chat/completions`);
      execFileSync(process.execPath, ['-e', program]);
    });
    expect((await tracker.records({ runId: 'local' })).map(({ provider }) => provider)).toEqual(['mine', 'mine']);
  });
});

describe('a program whose loop is blocked', () => {
  it('does not hold up its children: their calls flow and are recorded meanwhile', async () => {
    const tracker = await lab.makeTracker().start();
    const [record, blocked] = await tracker.track({ runId: 'blocked' }, async () => {
      const child = spawn(process.execPath, ['-e', makeProgram('while blocked')], { stdio: 'ignore' });
      const from = Date.now();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
      const to = Date.now();
      await once(child, 'exit');
      const [first] = (await tracker.records({ runId: 'blocked' })) as [CallRecord];
      return [first, { from, to }] as const;
    });
    const ended = Date.parse(record.startedAt) + record.latencyMs;
    expect(ended).toBeGreaterThan(blocked.from);
    expect(ended).toBeLessThan(blocked.to);
  });

  it('waits for its synchronous children, whose calls are recorded', async () => {
    const tracker = await lab.makeTracker().start();
    const require = createRequire(import.meta.url);
    const { execSync } = require('node:child_process') as typeof import('node:child_process');
    await tracker.track({ runId: 'sync' }, () => {
      const args = ['-e', makeProgram('sync')];
      expect(spawnSync(process.execPath, args).status).toBe(0);
      execFileSync(process.execPath, args);
      execSync(`"${process.execPath}" -e "$PROGRAM"`, { env: { ...process.env, PROGRAM: makeProgram('sync') } });
    });
    expect(await tracker.records({ runId: 'sync' })).toHaveLength(3);
  });
});
