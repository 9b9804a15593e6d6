import { findCurrentSession } from '../activation/scope.js';
import { makeSessionProxy, type SessionProxy } from '../activation/session-proxy.js';

/**
 * The door of the session that calls of this moment belong to, for clients that have to be configured by hand;
 * `undefined` outside every scope.
 *
 * @example
 * const proxy = getCurrentSessionProxy();
 * if (proxy !== undefined) client.configure({ proxy: proxy.url, ca: proxy.caPem });
 */
export function getCurrentSessionProxy(): SessionProxy | undefined {
  const session = findCurrentSession();
  return session === undefined ? undefined : makeSessionProxy(session);
}
