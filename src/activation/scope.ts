import { AsyncLocalStorage } from 'node:async_hooks';
import type { ScopedSession } from '../core/scope.js';

/**
 * Who is calling, carried through promises, timers and bound emitters. One for the whole process, so that copies of the
 * package see each other's scopes; the number changes with the shape of what is stored.
 */
interface ScopeState {
  readonly storage: AsyncLocalStorage<ScopedSession | null>;
  /** Sessions that stand for the whole process outside every scope, the newest last. */
  readonly ambient: ScopedSession[];
}

const stateKey = Symbol.for('llmtap.scope.1');

function findState(): ScopeState | undefined {
  return (globalThis as { [stateKey]?: ScopeState })[stateKey];
}

function requireState(): ScopeState {
  let state = findState();
  if (state === undefined) {
    state = { storage: new AsyncLocalStorage(), ambient: [] };
    Object.defineProperty(globalThis, stateKey, { value: state, configurable: true });
  }
  return state;
}

/** The session that traffic and children of this moment belong to; `undefined` outside a scope and when it is over. */
export function findCurrentSession(): ScopedSession | undefined {
  const state = findState();
  if (state === undefined) return undefined;
  const { storage, ambient } = state;
  const inner = storage.getStore();
  if (inner === null) return undefined;
  if (inner !== undefined) return inner.isOpen ? inner : undefined;
  return ambient.findLast((session) => session.isOpen);
}

/** Runs a function in a session's scope; with `null` outside every scope. */
export function runInScope<T>(session: ScopedSession | null, work: () => T): T {
  return requireState().storage.run(session, work);
}

/** Runs what comes later in the scope of now, also in none. */
export function captureScope(): <T>(work: () => T) => T {
  const state = findState();
  if (state === undefined) return (work) => work();
  const { storage } = state;
  const store = storage.getStore();
  return (work) => storage.run(store as ScopedSession | null, work);
}

/**
 * Leaves no trace in the process; for when the last session is over.
 *
 * NOTE: Node keeps a storage that was ever run in until it is disabled, and asks every one of them at every promise.
 */
export function forgetScopes(): void {
  findState()?.storage.disable();
  Reflect.deleteProperty(globalThis, stateKey);
}

/** Makes a session stand for the whole process outside every scope; the returned function undoes it, in any order. */
export function makeAmbient(session: ScopedSession): () => void {
  const { ambient } = requireState();
  ambient.push(session);
  return () => {
    const at = ambient.lastIndexOf(session);
    if (at >= 0) ambient.splice(at, 1);
  };
}
