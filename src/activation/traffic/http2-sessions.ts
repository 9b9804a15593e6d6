import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { ScopedSession } from '../../core/scope.js';
import type { Origin } from '../../core/wire.js';
import hook from '../node-hook.cjs';
import { type Patch, patchMethod } from '../patch.js';
import { runInScope } from '../scope.js';
import { makeMark } from './marks.js';
import { WeakSetOf } from './weak-set-of.js';

type Connect = (authority: unknown, ...rest: unknown[]) => ClientHttp2Session;
type Request = (this: ClientHttp2Session, ...args: unknown[]) => ClientHttp2Stream;

/** A session of HTTP/2 and whose calls it carries. */
interface Opened {
  readonly origin: Origin | undefined;
  readonly owner: ScopedSession | null;
  /** Opens another like it, for the scope it is called in. */
  readonly openAgain: () => ClientHttp2Session;
  /** By session id; the empty one is for calls outside. */
  readonly twins: Map<string, ClientHttp2Session>;
}

const watched = new WeakSet<ClientHttp2Session>();
const opened = new WeakMap<ClientHttp2Session, Opened>();
const twinsIn = new WeakMap<ScopedSession, WeakSetOf<ClientHttp2Session>>();
const allTwins = new WeakSetOf<ClientHttp2Session>();
/** Streams open on a twin. */
const atWork = new WeakMap<ClientHttp2Session, number>();

/**
 * Keeps sessions of HTTP/2 apart: a request made in another scope than the session was opened in travels on a twin of
 * it, opened for that scope. Sessions opened before this is installed are not known and stay as they are.
 */
export function patchHttp2(): { undo(): void } {
  const requests = new Map<object, Patch>();
  const watch = (session: ClientHttp2Session): void => {
    const prototype = Object.getPrototypeOf(session) as object;
    if (requests.has(prototype)) return;
    const patch = patchMethod<Request>(prototype, 'request', (original) => {
      return function (this: ClientHttp2Session, ...args) {
        const carrier = findCarrier(this);
        const stream = Reflect.apply(original, carrier, args);
        if (carrier !== this) holdFor(carrier, stream);
        return stream;
      };
    });
    requests.set(prototype, patch);
  };
  const connect = patchMethod<Connect>(http2, 'connect', (original) => (authority, ...rest) => {
    const origin = readOrigin(authority, rest[0]);
    const owner = makeMark(origin);
    const session = original(authority, ...rest);
    const options = typeof rest[0] === 'object' ? [rest[0]] : [];
    opened.set(session, { origin, owner, openAgain: () => original(authority, ...options), twins: new Map() });
    watch(session);
    return session;
  });
  return {
    undo: () => {
      for (const patch of [connect, ...requests.values()]) patch.undo();
    },
  };
}

/** Closes the twins of one session, or all: what they carry ends first. */
export function closeHttp2Twins(session?: ScopedSession): void {
  for (const twin of session === undefined ? allTwins : (twinsIn.get(session) ?? [])) twin.close();
}

/** The session a request made now goes by. */
function findCarrier(session: ClientHttp2Session): ClientHttp2Session {
  const facts = opened.get(session);
  // A session that is over says so itself.
  if (facts === undefined || session.closed || session.destroyed) return session;
  const mark = makeMark(facts.origin);
  const key = mark?.session.sessionId ?? '';
  if (key === (facts.owner?.session.sessionId ?? '')) return session;
  const known = facts.twins.get(key);
  if (known !== undefined && !known.closed && !known.destroyed) return known;
  const twin = runInScope(mark, facts.openAgain);
  keepTwin(twin, mark);
  facts.twins.set(key, twin);
  twin.once('close', () => facts.twins.get(key) === twin && facts.twins.delete(key));
  watchEnd(session, facts);
  return twin;
}

/** One listener, however many scopes there are. */
function watchEnd(session: ClientHttp2Session, facts: Opened): void {
  if (watched.has(session)) return;
  watched.add(session);
  session.once('close', () => {
    for (const twin of facts.twins.values()) twin.close();
  });
}

function keepTwin(twin: ClientHttp2Session, mark: ScopedSession | null): void {
  // Its streams tell the error to whoever waits for them.
  twin.on('error', () => undefined);
  allTwins.add(twin);
  if (mark === null) return;
  const ofSession = twinsIn.get(mark) ?? new WeakSetOf<ClientHttp2Session>();
  twinsIn.set(mark, ofSession);
  ofSession.add(twin);
}

/** A twin keeps the process alive for its streams only: nobody but us knows of it, so nobody else would close it. */
function holdFor(twin: ClientHttp2Session, stream: ClientHttp2Stream): void {
  const count = (atWork.get(twin) ?? 0) + 1;
  atWork.set(twin, count);
  twin.ref();
  stream.once('close', () => {
    const left = (atWork.get(twin) ?? 1) - 1;
    atWork.set(twin, left);
    if (left === 0) twin.unref();
  });
}

/** As `http2.connect` reads it: lib/internal/http2/core.js (measured, Node 20.20). */
function readOrigin(authority: unknown, options: unknown): Origin | undefined {
  const given = typeof options === 'object' && options !== null ? (options as { readonly protocol?: unknown }) : {};
  try {
    const url = typeof authority === 'string' ? new URL(authority) : (authority as Partial<URL> | null);
    const protocol = url?.protocol ?? given.protocol ?? 'https:';
    const host = hook.bare(url?.hostname || url?.host || 'localhost');
    const scheme = protocol === 'http:' ? 'http' : 'https';
    return { scheme, host, port: Number(url?.port || (scheme === 'http' ? 80 : 443)) };
  } catch {
    // Node itself says what is wrong with it.
    return undefined;
  }
}
