import { resolve } from 'node:path';
import type { BudgetLimits } from '../core/budget.js';
import type { SessionOptions } from '../core/host.js';
import type { RouterDescription } from '../core/routing.js';
import { makeInvalid } from './read-flags.js';

/** The flags of routers and budgets, as commander parses them. */
export interface RoutingFlags {
  readonly router?: string | undefined;
  readonly maxCost?: number | undefined;
  readonly maxCalls?: number | undefined;
  readonly maxTokens?: number | undefined;
}

export interface RoutingPlan {
  readonly session: Pick<SessionOptions, 'router' | 'budget'>;
  /** Absolute; the module of a router of the user's. */
  readonly routerModule?: string;
}

/** Throws `OPTION_INVALID`. */
export async function readRoutingFlags({ router, ...limits }: RoutingFlags): Promise<RoutingPlan> {
  const budget = readBudget(limits);
  const session = budget === undefined ? {} : { budget };
  if (router === undefined) return { session };
  const { readRouterFlag } = await import('../routing/read-router-flag.js');
  const flag = readRouterFlag(router);
  if (flag.kind === 'module') return { session, routerModule: resolve(flag.path) };
  return { session: { ...session, router: flag.kind === 'none' ? null : resolveState(flag.description) } };
}

/** US dollars: `2.50`. Throws `OPTION_INVALID`. */
export function readMaxCost(value: string): number {
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(value)) return Number(value);
  throw makeInvalid('--max-cost', value, 'is no amount of US dollars', 'Write it as in --max-cost 2.50.');
}

function readBudget({ maxCost, maxCalls, maxTokens }: Omit<RoutingFlags, 'router'>): BudgetLimits | undefined {
  if (maxCost === undefined && maxCalls === undefined && maxTokens === undefined) return undefined;
  return {
    ...(maxCost !== undefined && { maxCostUsd: maxCost }),
    ...(maxCalls !== undefined && { maxCalls }),
    ...(maxTokens !== undefined && { maxTokens }),
  };
}

/** Whoever opens the tap may stand in another folder than who wrote the flag. */
function resolveState(description: RouterDescription): RouterDescription {
  const { options } = description;
  const file = options?.stateFile;
  return typeof file === 'string' ? { ...description, options: { ...options, stateFile: resolve(file) } } : description;
}
