import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ScopedSession } from '../../../core/scope.js';
import { findSessionIdOf } from '../connect-seam.js';
import { makeMark } from '../marks.js';
import { patchCopyOf, patchLoadedPackages } from './copies.js';
import { isDispatching } from './dispatch.js';
import { type Dispatcher, detachConnector, findHidden, findLeaf, readDestination } from './shapes.js';
import { isTwin } from './twins.js';

/** Requests of a scope that a copy we do not know yet has made. */
const unguarded = new WeakMap<object, ScopedSession>();

interface RequestMessage {
  readonly request: { readonly origin?: unknown; reset?: boolean | null };
}

interface SocketMessage {
  readonly socket: object;
}

/**
 * Copies of undici loaded later, or bundled into somebody's file, are found by what they announce: at a scope's first
 * request packages are looked for again, and with its first connection a bundled copy shows its classes. Published in
 * the call that makes the request (undici/docs/docs/api/DiagnosticsChannel.md, read 2026-11-26).
 */
export function watchCopies(): () => void {
  const channels: readonly [string, (message: unknown) => void][] = [
    ['undici:request:create', (message) => onCreate(message as RequestMessage)],
    ['undici:client:connected', (message) => onConnected(message as SocketMessage)],
    ['undici:client:sendHeaders', (message) => onSendHeaders(message as RequestMessage & SocketMessage)],
  ];
  for (const [name, listener] of channels) subscribe(name, listener);
  return () => {
    for (const [name, listener] of channels) unsubscribe(name, listener);
  };
}

function onCreate({ request }: RequestMessage): void {
  if (isDispatching()) return;
  patchLoadedPackages();
  const mark = makeMark(readDestination(request.origin));
  if (mark === null) return;
  // This one is past our patch: its connection must carry nobody else's call after it.
  request.reset = true;
  unguarded.set(request, mark);
}

function onConnected({ socket }: SocketMessage): void {
  const client = findHidden(socket, 'client') as Dispatcher | undefined;
  if (client === undefined) return;
  patchCopyOf(client);
  if (findSessionIdOf(socket) === undefined || isTwin(client)) return;
  const leaf = findLeaf(client);
  if (leaf !== undefined) detachConnector(leaf);
}

function onSendHeaders({ request, socket }: RequestMessage & SocketMessage): void {
  const session = unguarded.get(request);
  if (session === undefined) return;
  patchCopyOf(findHidden(socket, 'client'));
  if (findSessionIdOf(socket) === session.session.sessionId) return;
  const message = `A call to ${String(request.origin)} left by a connection opened before the scope and was not seen.`;
  const hint = 'Start the tracker before the first call of the program, or let the client load undici as a package.';
  session.announceFault('IN_PROCESS_UNSEEN', message, hint);
}
