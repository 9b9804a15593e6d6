import type { Socket } from 'node:net';
import type { Call } from '../call/call.js';
import type { Session } from '../core/session.js';
import type { Origin, ProviderMatch, ProviderRegistry, RequestHead } from '../core/wire.js';
import type { Destination } from './connector.js';
import type { Door } from './door.js';
import { explainUpstreamError } from './explain-upstream-error.js';
import { formatUpstreamError, type InProcessClient } from './in-process.js';

export interface ReachPorts {
  readonly registry: ProviderRegistry;
  /** Opens a connection for the request that follows, unless one is free; rejects with what its client would meet. */
  readonly reach: (destination: Destination) => Promise<void>;
  readonly handleCall: (session: Session, head: RequestHead, match: ProviderMatch) => Call;
  /** Calls to this host could not be sent, and what they were is not known. */
  readonly onUnreached: (door: Door, message: string) => void;
}

/**
 * Reaches the provider before a client of this process is told that it has a connection, so that it meets what it would
 * have met without us. A call that could not be sent is on record all the same, where its client says what it is.
 */
export async function reachFirst(
  ports: ReachPorts,
  client: { readonly socket: Socket; readonly inProcess: InProcessClient },
  { door, destination }: { readonly door: Door; readonly destination: Destination },
): Promise<boolean> {
  try {
    await ports.reach(destination);
    return true;
  } catch (error) {
    recordUnsent(ports, { door, origin: destination.origin, request: client.inProcess.request }, error);
    client.socket.end(formatUpstreamError(error));
    return false;
  }
}

interface Unsent {
  readonly door: Door;
  readonly origin: Origin;
  readonly request: InProcessClient['request'];
}

function recordUnsent(ports: ReachPorts, { door, origin, request }: Unsent, error: unknown): void {
  const problem = explainUpstreamError(error, origin);
  if (request === null) return ports.onUnreached(door, problem.message);
  const head: RequestHead = { origin, method: request.method, path: request.path, rawHeaders: [] };
  const match = ports.registry.recognise(head);
  if (match === undefined) return;
  door.count('calls');
  const call = ports.handleCall(door.session, head, match);
  call.onRequestEnd();
  call.onInterrupted('upstream_error', problem);
}
