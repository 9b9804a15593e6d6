import type { RouteChoice } from '../core/routing.js';
import type { MakeFactory } from './built-in.js';
import { checkOptions, choice } from './read-options.js';

/** `{ model }`: the same model for every call. */
export const makeFixed: MakeFactory = (options) => {
  checkOptions(options, 'fixed', { model: choice }, ['model']);
  const model = options.model as RouteChoice;
  return { open: () => ({ choose: () => model }) };
};
