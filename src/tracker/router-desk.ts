import type { CallRecord } from '../core/call-record.js';
import type { TrackerEvent } from '../core/events.js';
import { freezeDeeply } from '../core/freeze-deeply.js';
import type { RouteQuestion, Router } from '../core/routing.js';
import type { Session } from '../core/session.js';

interface Routed {
  readonly session: Session;
  readonly router: Router;
  readonly history: CallRecord[];
}

const mostHistory = 100;

/** Answers the host's questions with the routers of the sessions that are open. */
export class RouterDesk {
  readonly #routed = new Map<string, Routed>();

  /** Routes a session's calls from now on; the returned function ends that. */
  add(session: Session, router: Router): () => void {
    this.#routed.set(session.sessionId, { session, router, history: [] });
    return () => void this.#routed.delete(session.sessionId);
  }

  /** What the router returns, or rejects with what it throws; `null` for a session that is over. */
  async ask({ sessionId, provider, api, requestedModel, request }: RouteQuestion): Promise<unknown> {
    const routed = this.#routed.get(sessionId);
    if (routed === undefined) return null;
    const { session, router, history } = routed;
    const frozen = freezeDeeply(request);
    const context = { request: frozen, provider, api, requestedModel, session, history: Object.freeze([...history]) };
    return await router(Object.freeze(context));
  }

  /** Keeps the history that routers are told. */
  note(event: TrackerEvent): void {
    if (event.type !== 'call.completed') return;
    const history = this.#routed.get(event.record.sessionId)?.history;
    if (history === undefined) return;
    history.push(Object.freeze({ ...event.record, requestBody: null, responseBody: null }));
    if (history.length > mostHistory) history.shift();
  }
}
