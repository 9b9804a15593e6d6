import type { BudgetLimits } from '../core/budget.js';
import type { CallRecord } from '../core/call-record.js';
import { formatUsd } from '../core/format-usd.js';

/** What calls took, and what those under way may take. Shared by all who spend from it. */
export class Spending {
  calls = 0;
  tokens = 0;
  usd = 0;
  reservedTokens = 0;
  reservedUsd = 0;
  /** The largest output there was: what a request that sets no limit may come to. */
  largestOutput = 0;
}

/** One limit set: whose it is, and what has been spent of it. */
export interface Account {
  /** `the run's`, `the tracker's`. */
  readonly whose: string;
  readonly limits: BudgetLimits;
  readonly spending: Spending;
}

/** What a call is expected to take. */
export interface Claim {
  readonly inputTokens: number;
  /** `null` when the request sets no limit. */
  readonly maxOutputTokens: number | null;
  /** US dollars for so many tokens; `null` when nobody knows. */
  readonly price: (inputTokens: number, outputTokens: number) => number | null;
}

/** A place kept for a call that is under way. */
export interface Reservation {
  /** The call is over: what it took counts in place of what was kept. Called once. */
  settle(record: CallRecord): void;
  /** Nothing is known of how it ended: what was kept counts. */
  forfeit(): void;
  /** It was no call after all. */
  release(): void;
}

export interface BudgetListener {
  /** A call was refused; the message is the one its client gets. */
  readonly onRefused: (message: string) => void;
  /** A call ended of which the limits cannot tell what it took: no tokens stated, or no price. */
  readonly onUncounted: (what: 'tokens' | 'cost') => void;
}

interface Kept {
  readonly account: Account;
  readonly tokens: number;
  readonly usd: number;
}

/** The budget of one session: every call asks it before it goes out. */
export class CallBudget {
  readonly #accounts: readonly Account[];
  readonly #listener: BudgetListener;

  constructor(accounts: readonly Account[], listener: BudgetListener) {
    this.#accounts = accounts;
    this.#listener = listener;
  }

  /**
   * Keeps room for a call in every account, at its largest; where one has none left, the sentence its client is told. What a
   * request without a limit of its output may take is guessed by the largest output so far.
   */
  reserve(claim: Claim): Reservation | { readonly refusal: string } {
    const kept = this.#accounts.map((account) => keep(account, claim));
    for (const one of kept) {
      const refusal = findExcess(one);
      if (refusal === null) continue;
      this.#listener.onRefused(refusal);
      return { refusal };
    }
    for (const { account, tokens, usd } of kept) {
      account.spending.calls += 1;
      account.spending.reservedTokens += tokens;
      account.spending.reservedUsd += usd;
    }
    return this.#makeReservation(kept);
  }

  /** Counts a call nothing was kept for. */
  note(record: CallRecord): void {
    const kept = this.#accounts.map((account) => ({ account, tokens: 0, usd: 0 }));
    for (const { account } of kept) account.spending.calls += 1;
    this.#makeReservation(kept).settle(record);
  }

  #makeReservation(kept: readonly Kept[]): Reservation {
    let isOver = false;
    const end = (count: (one: Kept) => void): void => {
      if (isOver) return;
      isOver = true;
      for (const one of kept) {
        one.account.spending.reservedTokens -= one.tokens;
        one.account.spending.reservedUsd -= one.usd;
        count(one);
      }
    };
    return {
      settle: (record) => end((one) => this.#count(one, record)),
      forfeit: () => end(({ account, tokens, usd }) => add(account.spending, tokens, usd)),
      release: () =>
        end(({ account }) => {
          account.spending.calls -= 1;
        }),
    };
  }

  #count({ account, tokens, usd }: Kept, record: CallRecord): void {
    const { limits, spending } = account;
    if (record.cached) {
      spending.calls -= 1;
      return;
    }
    const isUnbilled = record.outcome === 'upstream_error' || record.outcome === 'http_error';
    const tookTokens = readTokens(record) ?? (isUnbilled ? 0 : null);
    const tookUsd = record.cost.usd ?? record.cost.reportedUsd ?? (isUnbilled ? 0 : null);
    add(spending, tookTokens ?? tokens, tookUsd ?? usd);
    spending.largestOutput = Math.max(spending.largestOutput, record.usage.outputTokens ?? 0);
    if (tookTokens === null && limits.maxTokens !== undefined) this.#listener.onUncounted('tokens');
    if (tookUsd === null && limits.maxCostUsd !== undefined) this.#listener.onUncounted('cost');
  }
}

function add(spending: Spending, tokens: number, usd: number): void {
  spending.tokens += tokens;
  spending.usd += usd;
}

/** By its own word, else by our count of what had passed when it was cut. */
function readTokens({ usage, estimatedUsage }: CallRecord): number | null {
  const { inputTokens, outputTokens, totalTokens } = usage;
  if (totalTokens !== null) return totalTokens;
  if (inputTokens !== null && outputTokens !== null) return inputTokens + outputTokens;
  if (estimatedUsage === null) return null;
  return (estimatedUsage.inputTokens ?? 0) + (estimatedUsage.outputTokens ?? 0);
}

function keep(account: Account, { inputTokens, maxOutputTokens, price }: Claim): Kept {
  const { limits, spending } = account;
  const outputTokens = maxOutputTokens ?? spending.largestOutput;
  const usd = limits.maxCostUsd === undefined ? 0 : (price(inputTokens, outputTokens) ?? 0);
  return { account, tokens: inputTokens + outputTokens, usd };
}

/** Why the account has no room for it; `null` when it has. */
function findExcess({ account, tokens, usd }: Kept): string | null {
  const { whose, limits, spending } = account;
  const { maxCalls, maxTokens, maxCostUsd } = limits;
  if (maxCalls !== undefined && spending.calls >= maxCalls) {
    return `${whose} budget of ${formatCount(maxCalls, 'call')} is spent`;
  }
  const goneTokens = spending.tokens + spending.reservedTokens;
  if (maxTokens !== undefined && (goneTokens >= maxTokens || goneTokens + tokens > maxTokens)) {
    const budget = `${whose} budget of ${formatCount(maxTokens, 'token')}`;
    if (spending.tokens >= maxTokens) return `${budget} is spent`;
    return `${budget} has ${Math.max(0, Math.ceil(maxTokens - goneTokens))} left, and this call may take ${tokens}`;
  }
  const goneUsd = spending.usd + spending.reservedUsd;
  if (maxCostUsd === undefined || (goneUsd < maxCostUsd && goneUsd + usd <= maxCostUsd)) return null;
  const budget = `${whose} budget of ${formatUsd(maxCostUsd)}`;
  if (spending.usd >= maxCostUsd) return `${budget} is spent`;
  return `${budget} has ${formatUsd(Math.max(0, maxCostUsd - goneUsd))} left, and this call may cost ${formatUsd(usd)}`;
}

function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
