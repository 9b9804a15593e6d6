import { type Account, CallBudget, Spending } from '../call/budget.js';
import type { RouterFault } from '../call/session-router.js';
import type { BudgetLimits } from '../core/budget.js';
import { refusedChange } from '../core/call-cache.js';
import type { CallRecord } from '../core/call-record.js';
import type { Session } from '../core/session.js';

/** More runs than are open at once; the oldest are forgotten, and begin anew. */
const maxRuns = 10_000;

/** Tells what a run, or a tracker, has spent before this host was opened: a run goes on, and a host may die. */
export type ReadSpent = (whose: { readonly runId: string } | 'all', count: (record: CallRecord) => void) => void;

/** Which sessions have a budget. One that has none costs its calls a look-up. */
export class SessionBudgets {
  readonly #limits: BudgetLimits | undefined;
  readonly #readSpent: ReadSpent;
  readonly #runs = new Map<string, Spending>();
  readonly #bySession = new WeakMap<Session, CallBudget>();
  /** Sessions without a budget, by their run: another of its sessions may have one. */
  readonly #others = new Map<string, string>();
  #all: Spending | null = null;

  /** @param limits of all sessions together */
  constructor(limits: BudgetLimits | undefined, readSpent: ReadSpent) {
    this.#limits = limits;
    this.#readSpent = readSpent;
  }

  add(session: Session, limits: BudgetLimits | undefined, onFault: RouterFault): void {
    const accounts: Account[] = [];
    if (limits !== undefined) accounts.push({ whose: "the run's", limits, spending: this.#requireRun(session.runId) });
    if (this.#limits !== undefined) {
      this.#all ??= this.#makeSpending('all');
      accounts.push({ whose: "the tracker's", limits: this.#limits, spending: this.#all });
    }
    if (accounts.length === 0) {
      this.#others.set(session.sessionId, session.runId);
      return;
    }
    const budget = new CallBudget(accounts, makeListener(onFault));
    this.#bySession.set(session, budget);
  }

  find(session: Session): CallBudget | undefined {
    return this.#bySession.get(session);
  }

  /** Counts calls of a run's sessions without a budget, which nobody was asked about before. */
  note(record: CallRecord): void {
    if (!isSpent(record)) return;
    const spending = this.#runs.size === 0 ? undefined : this.#runs.get(this.#others.get(record.sessionId) ?? '');
    if (spending !== undefined) openUnlimited(spending).note(record);
  }

  /** The session is over. */
  remove({ sessionId }: Session): void {
    this.#others.delete(sessionId);
  }

  #requireRun(runId: string): Spending {
    const spending = this.#runs.get(runId) ?? this.#makeSpending({ runId });
    const [oldest] = this.#runs.keys();
    if (this.#runs.size >= maxRuns && oldest !== undefined && !this.#runs.has(runId)) this.#runs.delete(oldest);
    this.#runs.set(runId, spending);
    return spending;
  }

  #makeSpending(whose: Parameters<ReadSpent>[0]): Spending {
    const spending = new Spending();
    const past = openUnlimited(spending);
    this.#readSpent(whose, (record) => {
      if (isSpent(record)) past.note(record);
    });
    return spending;
  }
}

function openUnlimited(spending: Spending): CallBudget {
  const account = { whose: '', limits: {}, spending };
  return new CallBudget([account], { onRefused: () => undefined, onUncounted: () => undefined });
}

/** Each kind is told once a session: the records have every call. */
function makeListener(onFault: RouterFault) {
  const told = new Set<string>();
  const tell = (kind: string, ...fault: Parameters<RouterFault>): void => {
    if (told.has(kind)) return;
    told.add(kind);
    onFault(...fault);
  };
  return {
    onRefused: (reason: string) => {
      const message = `A call was refused: ${reason}. Those that follow are refused, too, unless there is room; this is told once a session.`;
      tell('refused', 'BUDGET_EXCEEDED', message, 'Give more by --max-cost, --max-calls, --max-tokens, or budget.');
    },
    onUncounted: (what: 'tokens' | 'cost') => {
      const missing = what === 'tokens' ? 'states no tokens' : 'has no price';
      const hint = what === 'tokens' ? null : 'Give its model a price by --prices, or limit calls or tokens instead.';
      const message = `A call ${missing}, so the budget counts what was kept for it in its place; this is told once a session.`;
      tell(what, 'BUDGET_UNCOUNTED', message, hint);
    },
  };
}

/** Whether anything went out: kept replies and refusals of the tap's own cost nothing. */
function isSpent({ cached, error, changes }: CallRecord): boolean {
  return !cached && error?.code !== 'BUDGET_EXCEEDED' && !changes.some((change) => change.startsWith(refusedChange));
}
