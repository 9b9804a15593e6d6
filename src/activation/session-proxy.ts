import type { ScopedSession } from '../core/scope.js';
import { makeDoorUrl } from './door-url.js';
import { findInheritedEnv } from './inherited-env.js';

/** How to reach a session, for programs that take no variables but settings of their own. */
export interface SessionProxy {
  /** `http://127.0.0.1:PORT`, with credentials when the session asks for them. */
  readonly url: string;
  readonly port: number;
  /** PEM of the root to trust besides the usual ones. */
  readonly caPem: string;
  /** PEM file of that root and the usual ones, for settings that replace the roots. */
  readonly caBundlePath: string;
  /** Variables that lead a child through the session, to be set over those of this process. Throws `HOME_UNUSABLE`. */
  envDict(): Record<string, string>;
}

/** The facts of this moment: the port is another one when the host had to be restarted and could not have it again. */
export function makeSessionProxy(session: ScopedSession): SessionProxy {
  const { door, caPem, bundlePath } = session;
  return Object.freeze({
    url: makeDoorUrl(door),
    port: door.port,
    caPem,
    caBundlePath: bundlePath,
    envDict: () => ({ ...session.makeChildVariables(findInheritedEnv()) }),
  });
}
