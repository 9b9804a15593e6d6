import type { MakeFactory } from './built-in.js';
import { openRandomNumbers, pickOne } from './random-numbers.js';
import { type Candidates, candidates, checkOptions, readSeed, seed } from './read-options.js';

/**
 * `{ candidates, seed? }`: any of the candidates, all as likely. With a seed, sessions differ from each other and a run that
 * is made again gets the same.
 */
export const makeRandom: MakeFactory = (options, { freshSeed }) => {
  checkOptions(options, 'random', { candidates, seed }, ['candidates']);
  const list = options.candidates as Candidates;
  const base = readSeed(options) ?? freshSeed();
  return {
    open: ({ mix }) => {
      const random = openRandomNumbers(`${base}\n${mix}`);
      return { choose: () => pickOne(list, random) };
    },
  };
};
