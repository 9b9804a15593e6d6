import type { Socket } from 'node:net';
import type { Call, Interruption } from '../call/call.js';
import type { ConnectStep, InProcessRequest, OnConnectStep } from '../core/in-process.js';
import type { Origin, RequestHead } from '../core/wire.js';
import type { ServedProtocol } from './alpn.js';
import type { Destination } from './connector.js';
import type { Door } from './door.js';
import { explainLeaving } from './explain-leaving.js';
import { explainUpstreamError } from './explain-upstream-error.js';
import { formatConnectStep, formatUpstreamError, type InProcessClient } from './in-process.js';
import type { CallMaker } from './relay-request.js';

export interface ReachPorts extends CallMaker {
  /** Opens a connection for the request that follows, unless one is free; rejects with what its client would meet. */
  readonly reach: (destination: Destination, protocol: ServedProtocol, onStep: OnConnectStep) => Promise<void>;
  /** Calls to this host could not be sent, and what they were is not known. */
  readonly onUnreached: (door: Door, message: string) => void;
}

/**
 * Reaches the provider before a client of this process is told that it has a connection, so that it meets what it would
 * have met without us. A call that could not be sent, or whose client left meanwhile, is on record all the same, where
 * its client says what it is. The socket has to be read from, or it does not notice. Where the answer may be at hand the
 * request is heard all the same.
 */
export async function reachFirst(
  ports: ReachPorts,
  client: { readonly socket: Socket; readonly inProcess: InProcessClient },
  { door, destination }: { readonly door: Door; readonly destination: Destination },
): Promise<boolean> {
  const { origin } = destination;
  const { request, protocol = 'http/1.1', wantsSteps } = client.inProcess;
  const onStep = (step: ConnectStep): void => {
    if (wantsSteps && client.socket.writable) client.socket.write(formatConnectStep(step));
  };
  // Begun now, so that its time is what its caller waited; one that is sent is begun again by its request.
  const call = request === null ? undefined : beginCall(ports, { door, origin, request, protocol });
  try {
    const isReached = await Promise.race([
      ports.reach(destination, protocol, onStep).then(() => true),
      waitForLeaving(client.socket),
    ]);
    if (isReached && !client.socket.destroyed) return true;
    if (call !== undefined) endUnsent(door, call, 'client_aborted', explainLeaving(door, 'the provider was reached'));
    client.socket.destroy();
  } catch (error) {
    if (door.mayAnswer && !client.socket.destroyed) return true;
    const problem = explainUpstreamError(error, origin);
    if (call !== undefined) endUnsent(door, call, 'upstream_error', problem);
    else if (request === null) ports.onUnreached(door, problem.message);
    client.socket.end(formatUpstreamError(error));
  }
  return false;
}

async function waitForLeaving(socket: Socket): Promise<false> {
  return await new Promise((resolve) => {
    const leave = (): void => resolve(false);
    socket.once('end', leave).once('close', leave);
  });
}

interface Unsent {
  readonly door: Door;
  readonly origin: Origin;
  readonly request: InProcessRequest;
  readonly protocol: ServedProtocol;
}

/** `undefined` where the request is no call. */
function beginCall(ports: ReachPorts, { door, origin, request, protocol }: Unsent): Call | undefined {
  const head: RequestHead = { origin, method: request.method, path: request.path, rawHeaders: [] };
  const match = ports.registry.recognise(head);
  return match === undefined ? undefined : ports.handleCall(door.session, head, match, protocol);
}

function endUnsent(
  door: Door,
  call: Call,
  how: Interruption,
  problem: { readonly code: string; readonly message: string },
): void {
  door.count('calls');
  call.onRequestEnd();
  call.onInterrupted(how, problem);
}
