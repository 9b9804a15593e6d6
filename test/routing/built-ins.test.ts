import { describe, expect, it } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import type { RouteAnswer, RouteQuestion, RouterDescription } from '../../src/core/routing.js';
import type { BuiltInRouter } from '../../src/routing/built-in.js';
import { MAKERS, makeFactory } from '../../src/routing/makers.js';

const question: RouteQuestion = {
  sessionId: 'sess_1',
  provider: 'openai',
  api: 'chat.completions',
  requestedModel: 'gpt-4o',
  request: { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] },
};
const candidates = ['a', 'b', 'c'];

let seeds = 0;
const make = (name: string, options: Readonly<Record<string, unknown>>) =>
  makeFactory({ name, options }, { freshSeed: () => String(++seeds) });
const open = (name: string, options: Readonly<Record<string, unknown>>, mix = 'one'): BuiltInRouter =>
  make(name, options).open({ mix });
const choose = (router: BuiltInRouter, times: number): RouteAnswer[] =>
  Array.from({ length: times }, () => router.choose(question));
const count = (answers: readonly RouteAnswer[], wanted: string): number =>
  answers.filter((answer) => answer === wanted).length;

describe('random', () => {
  it('T6 chooses among its candidates alone, with the seed 42, and every one of them', () => {
    expect(new Set(choose(open('random', { candidates, seed: 42 }), 200))).toEqual(new Set(candidates));
  });

  it('chooses the same again for the same seed and session, another way for another of either', () => {
    const of = (seed: number, mix: string) => choose(open('random', { candidates, seed }, mix), 50);
    expect(of(42, 'one')).toEqual(of(42, 'one'));
    expect(of(42, 'one')).not.toEqual(of(42, 'two'));
    expect(of(42, 'one')).not.toEqual(of(43, 'one'));
  });

  it('chooses another way each time without a seed', () => {
    const of = () => choose(open('random', { candidates }), 50);
    expect(of()).not.toEqual(of());
  });

  it('chooses each candidate about as often', () => {
    const answers = choose(open('random', { candidates, seed: 1 }), 30_000);
    for (const name of candidates) expect(Math.abs(count(answers, name) - 10_000)).toBeLessThan(500);
  });
});

it('fixed chooses the same model always', () => {
  expect(choose(open('fixed', { model: 'small' }), 3)).toEqual(['small', 'small', 'small']);
});

it('roundRobin chooses one after the other, each session from the first on', () => {
  const factory = make('roundRobin', { candidates });
  expect(choose(factory.open({ mix: 'one' }), 5)).toEqual(['a', 'b', 'c', 'a', 'b']);
  expect(choose(factory.open({ mix: 'two' }), 1)).toEqual(['a']);
});

it('weighted chooses each as often as its weight has it', () => {
  const weighted = [
    { choice: 'a', weight: 3 },
    { choice: 'b', weight: 1 },
  ];
  const answers = choose(open('weighted', { candidates: weighted, seed: 7 }), 20_000);
  expect(count(answers, 'a') + count(answers, 'b')).toBe(20_000);
  expect(Math.abs(count(answers, 'a') - 15_000)).toBeLessThan(400);
});

it('firstCall sends the first calls of a session to one model, all others to another', () => {
  expect(choose(open('firstCall', { first: 'big', rest: 'small' }), 3)).toEqual(['big', 'small', 'small']);
  expect(choose(open('firstCall', { first: 'big', rest: 'small', calls: 2 }), 3)).toEqual(['big', 'big', 'small']);
});

