import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallRecord, LLMTracker, RouteContext, RouterDescription, ScopeOptions } from '../../dist/index.js';
import { chat, openTrackerLab, startChat, type TrackerLab } from './tracker-lab.js';

let lab: TrackerLab;
let tracker: LLMTracker;
beforeAll(async () => {
  lab = await openTrackerLab();
  tracker = await lab.makeTracker({ router: { name: 'fixed', options: { model: 'of-the-tracker' } } }).start();
});
afterAll(async () => await lab.close());

async function readModels(runId: string, of = tracker): Promise<(string | null)[]> {
  return (await of.records({ runId })).map(({ routedModel }) => routedModel);
}

describe('the router of a scope', () => {
  it.each<readonly [string, ScopeOptions, string]>([
    ['is the tracker’s where it says nothing', {}, 'of-the-tracker'],
    ['is its own before that', { router: () => 'of-the-scope' }, 'of-the-scope'],
    ['is none where it says null', { router: null }, 'gpt-4o'],
    [
      'may be described, before a function of the tracker’s too',
      { router: { name: 'fixed', options: { model: 'described' } } },
      'described',
    ],
  ])('%s', async (runId, options, model) => {
    await tracker.track({ runId, ...options }, async () => await chat('Hi'));
    expect(await readModels(runId)).toEqual([model]);
  });

  it('may be an object of a class, which is told how each call went and keeps what it learns', async () => {
    class Learner {
      readonly told: CallRecord[] = [];
      route(context: RouteContext): string {
        return this.told.length === 0 ? context.requestedModel : 'words-3';
      }
      onOutcome(record: CallRecord): void {
        this.told.push(record);
      }
    }
    const router = new Learner();
    await tracker.track({ runId: 'learner', router }, async () => {
      await chat('one');
      await chat('two');
    });
    expect(await readModels('learner')).toEqual(['gpt-4o', 'words-3']);
    expect(router.told.map(({ routedModel, outcome, requestBody }) => [routedModel, outcome, requestBody])).toEqual([
      ['gpt-4o', 'ok', null],
      ['words-3', 'ok', null],
    ]);
  });

  it('whose onOutcome throws leaves the calls alone, with one fault', async () => {
    const faults: string[] = [];
    const off = tracker.onEvent((event) => {
      if (event.type === 'fault.occurred') faults.push(`${event.fault.code} ${event.fault.message}`);
    });
    const throwing = {
      route: () => 'words-3',
      onOutcome: () => {
        throw new RangeError('secret sauce');
      },
    };
    await tracker.track({ runId: 'throwing', router: throwing }, async () => {
      await chat('one');
      await chat('two');
    });
    off();
    expect(await readModels('throwing')).toEqual(['words-3', 'words-3']);
    expect(faults).toEqual([expect.stringMatching(/^ROUTER_FAILED .*RangeError.*told how a call went/)]);
    expect(faults.join()).not.toContain('secret sauce');
  });

  it('T6 that is random, with the seed 42, chooses among its candidates alone', async () => {
    const candidates = ['words-1', 'words-2'];
    const router = { name: 'random', options: { candidates, seed: 42 } };
    await tracker.track({ runId: 'random', router }, async () => {
      for (let i = 0; i < 12; i++) await chat(`call ${i}`);
    });
    expect(new Set(await readModels('random'))).toEqual(new Set(candidates));
  });

  it.each<readonly [string, unknown, RegExp]>([
    ['is a name', 'random', /router "random"/],
    [
      'has neither route nor name',
      { choose: () => 'x' },
      /\{ route \} with a function, \{ name, options \} as plain data/,
    ],
    ['has a route that is no function', { route: 'x' }, /has to be a function, \{ route \}/],
    ['is described by a name there is not', { name: 'best' }, /router "best": there is none/],
    ['lacks an option', { name: 'random' }, /router random: it has no candidates/],
    ['has an option there is not', { name: 'fixed', options: { model: 'm', speed: 1 } }, /no option "speed"/],
    [
      'is described with code, which no thread can be given',
      { name: 'fixed', options: { model: () => 'm' } },
      /as plain data/,
    ],
  ])('T9 that %s fails loudly, and names what is wrong', async (_, router, problem) => {
    const opening = tracker.track({ router: router as RouterDescription }, async () => await chat('never'));
    await expect(opening).rejects.toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    await expect(tracker.open({ router: router as RouterDescription })).rejects.toThrow(problem);
  });

  it('leaves its key in no file of the home', async () => {
    const apiKey = 'gsk-canary-4711-of-the-router';
    const home = join(lab.folder, 'keys');
    const own = await lab.makeTracker({ home }).start();
    const router = { name: 'fixed', options: { model: { model: 'm', provider: 'openai', apiKey } } };
    await own.track({ runId: 'described', router }, async () => await chat('Hi'));
    await own.track({ runId: 'function', router: () => ({ model: 'm', apiKey }) }, async () => await chat('Hi'));
    expect((await lab.provider.requests()).at(-1)?.headers.authorization).toBe(`Bearer ${apiKey}`);
    await own.close();
    for (const file of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
      const path = join(home, file);
      if (statSync(path).isFile()) expect(readFileSync(path).includes(apiKey)).toBe(false);
    }
  });
});

