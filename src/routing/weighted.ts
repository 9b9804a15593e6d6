import { isObject } from '../core/option-checks.js';
import type { RouteChoice } from '../core/routing.js';
import type { MakeFactory } from './built-in.js';
import { openRandomNumbers, type RandomNumbers } from './random-numbers.js';
import { amount, checkOptions, choice, readSeed, seed } from './read-options.js';

interface Weighted {
  readonly choice: RouteChoice;
  readonly weight: number;
}

const weightedList = {
  wanted: 'a list of { choice, weight }, at least one, each weight a number over 0',
  isRight: (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(isWeighted),
};

/** `{ candidates: [{ choice, weight }], seed? }`: as `random`, each as often as its weight has it. */
export const makeWeighted: MakeFactory = (options, { freshSeed }) => {
  checkOptions(options, 'weighted', { candidates: weightedList, seed }, ['candidates']);
  const list = options.candidates as readonly [Weighted, ...Weighted[]];
  const total = list.reduce((sum, { weight }) => sum + weight, 0);
  const base = readSeed(options) ?? freshSeed();
  return {
    open: ({ mix }) => {
      const random = openRandomNumbers(`${base}\n${mix}`);
      return { choose: () => draw(list, total, random) };
    },
  };
};

function draw(list: readonly [Weighted, ...Weighted[]], total: number, random: RandomNumbers): RouteChoice {
  let left = random() * total;
  for (const { choice: chosen, weight } of list) {
    left -= weight;
    if (left < 0) return chosen;
  }
  // Fractions may leave a rest.
  return list[0].choice;
}

function isWeighted(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { choice: chosen, weight } = value as Readonly<Record<string, unknown>>;
  return choice.isRight(chosen) && amount.isRight(weight);
}
