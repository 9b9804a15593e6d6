import type { CallRecord, JsonValue } from '../core/call-record.js';
import type { RouteChoice } from '../core/routing.js';
import type { LearnedState } from './built-in.js';
import { type Candidates, nameCandidate, type Options } from './read-options.js';

/** One candidate and how its calls went. */
export interface Arm {
  readonly choice: RouteChoice;
  successes: number;
  failures: number;
}

/** What a call must be to count as a success. */
interface Goal {
  readonly targetMs: number | undefined;
  readonly targetUsd: number | undefined;
}

/**
 * The candidates of a router that learns. A call succeeds when it ended well, within `targetMs` and for at most `targetUsd`
 * where they are given. A client that left, an answer from a cache and a call that was never sent say nothing.
 */
export class Arms {
  readonly list: readonly [Arm, ...Arm[]];
  readonly state: LearnedState;
  readonly #byName = new Map<string, Arm>();
  readonly #goal: Goal;

  constructor(candidates: Candidates, options: Options) {
    const [first, ...rest] = candidates;
    this.list = [this.#add(first), ...rest.map((choice) => this.#add(choice))];
    this.#goal = {
      targetMs: options.targetMs as number | undefined,
      targetUsd: options.targetUsd as number | undefined,
    };
    this.state = {
      file: (options.stateFile as string | undefined) ?? null,
      save: () => this.#save(),
      load: (saved) => this.#load(saved),
    };
  }

  /** A candidate named with its provider counts its own calls, one without those of any provider that are nobody else's. */
  note(record: CallRecord): void {
    const model = record.routedModel ?? '';
    const arm = this.#byName.get(`${record.provider} ${model}`) ?? this.#byName.get(model);
    if (arm === undefined || record.cached) return;
    if (record.outcome === 'client_aborted' || record.error?.code === 'BUDGET_EXCEEDED') return;
    if (this.#isSuccess(record)) arm.successes += 1;
    else arm.failures += 1;
  }

  #isSuccess({ outcome, error, latencyMs, cost }: CallRecord): boolean {
    const { targetMs, targetUsd } = this.#goal;
    if (outcome !== 'ok' || error !== null) return false;
    if (targetMs !== undefined && latencyMs > targetMs) return false;
    return targetUsd === undefined || (cost.usd !== null && cost.usd <= targetUsd);
  }

  #add(choice: RouteChoice): Arm {
    const arm = { choice, successes: 0, failures: 0 };
    this.#byName.set(nameCandidate(choice), arm);
    return arm;
  }

  #save(): JsonValue {
    const arms = [...this.#byName].map(([name, { successes, failures }]) => [name, { successes, failures }] as const);
    return { version: 1, arms: Object.fromEntries(arms) };
  }

  #load(saved: JsonValue): boolean {
    const { version, arms } = readObject(saved);
    if (version !== 1 || typeof arms !== 'object' || arms === null || Array.isArray(arms)) return false;
    for (const [name, counts] of Object.entries(arms as Readonly<Record<string, JsonValue>>)) {
      const { successes, failures } = readObject(counts);
      if (!isCount(successes) || !isCount(failures)) return false;
      // One that is no candidate any more is forgotten.
      const arm = this.#byName.get(name);
      if (arm !== undefined) Object.assign(arm, { successes, failures });
    }
    return true;
  }
}

function readObject(value: JsonValue): Readonly<Record<string, JsonValue | undefined>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return value as { readonly [key: string]: JsonValue };
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