describe('a budget', () => {
  const code = async (text: string) => (await startChat(text, { max_tokens: 10 })).status;

  it('of a scope is that of its run, whichever scope of it asks', async () => {
    const options = { runId: 'limited', router: null, budget: { maxCalls: 2 } };
    expect(
      await tracker.track(options, async () => [await code('one'), await code('two'), await code('three')]),
    ).toEqual([200, 200, 429]);
    expect(await tracker.track(options, async () => await code('four'))).toBe(429);
    expect(await tracker.track({ ...options, runId: 'another' }, async () => await code('one'))).toBe(200);
    expect(await tracker.summary({ runId: 'limited' })).toMatchObject({ calls: 4, errors: 2, refusedCalls: 2 });
  });

  it('of a tracker is that of all its scopes', async () => {
    const own = await lab.makeTracker({ budget: { maxCalls: 2 } }).start();
    const statuses: number[] = [];
    for (const runId of ['a', 'b', 'c']) statuses.push(await own.track({ runId }, async () => await code(runId)));
    expect(statuses).toEqual([200, 200, 429]);
    const [refused] = await own.records({ runId: 'c' });
    expect(refused?.error?.message).toBe("llmtap refused this call: the tracker's budget of 2 calls is spent.");
  });

  it('lets a hundred calls at once through as far as it goes, and no further', async () => {
    const options = { runId: 'at once', router: null, budget: { maxTokens: 200 } };
    const statuses = await tracker.track(options, async () => {
      return await Promise.all(Array.from({ length: 100 }, async (_, i) => await code(`number ${i}`)));
    });
    const passed = statuses.filter((status) => status === 200).length;
    expect(passed).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 429)).toHaveLength(100 - passed);
    const usage = await tracker.summary({ runId: 'at once' });
    expect(usage.models.reduce((sum, { totalTokens }) => sum + (totalTokens.known ?? 0), 0)).toBeLessThanOrEqual(200);
  });

  it.each<readonly [string, unknown, RegExp]>([
    ['of less than nothing', { maxCalls: -1 }, /maxCalls -1/],
    ['of half a call', { maxCalls: 0.5 }, /maxCalls 0.5/],
    ['in words', { maxCostUsd: '2' }, /maxCostUsd "2"/],
    ['of what there is not', { maxEuros: 2 }, /no option "maxEuros"/],
  ])('%s is refused', async (_, budget, problem) => {
    const options = { budget } as ScopeOptions;
    await expect(tracker.open(options)).rejects.toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    await expect(tracker.open(options)).rejects.toThrow(problem);
  });
});
