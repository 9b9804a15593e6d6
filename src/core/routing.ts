import type { CallRecord, JsonValue } from './call-record.js';
import type { Session } from './session.js';

/** What a router decides by. Frozen, at every depth. */
export interface RouteContext {
  /** The request's body as JSON. */
  readonly request: JsonValue;
  /** `openai`, `anthropic` …, or the name the user registered. */
  readonly provider: string;
  /** `chat.completions`, `messages` … */
  readonly api: string;
  readonly requestedModel: string;
  readonly session: Session;
  /** The session's calls so far, oldest first, without bodies; at most the last hundred. */
  readonly history: readonly CallRecord[];
}

/**
 * Chooses the model of a call. `null` and `undefined` leave it as asked. One that throws, answers with anything else, or
 * takes longer than its deadline leaves the call as asked too, with one fault.
 */
export type Router = (context: RouteContext) => string | null | undefined | Promise<string | null | undefined>;

/** What the host asks of the side the router lives on. */
export interface RouteQuestion {
  readonly sessionId: string;
  readonly provider: string;
  readonly api: string;
  readonly requestedModel: string;
  readonly request: JsonValue;
}

/** Answers with what the router returned, whatever that is; rejects with what it threw. */
export type AskRouter = (question: RouteQuestion) => Promise<unknown>;
