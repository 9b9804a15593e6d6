import { type RouterFault, SessionRouter } from '../call/session-router.js';
import { TrackerError } from '../core/errors.js';
import type { HostOptions } from '../core/host.js';
import type { Session } from '../core/session.js';

const defaultDeadlineMs = 1000;
/** What a timer of Node takes. */
const maxDeadlineMs = 2 ** 31 - 1;

/** Which sessions are routed. One that is not costs its calls a look-up. */
export class SessionRouters {
  readonly #options: Pick<HostOptions, 'router' | 'routerDeadlineMs'>;
  readonly #bySession = new WeakMap<Session, SessionRouter>();

  /** Throws `OPTION_INVALID`. */
  constructor(options: Pick<HostOptions, 'router' | 'routerDeadlineMs'>) {
    const { routerDeadlineMs: deadlineMs = defaultDeadlineMs } = options;
    if (!(deadlineMs > 0 && deadlineMs <= maxDeadlineMs)) {
      throw new TrackerError('OPTION_INVALID', `A router cannot be given ${deadlineMs} ms to answer.`, {
        hint: `Give routerDeadlineMs more than 0 and at most ${maxDeadlineMs}.`,
      });
    }
    this.#options = options;
  }

  /** Has the session's calls routed, where the host has a router. */
  add(session: Session, onFault: RouterFault): void {
    const { router, routerDeadlineMs = defaultDeadlineMs } = this.#options;
    if (router === undefined) return;
    const parts = { ask: router, deadlineMs: routerDeadlineMs, onFault };
    this.#bySession.set(session, new SessionRouter(parts));
  }

  find(session: Session): SessionRouter | undefined {
    return this.#bySession.get(session);
  }
}
