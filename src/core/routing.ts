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

/** A router's answer where the name of a model does not say enough. */
export interface RouteDecision {
  readonly model: string;
  /**
   * Another provider that serves the same API, built in or registered, by its name; the one asked when absent. The call
   * then leaves without the credentials the client sent.
   */
  readonly provider?: string;
  /** What to log in with, in place of the client's own credentials. Kept in memory alone: in no file, event or log. */
  readonly apiKey?: string;
  /**
   * Where in a cloud, for a call of Anthropic's messages that goes to `aws-bedrock` (`us-east-1`) or `google-vertex`
   * (`us-east5`, `global`, `us`, `eu`). As `AWS_REGION` and `CLOUD_ML_REGION` of the host's environment have it when absent.
   */
  readonly region?: string;
  /** The project at Google Cloud, for `google-vertex`. As `ANTHROPIC_VERTEX_PROJECT_ID` has it when absent. */
  readonly project?: string;
  /**
   * What to try next, in this order, while a try ends in 429, in 5xx or without a reply, as long as nothing of a reply has
   * reached the client. Each try leaves a record of its own.
   */
  readonly fallbacks?: readonly RouteChoice[];
  /** How long a try may take until its reply begins, milliseconds, where there is something to try next. */
  readonly timeoutMs?: number;
}

/** A model by its name, or with more to say about it. */
export type RouteChoice = string | RouteDecision;

/** `null` and `undefined` leave the call as asked. */
export type RouteAnswer = RouteChoice | null | undefined;

/**
 * Chooses the model of a call. One that throws, answers with anything else, or takes longer than its deadline leaves the
 * call as asked, with one fault.
 */
export type Router = (context: RouteContext) => RouteAnswer | Promise<RouteAnswer>;

/** A router that learns how the calls it chose for went. */
export interface RouterObject {
  readonly route: Router;
  /** Told of each call of the session when it is over, without its bodies. One that throws is told once, by a fault. */
  readonly onOutcome?: (record: CallRecord) => void;
}

/** A router that comes with llmtap, as plain data: it runs beside the proxy, and nobody has to be asked. */
export interface RouterDescription {
  /** `random`, `fixed`, `roundRobin`, `weighted`, `firstCall`, `byLength`, `fallback`, `epsilonGreedy`, `thompson`. */
  readonly name: string;
  /** As the README lists them for each name. */
  readonly options?: Readonly<Record<string, unknown>>;
}

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
