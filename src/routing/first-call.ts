import type { RouteChoice } from '../core/routing.js';
import type { MakeFactory } from './built-in.js';
import { checkOptions, choice, count } from './read-options.js';

/** `{ first, rest, calls? }`: the first calls of a session (one, when absent) to `first`, all others to `rest`. */
export const makeFirstCall: MakeFactory = (options) => {
  checkOptions(options, 'firstCall', { first: choice, rest: choice, calls: count }, ['first', 'rest']);
  const [first, rest] = [options.first as RouteChoice, options.rest as RouteChoice];
  const calls = (options.calls as number | undefined) ?? 1;
  return {
    open: () => {
      let asked = 0;
      return {
        choose: () => {
          asked += 1;
          return asked <= calls ? first : rest;
        },
      };
    },
  };
};
