import { makeDecision } from '../core/route-answer.js';
import type { MakeFactory } from './built-in.js';
import { amount, type Candidates, candidates, checkOptions } from './read-options.js';

/**
 * `{ candidates, timeoutMs? }`: the first of the candidates, and the next while a try is answered with 429 or 5xx, gets no
 * reply, or none within `timeoutMs`. See `RouteDecision.fallbacks`.
 */
export const makeFallback: MakeFactory = (options) => {
  checkOptions(options, 'fallback', { candidates, timeoutMs: amount }, ['candidates']);
  const [first, ...fallbacks] = options.candidates as Candidates;
  const timeoutMs = options.timeoutMs as number | undefined;
  const timed = timeoutMs === undefined ? {} : { timeoutMs };
  const decision = Object.freeze({ ...timed, ...makeDecision(first), fallbacks });
  return { open: () => ({ choose: () => decision }) };
};