it('byLength goes by the text of a request, media left out', () => {
  const router = open('byLength', { short: 'small', long: 'big', chars: 100 });
  const ask = (content: unknown) => router.choose({ ...question, request: { messages: [{ content }] } as never });
  expect(ask('x'.repeat(80))).toBe('small');
  expect(ask('word '.repeat(80))).toBe('big');
  expect(ask([{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(5000)}` } }])).toBe('small');
  expect(ask([{ type: 'image', source: { data: 'iVBORw0KGgo'.repeat(500) } }])).toBe('small');
});

it('fallback chooses the first, and says what to try after it and when', () => {
  expect(open('fallback', { candidates, timeoutMs: 50 }).choose(question)).toEqual({
    model: 'a',
    timeoutMs: 50,
    fallbacks: ['b', 'c'],
  });
});

it('fallback is not made of what no call could be tried with', () => {
  const many = Array.from({ length: 18 }, (_, i) => `m${i}`);
  expect(() => make('fallback', { candidates: many })).toThrow(
    /it would answer with 17 fallbacks, where 16 are the most/,
  );
  const nested = ['a', { model: 'b', fallbacks: ['c'] }];
  expect(() => make('fallback', { candidates: nested })).toThrow(/fallbacks of its own/);
});

const ended = (routedModel: string, facts: Partial<CallRecord> = {}): CallRecord =>
  ({
    routedModel,
    provider: 'openai',
    outcome: 'ok',
    error: null,
    cached: false,
    latencyMs: 10,
    cost: { usd: 0.01 },
    ...facts,
  }) as CallRecord;

describe.each(['epsilonGreedy', 'thompson'])('%s', (name) => {
  /** Plays so many calls against models that succeed as often as this says. */
  function play(router: BuiltInRouter, rates: Readonly<Record<string, number>>, calls: number): string[] {
    const done: Record<string, number> = {};
    return Array.from({ length: calls }, () => {
      const model = router.choose(question) as string;
      const nth = (done[model] ?? 0) + 1;
      done[model] = nth;
      // As even as its rate allows, and without chance.
      const rate = rates[model] ?? 0;
      const succeeds = Math.floor(nth * rate) > Math.floor((nth - 1) * rate);
      router.onOutcome?.(ended(model, succeeds ? {} : { outcome: 'http_error', error: { code: '500', message: '' } }));
      return model;
    });
  }

  it('learns which candidate succeeds most often', () => {
    const models = play(open(name, { candidates, seed: 42 }), { a: 0.3, b: 0.9, c: 0.5 }, 2000);
    expect(count(models.slice(1000), 'b')).toBeGreaterThan(850);
    expect(new Set(models)).toEqual(new Set(candidates));
  });

  it('plays the same again for the same seed', () => {
    const of = () => play(open(name, { candidates, seed: 42 }), { a: 0.3, b: 0.9 }, 200);
    expect(of()).toEqual(of());
  });

  it('shares what it learns among the sessions of one description', () => {
    const factory = make(name, { candidates, seed: 42 });
    play(factory.open({ mix: 'one' }), { a: 0, b: 1, c: 0 }, 500);
    expect(count(choose(factory.open({ mix: 'two' }), 100), 'b')).toBeGreaterThan(80);
  });

  it('takes up where the state it saved left off', () => {
    const first = make(name, { candidates, seed: 42 });
    play(first.open({ mix: 'one' }), { a: 0, b: 0, c: 1 }, 500);
    const saved = JSON.parse(JSON.stringify(first.state?.save()));
    const second = make(name, { candidates, seed: 1 });
    expect(second.state?.load(saved)).toBe(true);
    expect(second.state?.save()).toEqual(saved);
    expect(count(choose(second.open({ mix: 'x' }), 100), 'c')).toBeGreaterThan(80);
  });

  it.each([null, 7, [], {}, { version: 2, arms: {} }, { version: 1, arms: { a: { successes: -1, failures: 0 } } }])(
    'takes no state of another kind: %j',
    (saved) => {
      expect(make(name, { candidates }).state?.load(saved)).toBe(false);
    },
  );

  it('calls a call too slow or too dear for its targets a failure, and one without a price too', () => {
    const factory = make(name, { candidates, seed: 1, targetMs: 100, targetUsd: 0.05 });
    const router = factory.open({ mix: 'one' });
    router.onOutcome?.(ended('a'));
    router.onOutcome?.(ended('a', { latencyMs: 101 }));
    router.onOutcome?.(ended('a', { cost: { ...ended('a').cost, usd: 0.06 } }));
    router.onOutcome?.(ended('a', { cost: { ...ended('a').cost, usd: null } }));
    expect(factory.state?.save()).toMatchObject({ arms: { a: { successes: 1, failures: 3 } } });
  });

  it('learns nothing of clients that left, of a cache, of refused calls and of other models', () => {
    const factory = make(name, { candidates, seed: 1 });
    const router = factory.open({ mix: 'one' });
    router.onOutcome?.(ended('a', { outcome: 'client_aborted' }));
    router.onOutcome?.(ended('a', { cached: true }));
    router.onOutcome?.(ended('a', { error: { code: 'BUDGET_EXCEEDED', message: '' } }));
    router.onOutcome?.(ended('elsewhere'));
    expect(factory.state?.save()).toMatchObject({ arms: { a: { successes: 0, failures: 0 } } });
  });
});

describe('a description', () => {
  const refused = (description: unknown, message: RegExp): void => {
    expect(() => makeFactory(description as RouterDescription, { freshSeed: () => '' })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) as string }),
    );
  };

  it('of every router says what it lacks', () => {
    for (const name of Object.keys(MAKERS)) refused({ name }, new RegExp(`the router ${name}: it has no`));
  });

  it.each<readonly [unknown, RegExp]>([
    ['random', /"random" is no object/],
    [{ name: 'cheapest' }, /router "cheapest": there is none/],
    [{ name: 'toString' }, /there is none/],
    [{ name: 7 }, /name of a router 7/],
    [{ name: 'random', options: [] }, /options of the router random a list/],
    [{ name: 'random', candidates: ['a'] }, /no option "candidates"/],
    [{ name: 'random', options: { candidates: [] } }, /candidates a list/],
    [{ name: 'random', options: { candidates: ['a', ''] } }, /candidates a list/],
    [{ name: 'random', options: { candidates: ['a'], sed: 1 } }, /no option "sed"/],
    [{ name: 'random', options: { candidates: ['a'], seed: {} } }, /seed a value/],
    [{ name: 'weighted', options: { candidates: [{ choice: 'a', weight: 0 }] } }, /candidates a list/],
    [{ name: 'epsilonGreedy', options: { candidates: ['a'], epsilon: 2 } }, /epsilon 2/],
  ])('that is none is refused: %j', refused);

  it('never has a key of its candidates in what is said of it', () => {
    const options = { candidates: [{ model: 'a', apiKey: 'sk-canary-1234567890' }, 7] };
    try {
      make('random', options);
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify([String(error), error])).not.toContain('canary');
    }
  });
});
