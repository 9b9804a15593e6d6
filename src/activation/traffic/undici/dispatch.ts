import type { ScopedSession } from '../../../core/scope.js';
import { type Patch, patchMethod } from '../../patch.js';
import { captureScope } from '../../scope.js';
import { findMark, makeMark, runAsMarked, sessionMark } from '../marks.js';
import { type Dispatcher, type DispatchOptions, findHidden, findLeaf, type Leaf, readDestination } from './shapes.js';
import { isTwin, patchClosing, requireTwin } from './twins.js';

type Dispatch = (this: Dispatcher, options: DispatchOptions, handler: unknown) => boolean;

const patched = new Map<object, Patch[]>();
let depth = 0;

/** Whether a dispatch of ours is on the stack: a request made meanwhile is looked after. */
export function isDispatching(): boolean {
  return depth > 0;
}

/**
 * Makes the dispatchers of one copy of undici tell sessions apart. Every dispatch is marked where it enters, for an
 * agent or a pool may hold it back and serve it when another's call ends; the client at the end hands it to its twin for
 * the session.
 *
 * @param base the copy's `DispatcherBase.prototype`
 */
export function patchDispatching(base: object): void {
  if (patched.has(base)) return;
  const dispatch = patchMethod<Dispatch>(base, 'dispatch', (original) => {
    return function (this: Dispatcher, options, handler) {
      const isPlain = typeof options !== 'object' || options === null || isTwin(this);
      depth += 1;
      try {
        if (isPlain) return Reflect.apply(original, this, [options, handler]);
        return dispatchMarked(this, original, options, handler);
      } finally {
        depth -= 1;
      }
    };
  });
  patched.set(base, [dispatch]);
}

export function unpatchDispatching(): void {
  for (const patches of patched.values()) for (const patch of patches) patch.undo();
  patched.clear();
}

function dispatchMarked(target: Dispatcher, original: Dispatch, options: DispatchOptions, handler: unknown): boolean {
  const destination = readDestination(options.origin ?? findHidden(target, 'url'));
  const found = findMark(options);
  const mark = found === undefined ? makeMark(destination) : found;
  const marked = found === undefined ? { ...options, [sessionMark]: mark } : options;
  const pass = (hearing: unknown): boolean => Reflect.apply(original, target, [marked, hearing]);
  const leaf = findLeaf(target);
  if (leaf === undefined) return pass(handler);
  const isTheirs = mark?.isOpen === true && isProvider(mark, destination);
  if (isTheirs && !leaf.isMock && !target.closed && !target.destroyed) {
    watchClosing(leaf);
    return requireTwin(leaf, mark).dispatch(marked, handler);
  }
  if (isTheirs && leaf.isMock) tellOfMock(mark);
  // A kept-alive connection tells of replies in the scope it was opened in: whoever asked now is to hear of this one.
  const heard = bindHandler(handler);
  return runAsMarked(null, destination, () => pass(heard));
}

/** A handler whose methods run in the scope of now. */
function bindHandler(handler: unknown): unknown {
  if (typeof handler !== 'object' || handler === null) return handler;
  const inScope = captureScope();
  return new Proxy(handler, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => inScope(() => Reflect.apply(value, target, args));
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

/** A redirect keeps the mark and changes the origin. */
function isProvider(session: ScopedSession, destination: ReturnType<typeof readDestination>): boolean {
  return destination !== undefined && session.isProvider(destination.scheme, destination.host, destination.port);
}

function watchClosing({ prototype }: Leaf): void {
  if (patched.has(prototype)) return;
  patched.set(prototype, patchClosing(prototype));
}

function tellOfMock(session: ScopedSession): void {
  session.announceFault(
    'IN_PROCESS_UNSEEN',
    "A call passed undici's MockAgent and was not seen.",
    'Use another dispatcher where calls are to be recorded.',
  );
}
