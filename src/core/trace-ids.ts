import type { Session } from './session.js';

/** Where a span stands, as in W3C Trace Context. */
export interface SpanPlace {
  /** 32 hexadecimal digits, lower case, not all 0. */
  readonly traceId: string;
  /** 16 hexadecimal digits, lower case, not all 0. */
  readonly spanId: string;
}

/**
 * The trace of a run: its id where that is a UUID, else one made of its text, so that every session of a run, in whatever
 * process, is in one trace.
 */
export function makeTraceId(runId: string): string {
  const digits = runId.replaceAll('-', '').toLowerCase();
  if (/^[0-9a-f]{32}$/.test(digits) && !/^0+$/.test(digits)) return digits;
  return [1, 2, 3, 4].map((seed) => hash(`${seed} ${runId}`)).join('');
}

/** The trace of a session's run, and the span of the session. */
export function placeSession({ runId, sessionId }: Pick<Session, 'runId' | 'sessionId'>): SpanPlace {
  return { traceId: makeTraceId(runId), spanId: hash(`session ${sessionId}`) + hash(sessionId) };
}

/** The span of a call, by its UUID. */
export function makeCallSpanId(callId: string): string {
  return hash(`call ${callId}`) + hash(callId);
}

/**
 * Reads a `traceparent`; `null` when it is none.
 *
 * Source: https://www.w3.org/TR/trace-context/#traceparent-header (read 2026-11-27).
 */
export function readTraceparent(value: string | undefined): (SpanPlace & { readonly isSampled: boolean }) | null {
  const [, version, traceId = '', spanId = '', flags = '', rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(value?.trim() ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Writes a `traceparent` of version 00. */
export function makeTraceparent({ traceId, spanId }: SpanPlace, isSampled: boolean): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** The session's own span, in the trace its program was started in. */
export function standUnder(parent: SpanPlace | null, own: SpanPlace): SpanPlace {
  return parent === null ? own : { traceId: parent.traceId, spanId: own.spanId };
}

/** FNV-1a of 32 bits as 8 hexadecimal digits, its bits mixed once more; never all 0. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0 || 1).toString(16).padStart(8, '0');
}
