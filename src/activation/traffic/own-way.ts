import net from 'node:net';
import tls from 'node:tls';
import type { ScopedSession } from '../../core/scope.js';

/** A connection to a provider that cannot be led through its session's door. */
export interface OwnWay {
  readonly session: ScopedSession;
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly port: number;
  /** What keeps it from that: `with a secureContext of its own`. */
  readonly how: string;
  /** What comes of it: `, and was not seen`. */
  readonly so: string;
  readonly hint: string | null;
}

/** Lets a connection go its own way, and tells of it; out of a session from which nothing may go it fails instead. */
export function goOwnWay(
  { session, scheme, host, port, how, so, hint }: OwnWay,
  connect: () => net.Socket,
): net.Socket {
  const isRefused = session.isSealed === true;
  const what = `A connection to ${host} was made ${how}`;
  const message = isRefused ? `${what}, and was refused: nothing may go out of its session.` : `${what}${so}.`;
  session.announceFault('IN_PROCESS_UNSEEN', message, hint);
  return isRefused ? makeRefused(scheme, { message: `llmtap: ${message}`, host, port }) : connect();
}

/** A socket that leads nowhere, and fails in a later turn: its caller has then begun to listen. */
function makeRefused(
  scheme: OwnWay['scheme'],
  { message, host, port }: { readonly message: string; readonly host: string; readonly port: number },
): net.Socket {
  const bare = new net.Socket();
  const socket = scheme === 'https' ? new tls.TLSSocket(bare) : bare;
  // As one that waits for a name to be resolved: what is written meanwhile is kept.
  Object.defineProperty(bare, 'connecting', { value: true, writable: true, configurable: true, enumerable: true });
  setImmediate(() => socket.destroy(makeRefusal(message, { host, port })));
  return socket;
}

/** What a connection fails with where nothing may go out. */
export function makeRefusal(message: string, to: { readonly host: string; readonly port: number }): Error {
  return Object.assign(new Error(message), { code: 'ECONNREFUSED', syscall: 'connect', host: to.host, port: to.port });
}
