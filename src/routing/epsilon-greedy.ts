import { type Arm, Arms } from './arms.js';
import type { MakeFactory } from './built-in.js';
import { openRandomNumbers, pickOne, type RandomNumbers } from './random-numbers.js';
import { amount, type Candidates, candidates, checkOptions, path, readSeed, seed, share } from './read-options.js';

const usualEpsilon = 0.1;

/**
 * `{ candidates, epsilon?, seed?, targetMs?, targetUsd?, stateFile? }`: mostly the candidate that has succeeded most often by
 * the share of its calls, and in a share `epsilon` of the calls (0.1 when absent) any. Each is tried once before.
 */
export const makeEpsilonGreedy: MakeFactory = (options, { freshSeed }) => {
  const shapes = { candidates, epsilon: share, seed, targetMs: amount, targetUsd: amount, stateFile: path };
  checkOptions(options, 'epsilonGreedy', shapes, ['candidates']);
  const arms = new Arms(options.candidates as Candidates, options);
  const epsilon = (options.epsilon as number | undefined) ?? usualEpsilon;
  const base = readSeed(options) ?? freshSeed();
  return {
    state: arms.state,
    open: ({ mix }) => {
      const random = openRandomNumbers(`${base}\n${mix}`);
      return {
        choose: () => (random() < epsilon ? pickOne(arms.list, random) : findBest(arms.list, random)).choice,
        onOutcome: (record) => arms.note(record),
      };
    },
  };
};

/** One that was never tried comes first; of equals any. */
function findBest(list: readonly [Arm, ...Arm[]], random: RandomNumbers): Arm {
  let best: [Arm, ...Arm[]] = [list[0]];
  let bestRate = rate(list[0]);
  for (const arm of list.slice(1)) {
    const own = rate(arm);
    if (own > bestRate) [best, bestRate] = [[arm], own];
    else if (own === bestRate) best.push(arm);
  }
  return pickOne(best, random);
}

function rate({ successes, failures }: Arm): number {
  const calls = successes + failures;
  return calls === 0 ? Number.POSITIVE_INFINITY : successes / calls;
}
