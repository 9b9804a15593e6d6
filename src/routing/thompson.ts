import { Arms } from './arms.js';
import type { MakeFactory } from './built-in.js';
import { drawBeta, openRandomNumbers } from './random-numbers.js';
import { amount, type Candidates, candidates, checkOptions, path, readSeed, seed } from './read-options.js';

/**
 * `{ candidates, seed?, targetMs?, targetUsd?, stateFile? }`: Thompson sampling. Each candidate draws a rate of success from
 * what is known of it (a beta distribution over its successes and failures, from the uniform one on), and the highest has
 * the call: all are tried while little is known, the best ever more often.
 */
export const makeThompson: MakeFactory = (options, { freshSeed }) => {
  const shapes = { candidates, seed, targetMs: amount, targetUsd: amount, stateFile: path };
  checkOptions(options, 'thompson', shapes, ['candidates']);
  const arms = new Arms(options.candidates as Candidates, options);
  const base = readSeed(options) ?? freshSeed();
  return {
    state: arms.state,
    open: ({ mix }) => {
      const random = openRandomNumbers(`${base}\n${mix}`);
      return {
        choose: () => {
          let [best] = arms.list;
          let bestDraw = -1;
          for (const arm of arms.list) {
            const drawn = drawBeta(arm.successes + 1, arm.failures + 1, random);
            if (drawn > bestDraw) [best, bestDraw] = [arm, drawn];
          }
          return best.choice;
        },
        onOutcome: (record) => arms.note(record),
      };
    },
  };
};
