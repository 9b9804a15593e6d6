import type { CallRecord, JsonValue } from '../core/call-record.js';
import type { RouteAnswer, RouteQuestion } from '../core/routing.js';

/** A router of ours for one session. Neither method throws. */
export interface BuiltInRouter {
  choose(question: RouteQuestion): RouteAnswer;
  /** How a call of the session went. */
  onOutcome?(record: CallRecord): void;
}

/** What a session gives the routers it is opened with. */
export interface RoutedSession {
  /** Tells sessions apart, and is the same when the same run is made again: mixed with the seed. */
  readonly mix: string;
}

/** What one description makes: routers of sessions, and what they have learned together. */
export interface RouterFactory {
  open(session: RoutedSession): BuiltInRouter;
  /** Whether its routers look at the request; they need not be shown it when absent. */
  readonly readsRequest?: boolean;
  /** What was learned, to be given back by `makeFactory`; absent where nothing is. */
  readonly state?: LearnedState;
}

export interface LearnedState {
  /** The file it is kept in, by the options; `null` for memory alone. */
  readonly file: string | null;
  save(): JsonValue;
  /** Takes what `save` gave; `false` when it is nothing of the kind. */
  load(saved: JsonValue): boolean;
}

/** @param options as the user gave them; throws `OPTION_INVALID` */
export type MakeFactory = (options: Readonly<Record<string, unknown>>, parts: FactoryParts) => RouterFactory;

export interface FactoryParts {
  /** A seed for who gave none: any text. */
  readonly freshSeed: () => string;
}
