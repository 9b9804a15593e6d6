import { TrackerError } from '../core/errors.js';
import { makeDecision, readRouteAnswer } from '../core/route-answer.js';
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
  const reading = readRouteAnswer(decision);
  if (!reading.ok) {
    throw new TrackerError(
      'OPTION_INVALID',
      `Could not make the router fallback: it would answer with ${reading.problem}.`,
      {
        hint: 'Give it at most 17 candidates, which have no fallbacks of their own.',
      },
    );
  }
  return { open: () => ({ choose: () => decision }) };
};
