import { TrackerError } from '../core/errors.js';
import { checkNames, isObject, isText, makeInvalid, requireObject } from '../core/option-checks.js';
import type { RouterDescription } from '../core/routing.js';
import type { FactoryParts, MakeFactory, RouterFactory } from './built-in.js';
import { makeByLength } from './by-length.js';
import { makeEpsilonGreedy } from './epsilon-greedy.js';
import { makeFallback } from './fallback.js';
import { makeFirstCall } from './first-call.js';
import { makeFixed } from './fixed.js';
import { makeRandom } from './random.js';
import { makeRoundRobin } from './round-robin.js';
import { makeThompson } from './thompson.js';
import { makeWeighted } from './weighted.js';

/** Every router of ours by the name it is described by. */
export const MAKERS: Readonly<Record<string, MakeFactory>> = {
  random: makeRandom,
  fixed: makeFixed,
  roundRobin: makeRoundRobin,
  weighted: makeWeighted,
  firstCall: makeFirstCall,
  byLength: makeByLength,
  fallback: makeFallback,
  epsilonGreedy: makeEpsilonGreedy,
  thompson: makeThompson,
};

/** Makes what a description describes. Throws `OPTION_INVALID`. */
export function makeFactory(description: RouterDescription, parts: FactoryParts): RouterFactory {
  const given = requireObject(description, 'a router');
  checkNames(given, ['name', 'options'], 'a router');
  const { name, options = {} } = given;
  if (!isText(name)) throw makeInvalid('the name of a router', name, `one of ${Object.keys(MAKERS).join(', ')}`);
  if (!isObject(options)) throw makeInvalid(`the options of the router ${String(name)}`, options, 'an object');
  const make = Object.hasOwn(MAKERS, String(name)) ? MAKERS[String(name)] : undefined;
  if (make !== undefined) return make(options as Readonly<Record<string, unknown>>, parts);
  throw new TrackerError('OPTION_INVALID', `Could not make the router ${JSON.stringify(name)}: there is none.`, {
    hint: `There are: ${Object.keys(MAKERS).join(', ')}. One of your own is a function, or { route, onOutcome? }.`,
  });
}
