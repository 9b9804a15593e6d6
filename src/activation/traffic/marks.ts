import type { ScopedSession } from '../../core/scope.js';
import type { Origin } from '../../core/wire.js';
import { findCurrentSession, runInScope } from '../scope.js';

/**
 * Says on connection and dispatch options whose call this is, `null` for nobody's, where the moment of connecting may
 * belong to somebody else: a queue served when another's call ends. One symbol for every copy of the package; it
 * survives copies by spread.
 */
export const sessionMark: unique symbol = Symbol.for('llmtap.session');

/** `OpeningRequest` on connection options. */
export const requestMark: unique symbol = Symbol.for('llmtap.request');

/** The request a connection is opened for. */
export interface OpeningRequest {
  readonly method: string;
  readonly path: string;
}

/** The mark an object carries; `undefined` without one. */
export function findMark(options: object): ScopedSession | null | undefined {
  return Reflect.get(options, sessionMark) as ScopedSession | null | undefined;
}

/** The mark for a call made now: the session when the destination is a provider's, else `null`. */
export function makeMark(destination: Origin | undefined): ScopedSession | null {
  if (destination === undefined) return null;
  const session = findCurrentSession();
  return session?.isProvider(destination.scheme, destination.host, destination.port) === true ? session : null;
}

/**
 * Runs what may connect to the destination so that it connects for whom the mark says, whoever's moment this is. A call
 * that would be taken for the same anyway keeps its own context.
 */
export function runAsMarked<T>(mark: ScopedSession | null, destination: Origin | undefined, work: () => T): T {
  return makeMark(destination) === mark ? work() : runInScope(mark, work);
}
