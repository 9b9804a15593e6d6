import { measureText } from '../core/request-text.js';
import type { RouteChoice } from '../core/routing.js';
import type { MakeFactory } from './built-in.js';
import { checkOptions, choice, count } from './read-options.js';

/** `{ short, long, chars }`: requests of up to so many characters of text to `short`, longer ones to `long`. */
export const makeByLength: MakeFactory = (options) => {
  checkOptions(options, 'byLength', { short: choice, long: choice, chars: count }, ['short', 'long', 'chars']);
  const [short, long] = [options.short as RouteChoice, options.long as RouteChoice];
  const chars = options.chars as number;
  return {
    readsRequest: true,
    open: () => ({ choose: ({ request }) => (measureText(request) <= chars ? short : long) }),
  };
};
