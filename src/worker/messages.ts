import type { MessagePort } from 'node:worker_threads';
import type { CallRecord } from '../core/call-record.js';
import { type ErrorCode, readErrorMessage, TrackerError } from '../core/errors.js';
import type { Fault, TrackerEvent } from '../core/events.js';
import type { HostOptions, RunVerdict, SessionOptions } from '../core/host.js';
import type { CallFilter, RunRow } from '../core/ledger.js';
import type { HostFacts } from '../core/link.js';
import type { RouteQuestion } from '../core/routing.js';
import type { GivenEvent } from '../core/run-events.js';
import type { Session, SessionCounts } from '../core/session.js';
import type { TrackerSummary } from '../core/tracker-summary.js';
import type { UsageSum } from '../core/usage-sum.js';
import type { ProviderRegistration } from '../core/wire.js';

/** What the host's thread is started with. */
export interface ThreadData {
  /** `home` may be absent: the thread finds it. */
  readonly host: Omit<HostOptions, 'home' | 'router' | 'warm'> & { readonly home?: string };
  readonly hasRouter: boolean;
}

/** A session as it was opened on the thread. */
export interface OpenedFacts {
  readonly session: Session;
  readonly port: number;
  readonly credentials: string | null;
}

/** What can be asked of the thread: arguments and answer. All may be asked again when the thread died over it. */
export interface Requests {
  openSession: { readonly asked: SessionOptions; readonly answer: OpenedFacts };
  countSession: { readonly asked: { readonly sessionId: string }; readonly answer: SessionCounts };
  /** Answered with what passed through it; `null` when it is none of the thread's, or no longer. */
  closeSession: {
    readonly asked: { readonly sessionId: string; readonly drain: boolean; readonly verdict: RunVerdict | null };
    readonly answer: SessionCounts | null;
  };
  registerProvider: { readonly asked: ProviderRegistration; readonly answer: null };
  /** The records come in pages before the answer. */
  records: {
    readonly asked: { readonly filter: CallFilter; readonly limit?: number; readonly bodies?: boolean };
    readonly answer: null;
  };
  /** In pairs: a model may be named `__proto__`. */
  usage: { readonly asked: CallFilter; readonly answer: readonly (readonly [model: string, sum: UsageSum])[] };
  cachedLatencyMs: { readonly asked: CallFilter; readonly answer: number };
  summary: { readonly asked: CallFilter; readonly answer: TrackerSummary };
  runs: { readonly asked: null; readonly answer: readonly RunRow[] };
  clear: { readonly asked: null; readonly answer: number };
  clearCache: { readonly asked: null; readonly answer: number };
  flushCache: { readonly asked: null; readonly answer: boolean };
  close: { readonly asked: null; readonly answer: null };
}

export type RequestName = keyof Requests;

/** An error as data: its class does not cross a thread. */
export interface CarriedFailure {
  /** `null` for what is no `TrackerError`. */
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly hint: string | null;
  /** The text of its cause. */
  readonly cause: string | null;
}

/** From the agent side to the thread. */
export type ToThread =
  | { readonly kind: 'request'; readonly id: number; readonly name: RequestName; readonly asked: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | { readonly kind: 'fault'; readonly fault: Omit<Fault, 'at'> }
  | { readonly kind: 'listener-error'; readonly message: string }
  | { readonly kind: 'events'; readonly id: number; readonly events: readonly GivenEvent[] }
  /** The program ends. The first element of `signal` is set, and notified, when the ledger has what there was. */
  | { readonly kind: 'leave'; readonly exitCode: number; readonly signal: Int32Array<SharedArrayBuffer> }
  | {
      readonly kind: 'bundle';
      readonly file: string;
      readonly port: MessagePort;
      /** Its first element is set, and notified, when the answer is in the port. */
      readonly signal: Int32Array<SharedArrayBuffer>;
    };

/** From the thread to the agent side. */
export type FromThread =
  | { readonly kind: 'hello'; readonly facts: HostFacts }
  | { readonly kind: 'refused'; readonly failure: CarriedFailure }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: CarriedFailure }
  | { readonly kind: 'page'; readonly id: number; readonly records: readonly CallRecord[] }
  | { readonly kind: 'event'; readonly event: TrackerEvent }
  /** Of a batch of events. */
  | { readonly kind: 'taken'; readonly id: number }
  | { readonly kind: 'question'; readonly id: number; readonly question: RouteQuestion };

export function carryFailure(error: unknown): CarriedFailure {
  const { code = null, hint = null } = error instanceof TrackerError ? error : {};
  const cause = error instanceof Error && error.cause !== undefined ? readErrorMessage(error.cause) : null;
  return { code, message: readErrorMessage(error), hint, cause };
}

export function makeFailure({ code, message, hint, cause }: CarriedFailure): TrackerError {
  return new TrackerError(code ?? 'INTERNAL', message, {
    ...(hint === null ? {} : { hint }),
    ...(cause === null ? {} : { cause: new Error(cause) }),
  });
}
