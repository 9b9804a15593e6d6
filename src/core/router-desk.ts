import type { CallRecord } from './call-record.js';
import type { ErrorCode } from './errors.js';
import type { TrackerEvent } from './events.js';
import { freezeDeeply } from './freeze-deeply.js';
import type { RouteQuestion, Router, RouterObject } from './routing.js';
import type { Session } from './session.js';

interface Routed {
  readonly session: Session;
  readonly router: RouterObject;
  readonly history: CallRecord[];
  hasFailed: boolean;
}

type OnFault = (sessionId: string, code: ErrorCode, message: string, hint: string | null) => void;

const mostHistory = 100;

/** Answers the host's questions with the user's routers of the sessions that are open, and tells them how it went. */
export class RouterDesk {
  readonly #routed = new Map<string, Routed>();
  readonly #onFault: OnFault;

  constructor(onFault: OnFault) {
    this.#onFault = onFault;
  }

  /** Routes a session's calls from now on; the returned function ends that. */
  add(session: Session, router: Router | RouterObject): () => void {
    const asked = typeof router === 'function' ? { route: router } : router;
    this.#routed.set(session.sessionId, { session, router: asked, history: [], hasFailed: false });
    return () => void this.#routed.delete(session.sessionId);
  }

  /** What the router returns, or rejects with what it throws; `null` for a session that is over. */
  async ask({ sessionId, provider, api, requestedModel, request }: RouteQuestion): Promise<unknown> {
    const routed = this.#routed.get(sessionId);
    if (routed === undefined) return null;
    const { session, router, history } = routed;
    const frozen = freezeDeeply(request);
    const context = { request: frozen, provider, api, requestedModel, session, history: Object.freeze([...history]) };
    return await router.route(Object.freeze(context));
  }

  /** Keeps the history that routers are told, and tells those that ask for it how a call went. */
  note(event: TrackerEvent): void {
    if (event.type !== 'call.completed') return;
    const routed = this.#routed.get(event.record.sessionId);
    if (routed === undefined) return;
    const record = Object.freeze({ ...event.record, requestBody: null, responseBody: null });
    routed.history.push(record);
    if (routed.history.length > mostHistory) routed.history.shift();
    this.#tell(routed, record);
  }

  #tell(routed: Routed, record: CallRecord): void {
    const fail = (error: unknown): void => {
      if (routed.hasFailed) return;
      routed.hasFailed = true;
      // Its message may quote whatever the user's code knows.
      const what = error instanceof Error ? error.name : 'something';
      const message = `The router threw ${what} when it was told how a call went; this is told once a session.`;
      this.#onFault(routed.session.sessionId, 'ROUTER_FAILED', message, 'Let its onOutcome not throw.');
    };
    try {
      const result: unknown = routed.router.onOutcome?.(record);
      // One that is asynchronous fails later, and nobody else would hear of it but the process.
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  }
}
