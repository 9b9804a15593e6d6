import { describe, expect, it } from 'vitest';
import { type Account, CallBudget, type Claim, type Reservation, Spending } from '../../src/call/budget.js';
import type { BudgetLimits } from '../../src/core/budget.js';
import type { CallRecord } from '../../src/core/call-record.js';

const refusals: string[] = [];
const uncounted: string[] = [];

function open(limits: BudgetLimits, spending = new Spending()) {
  refusals.length = 0;
  uncounted.length = 0;
  const account: Account = { whose: "the run's", limits, spending };
  const listener = {
    onRefused: (reason: string) => void refusals.push(reason),
    onUncounted: (what: string) => void uncounted.push(what),
  };
  return { budget: new CallBudget([account], listener), spending };
}

const claim = (facts: Partial<Claim> = {}): Claim => ({
  inputTokens: 10,
  maxOutputTokens: 90,
  price: (input, output) => (input + output) / 1000,
  ...facts,
});

const ended = (facts: {
  tokens?: number | null;
  usd?: number | null;
  outcome?: string;
  cached?: boolean;
}): CallRecord =>
  ({
    outcome: facts.outcome ?? 'ok',
    cached: facts.cached ?? false,
    estimatedUsage: null,
    usage: {
      inputTokens: 1,
      outputTokens: facts.tokens == null ? null : facts.tokens - 1,
      totalTokens: facts.tokens ?? null,
    },
    cost: { usd: facts.usd === undefined ? 0.01 : facts.usd, reportedUsd: null },
  }) as unknown as CallRecord;

/** Fails where the call is refused. */
function reserve(budget: CallBudget, facts?: Partial<Claim>): Reservation {
  const reservation = budget.reserve(claim(facts));
  if ('refusal' in reservation) throw new Error(reservation.refusal);
  return reservation;
}

describe('a budget of calls', () => {
  it('refuses the one after the last, also while all are under way', () => {
    const { budget } = open({ maxCalls: 2 });
    reserve(budget);
    reserve(budget);
    expect(budget.reserve(claim())).toEqual({ refusal: "the run's budget of 2 calls is spent" });
    expect(refusals).toEqual(["the run's budget of 2 calls is spent"]);
  });

  it('of none refuses the first', () => {
    expect(open({ maxCalls: 0 }).budget.reserve(claim())).toHaveProperty('refusal');
  });

  it('gives back what a cache answered', () => {
    const { budget } = open({ maxCalls: 1 });
    reserve(budget).settle(ended({ cached: true }));
    reserve(budget);
  });
});

describe('a budget of tokens', () => {
  it('keeps for calls under way what they may take, and counts what they took', () => {
    const { budget, spending } = open({ maxTokens: 250 });
    const first = reserve(budget);
    const second = reserve(budget);
    expect(budget.reserve(claim())).toEqual({
      refusal: "the run's budget of 250 tokens has 50 left, and this call may take 100",
    });
    first.settle(ended({ tokens: 20 }));
    second.settle(ended({ tokens: 30 }));
    expect(spending).toMatchObject({ calls: 2, tokens: 50, reservedTokens: 0 });
    reserve(budget);
    reserve(budget);
    expect(budget.reserve(claim())).toHaveProperty('refusal');
  });

  it('that is spent says so, whatever the next call asks for', () => {
    const { budget } = open({ maxTokens: 100 });
    reserve(budget).settle(ended({ tokens: 120 }));
    expect(budget.reserve(claim({ inputTokens: 0, maxOutputTokens: 0 }))).toEqual({
      refusal: "the run's budget of 100 tokens is spent",
    });
  });

  it('guesses a request without a limit by the largest output there was', () => {
    const { budget, spending } = open({ maxTokens: 1000 });
    reserve(budget, { maxOutputTokens: null }).settle(ended({ tokens: 201 }));
    reserve(budget, { maxOutputTokens: null });
    expect(spending.reservedTokens).toBe(210);
  });

  it('takes a refusal of the provider, and a call that never reached it, for free', () => {
    const { budget, spending } = open({ maxTokens: 1000 });
    reserve(budget).settle(ended({ tokens: null, usd: null, outcome: 'http_error' }));
    reserve(budget).settle(ended({ tokens: null, usd: null, outcome: 'upstream_error' }));
    expect([spending.tokens, spending.calls, uncounted]).toEqual([0, 2, []]);
  });

  it('counts what was kept where nobody says what was taken, and tells', () => {
    const { budget, spending } = open({ maxTokens: 1000 });
    reserve(budget).settle(ended({ tokens: null, outcome: 'client_aborted' }));
    expect([spending.tokens, uncounted]).toEqual([100, ['tokens']]);
    reserve(budget).forfeit();
    expect(spending).toMatchObject({ tokens: 200, reservedTokens: 0 });
  });

  it('counts each call once, however often it is told of its end', () => {
    const { budget, spending } = open({ maxTokens: 1000 });
    const reservation = reserve(budget);
    reservation.settle(ended({ tokens: 20 }));
    reservation.forfeit();
    expect(spending.tokens).toBe(20);
  });
});

describe('a budget of dollars', () => {
  it('keeps the price of a call at its largest', () => {
    const { budget, spending } = open({ maxCostUsd: 0.15 });
    const first = reserve(budget);
    expect(budget.reserve(claim())).toEqual({
      refusal: "the run's budget of $0.1500 has $0.0500 left, and this call may cost $0.1000",
    });
    first.settle(ended({ tokens: 10, usd: 0.15 }));
    expect(spending.usd).toBeCloseTo(0.15);
    expect(budget.reserve(claim({ price: () => 0 }))).toEqual({ refusal: "the run's budget of $0.1500 is spent" });
  });

  it('lets calls without a price go while something is left, and tells', () => {
    const { budget } = open({ maxCostUsd: 1 });
    reserve(budget, { price: () => null }).settle(ended({ tokens: 10, usd: null }));
    expect(uncounted).toEqual(['cost']);
    reserve(budget, { price: () => null });
  });

  it('asks for no price where dollars are not limited', () => {
    const price = (): never => {
      throw new Error('asked');
    };
    reserve(open({ maxTokens: 1000 }).budget, { price });
  });
});

it('two budgets at once let through what both have room for, and a refusal takes from neither', () => {
  const [run, all] = [new Spending(), new Spending()];
  const accounts = [
    { whose: "the run's", limits: { maxCalls: 9 }, spending: run },
    { whose: "the tracker's", limits: { maxCalls: 1 }, spending: all },
  ];
  const budget = new CallBudget(accounts, { onRefused: () => undefined, onUncounted: () => undefined });
  reserve(budget);
  expect(budget.reserve(claim())).toEqual({ refusal: "the tracker's budget of 1 call is spent" });
  expect([run.calls, all.calls]).toEqual([1, 1]);
});
