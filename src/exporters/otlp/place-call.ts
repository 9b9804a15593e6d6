import type { CallRecord } from '../../core/call-record.js';
import { makeCallSpanId, placeSession, readTraceparent, type SpanPlace, standUnder } from '../../core/trace-ids.js';

/** Where a call's span stands. */
export interface CallPlace extends SpanPlace {
  readonly parentSpanId: string;
  /** The span of its session, for a call that the agent put into a trace of its own; else `null`. */
  readonly session: SpanPlace | null;
}

/** Below the agent's own span where the call carries a `traceparent`, else below that of its session. */
export function placeCall(record: CallRecord, parent: SpanPlace | null): CallPlace {
  const session = standUnder(parent, placeSession(record));
  const own = readTraceparent(record.wireSession?.traceparent);
  return {
    traceId: own?.traceId ?? session.traceId,
    spanId: makeCallSpanId(record.callId),
    parentSpanId: own?.spanId ?? session.spanId,
    session: own !== null && own.traceId !== session.traceId ? session : null,
  };
}
