import type { Shape } from './option-checks.js';
import { checkNames, checkShapes, requireObject } from './option-checks.js';

/** What may be spent at most. What is absent is not limited. */
export interface BudgetLimits {
  /** US dollars, at the prices calls are recorded with. */
  readonly maxCostUsd?: number;
  /** Calls sent to providers, each try of a call for itself. */
  readonly maxCalls?: number;
  /** Input and output tokens together. */
  readonly maxTokens?: number;
}

const whole: Shape = {
  wanted: 'a whole number of 0 or more',
  isRight: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};
const shapes = {
  maxCostUsd: {
    wanted: 'US dollars, a number of 0 or more',
    isRight: (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  },
  maxCalls: whole,
  maxTokens: whole,
} satisfies Readonly<Record<keyof BudgetLimits, Shape>>;

/** Throws `OPTION_INVALID`. */
export function checkBudget(budget: unknown): void {
  const given = requireObject(budget, 'a budget');
  checkNames(given, Object.keys(shapes), 'a budget');
  checkShapes(given, shapes);
}
