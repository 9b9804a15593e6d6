import { makeTraceparent, placeSession, readTraceparent, standUnder } from '../core/trace-ids.js';
import type { Env } from './child-env.js';

/** Which run a child belongs to. */
export interface RunPlace {
  readonly sessionId: string;
  readonly runId: string;
  /** The resumption token of the run; `null` when its session is for no config and no graph. */
  readonly token: string | null;
  /** `TRACEPARENT` of the tap's own environment. */
  readonly traceparent: string | undefined;
}

/**
 * The variables by which a child can add to its run: `llmtap feedback "$LLMTAP_RESUMPTION_TOKEN" positive`, spans of its own
 * below the session's. A token of another run is taken back by an empty one. `TRACEPARENT` is the session's span, in the
 * trace the tap was started in if there is one; a child that is given another one keeps it, for that is nearer to it.
 *
 * Source of `TRACEPARENT` as a variable: https://opentelemetry.io/docs/specs/otel/context/env-carriers/ (read 2026-11-27).
 */
export function makeRunVariables({ sessionId, runId, token, traceparent }: RunPlace, parentEnv: Env) {
  const own = readTraceparent(parentEnv.TRACEPARENT);
  const isNearer = own !== null && parentEnv.TRACEPARENT !== traceparent;
  const parent = readTraceparent(traceparent);
  const place = standUnder(parent, placeSession({ runId, sessionId }));
  const hasOther = token === null && (parentEnv.LLMTAP_RESUMPTION_TOKEN ?? '') !== '';
  return {
    LLMTAP_RUN_ID: runId,
    LLMTAP_SESSION_ID: sessionId,
    ...(token === null ? {} : { LLMTAP_RESUMPTION_TOKEN: token }),
    ...(hasOther && { LLMTAP_RESUMPTION_TOKEN: '' }),
    ...(isNearer ? {} : { TRACEPARENT: makeTraceparent(place, parent?.isSampled ?? true) }),
  };
}
