import type { ScopedSession } from '../../../core/scope.js';
import { type Patch, patchMethod } from '../../patch.js';
import { runInScope } from '../../scope.js';
import { runForRequest } from '../connect-seam.js';
import type { OpeningRequest } from '../marks.js';
import { WeakSetOf } from '../weak-set-of.js';
import { type Dispatcher, findHidden, findSymbol, type Leaf } from './shapes.js';

interface Twin {
  readonly session: ScopedSession;
  readonly client: Dispatcher;
}

/** On a twin, so that another copy of this package leaves it alone. */
const twinMark = Symbol.for('llmtap.undici-twin');

/** What a client was made with, by the descriptions of undici 5 to 7 (lib/core/symbols.js, read 2026-11-26). */
const settings: ReadonlySet<string | undefined> = new Set([
  'pipelining',
  'max headers size',
  'default keep alive timeout',
  'max keep alive timeout',
  'keep alive timeout threshold',
  'headers timeout',
  'body timeout',
  'strict content length',
  'maxRedirections',
  'maxRequestsPerClient',
  'max response size',
  'local address',
  'max concurrent streams',
  'http2 initial window size',
  'http2 connection window size',
  'ping interval',
  'dispatch interceptors',
  'webSocketOptions',
  'eventSourceOptions',
]);

/** By client, then by session id. */
const twinsOf = new WeakMap<object, Map<string, Twin>>();
const twinsIn = new WeakMap<ScopedSession, WeakSetOf<Dispatcher>>();
const allTwins = new WeakSetOf<Dispatcher>();
/** Tells the original of a twin that there is room again. */
const originals = new WeakMap<Dispatcher, () => void>();

export function isTwin(dispatcher: object): boolean {
  return Reflect.has(dispatcher, twinMark);
}

/**
 * The client that carries a session's calls in another's place: same origin, same settings, same connector, with
 * connections of its own, opened in the session's scope. The pool above the original goes on counting it as one.
 */
export function requireTwin(leaf: Leaf, session: ScopedSession): Dispatcher {
  const { client } = leaf;
  const twins = twinsOf.get(client) ?? new Map<string, Twin>();
  twinsOf.set(client, twins);
  const { sessionId } = session.session;
  const known = twins.get(sessionId)?.client;
  if (known !== undefined && !known.closed && !known.destroyed) {
    copySetting(client, known, 'pipelining');
    return known;
  }
  // Whoever opens scope after scope on one client comes by here.
  for (const [id, twin] of twins) {
    if (twin.session.isOpen) continue;
    if (twin.client.closed) twins.delete(id);
    else void closeQuietly(twin.client).then(() => twins.get(id) === twin && twins.delete(id));
  }
  const twin = makeTwin(leaf, session);
  twins.set(sessionId, { session, client: twin });
  const ofSession = twinsIn.get(session) ?? new WeakSetOf<Dispatcher>();
  twinsIn.set(session, ofSession);
  ofSession.add(twin);
  allTwins.add(twin);
  return twin;
}

function makeTwin({ client, connector, prototype }: Leaf, session: ScopedSession): Dispatcher {
  const connect = (options: unknown, done: unknown): unknown =>
    runInScope(session, () => runForRequest(findNextRequest(twin), () => connector(options, done)));
  const url = findHidden(client, 'url');
  const twin = new prototype.constructor(url instanceof URL ? url.origin : url, { connect });
  Object.defineProperty(twin, twinMark, { value: true });
  for (const symbol of Object.getOwnPropertySymbols(client)) {
    if (settings.has(symbol.description)) Reflect.set(twin, symbol, Reflect.get(client, symbol));
  }
  const keepAlive = findSymbol(twin, 'keep alive timeout');
  if (keepAlive !== undefined) Reflect.set(twin, keepAlive, findHidden(client, 'default keep alive timeout'));
  // NOTE: `connectionError` goes no further: at that a pool drops the client, which may be at work for others. The twin
  // is dropped instead, for after some such errors a client takes no more calls and never closes (undici 7.30, measured).
  twin.on('connectionError', () => {
    const twins = twinsOf.get(client);
    if (twins?.get(session.session.sessionId)?.client === twin) twins.delete(session.session.sessionId);
    void closeQuietly(twin);
    queueMicrotask(drain);
  });
  const drain = (): unknown => !client.closed && !client.destroyed && client.emit('drain', url, [client]);
  originals.set(twin, drain);
  twin.on('drain', drain);
  twin.on('connect', () => client.emit('connect', url, [client]));
  twin.on('disconnect', (_url, _targets, error) => client.emit('disconnect', url, [client], error));
  return twin;
}

function copySetting(from: object, to: object, description: string): void {
  const symbol = findSymbol(from, description);
  if (symbol !== undefined) Reflect.set(to, symbol, Reflect.get(from, symbol));
}

function findNextRequest(client: object): OpeningRequest | undefined {
  const queue = findHidden(client, 'queue') as readonly (Partial<OpeningRequest> | null)[] | undefined;
  const request = queue?.[Number(findHidden(client, 'pending index'))];
  const { method, path } = request ?? {};
  return typeof method === 'string' && typeof path === 'string' ? { method, path } : undefined;
}

/** A client closes and is destroyed with its twins: what waits for the one waits for all. */
export function patchClosing(prototype: object): Patch[] {
  const patch = (name: 'close' | 'destroy', end: (twin: Dispatcher, error: unknown) => Promise<unknown>): Patch[] => {
    const symbol = findSymbol(prototype, name);
    if (symbol === undefined) return [];
    return [
      patchMethod<(this: object, error?: unknown) => Promise<unknown>>(prototype, symbol, (original) => {
        return function (this: object, error) {
          const own = Reflect.apply(original, this, error === undefined ? [] : [error]);
          const twins = [...(twinsOf.get(this)?.values() ?? [])];
          if (twins.length === 0) return own;
          return Promise.all([own, ...twins.map((twin) => end(twin.client, error))]);
        };
      }),
    ];
  };
  return [...patch('close', closeQuietly), ...patch('destroy', destroyQuietly)];
}

/** Closes the twins of one session, or all: they take nothing new, and end when what they carry has ended. */
export function closeTwins(session?: ScopedSession): void {
  for (const twin of session === undefined ? allTwins : (twinsIn.get(session) ?? [])) void closeQuietly(twin);
}

async function closeQuietly(twin: Dispatcher): Promise<void> {
  if (twin.destroyed) return;
  // It refuses only when it is destroyed meanwhile, which is closed enough.
  await twin.close().catch(() => undefined);
  // A closed client says nothing of its end, and the pool waits to hear of it (undici 6 and 7, measured).
  originals.get(twin)?.();
}

async function destroyQuietly(twin: Dispatcher, error: unknown): Promise<void> {
  if (!twin.destroyed) await twin.destroy(error).catch(() => undefined);
}
