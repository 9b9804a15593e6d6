import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type RouterFault, SessionRouter } from '../call/session-router.js';
import type { CallRecord } from '../core/call-record.js';
import { TrackerError } from '../core/errors.js';
import type { HostOptions, SessionOptions } from '../core/host.js';
import type { RouteAnswer, RouteQuestion, RouterDescription } from '../core/routing.js';
import type { Session } from '../core/session.js';
import type { BuiltInRouter, RouterFactory } from '../routing/built-in.js';
import { makeFactory } from '../routing/makers.js';
import { RouterState } from './router-state.js';

const defaultDeadlineMs = 1000;
/** What a timer of Node takes. */
const maxDeadlineMs = 2 ** 31 - 1;
/** More routers, and more kinds of sessions, than anybody describes; bounds all the same. */
const maxFactories = 1000;
const maxKinds = 100_000;

type RouterOptions = Pick<HostOptions, 'router' | 'defaultRouter' | 'routerDeadlineMs'>;

interface Made {
  readonly factory: RouterFactory;
  readonly state: RouterState | null;
}

/** Which sessions are routed. One that is not costs its calls a look-up. */
export class SessionRouters {
  readonly #options: RouterOptions;
  readonly #bySession = new WeakMap<Session, SessionRouter>();
  readonly #learning = new Map<string, (record: CallRecord) => void>();
  /** By the text of their description: what they learn is all sessions' own. */
  readonly #made = new Map<string, Made>();
  /** How many sessions of each kind were opened. */
  readonly #kinds = new Map<string, number>();

  /** Throws `OPTION_INVALID`. */
  constructor(options: RouterOptions) {
    const { routerDeadlineMs: deadlineMs = defaultDeadlineMs, defaultRouter } = options;
    if (!(deadlineMs > 0 && deadlineMs <= maxDeadlineMs)) {
      throw new TrackerError('OPTION_INVALID', `A router cannot be given ${deadlineMs} ms to answer.`, {
        hint: `Give routerDeadlineMs more than 0 and at most ${maxDeadlineMs}.`,
      });
    }
    this.#options = options;
    if (defaultRouter !== undefined) makeFactory(defaultRouter, { freshSeed: randomUUID });
  }

  /** Makes the router a session is to have, if it is one of ours. Throws `OPTION_INVALID`. */
  prepare({ routed, router }: SessionOptions, onProblem: (message: string) => void): Made | null {
    if (routed === true) return null;
    const described = router === undefined ? this.#options.defaultRouter : router;
    return described === undefined || described === null ? null : this.#make(described, onProblem);
  }

  /** Has the session's calls routed: by the router prepared for it, or where it is `routed` by the host's. */
  add(session: Session, made: Made | null, parts: { readonly routed: boolean; readonly onFault: RouterFault }): void {
    const { router: ask, routerDeadlineMs: deadlineMs = defaultDeadlineMs } = this.#options;
    const { onFault } = parts;
    if (made !== null) return this.#addBuiltIn(session, made, { deadlineMs, onFault });
    if (!parts.routed || ask === undefined) return;
    this.#bySession.set(session, new SessionRouter({ ask, deadlineMs, onFault }));
  }

  find(session: Session): SessionRouter | undefined {
    return this.#bySession.get(session);
  }

  /** Tells the router of a call's session how the call went. */
  note(record: CallRecord): void {
    this.#learning.get(record.sessionId)?.(record);
  }

  /** The session is over. */
  remove({ sessionId }: Session): void {
    this.#learning.delete(sessionId);
  }

  /** Writes what was learned. */
  close(): void {
    for (const { state } of this.#made.values()) state?.close();
  }

  #addBuiltIn(
    session: Session,
    { factory, state }: Made,
    parts: { readonly deadlineMs: number; readonly onFault: RouterFault },
  ): void {
    const router: BuiltInRouter = factory.open({ mix: this.#makeMix(session) });
    const answer = (question: RouteQuestion): RouteAnswer => router.choose(question);
    const ask = (question: RouteQuestion): Promise<unknown> => Promise.resolve(answer(question));
    const readsRequest = factory.readsRequest === true;
    this.#bySession.set(session, new SessionRouter({ ask, answer, readsRequest, ...parts }));
    if (router.onOutcome === undefined) return;
    this.#learning.set(session.sessionId, (record) => {
      router.onOutcome?.(record);
      state?.touch();
    });
  }

  #make(description: RouterDescription, onProblem: (message: string) => void): Made {
    const key = JSON.stringify(description);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const factory = makeFactory(description, { freshSeed: randomUUID });
    const file = factory.state?.file ?? null;
    const state =
      factory.state === undefined || file === null ? null : new RouterState(resolve(file), factory.state, onProblem);
    const made = { factory, state };
    if (this.#made.size >= maxFactories) this.#dropOldest();
    this.#made.set(key, made);
    return made;
  }

  #dropOldest(): void {
    for (const [key, { state }] of this.#made) {
      state?.close();
      this.#made.delete(key);
      return;
    }
  }

  /**
   * What a session is by the ids a run that is made again has, too, and the how manyth of them it is: its own id and its
   * run's are new each time.
   */
  #makeMix({ configKey, variationKey, version, graphKey, dataId, comboId, agentId }: Session): string {
    const kind = JSON.stringify([configKey, variationKey, version, graphKey, dataId, comboId, agentId]);
    const before = this.#kinds.get(kind) ?? 0;
    if (this.#kinds.size >= maxKinds) this.#kinds.clear();
    this.#kinds.set(kind, before + 1);
    return `${kind} ${before}`;
  }
}
