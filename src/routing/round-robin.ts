import type { MakeFactory } from './built-in.js';
import { type Candidates, candidates, checkOptions } from './read-options.js';

/** `{ candidates }`: one after the other, each session from the first on. */
export const makeRoundRobin: MakeFactory = (options) => {
  checkOptions(options, 'roundRobin', { candidates }, ['candidates']);
  const list = options.candidates as Candidates;
  return {
    open: () => {
      let next = 0;
      return {
        choose: () => {
          const chosen = list[next] ?? list[0];
          next = (next + 1) % list.length;
          return chosen;
        },
      };
    },
  };
};
