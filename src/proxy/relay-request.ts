import type { Call } from '../call/call.js';
import type { Protocol } from '../core/call-record.js';
import type { Session } from '../core/session.js';
import type { ProviderMatch, ProviderRegistry, RequestHead } from '../core/wire.js';
import type { ClientSide } from './client-side.js';
import type { Door } from './door.js';
import { relayExchange } from './exchange.js';
import { makeRequestHead, type RequestTarget } from './request-target.js';
import { refuseSealed } from './sealed.js';
import type { Upstream } from './upstream.js';

export interface CallMaker {
  readonly registry: ProviderRegistry;
  readonly handleCall: (session: Session, head: RequestHead, match: ProviderMatch, protocol: Protocol) => Call;
  /** A provider's request that is no model call, or not known to be one; `null` where nobody has to do with it. */
  readonly handleOther?: (session: Session, head: RequestHead, protocol: Protocol) => Call | null;
}

/** One request of a client's, and where it is to go. */
export interface AskedRequest {
  readonly client: ClientSide;
  readonly target: RequestTarget;
  readonly door: Door;
  readonly upstream: Pick<Upstream, 'send'>;
}

/** Relays a request, as a call where it is one. */
export function relayRequest({ registry, handleCall, handleOther }: CallMaker, asked: AskedRequest): void {
  const { client, target, door, upstream } = asked;
  const head = makeRequestHead(client, target);
  const match = registry.recognise(head);
  const call =
    match === undefined
      ? (handleOther?.(door.session, head, client.protocol) ?? null)
      : handleCall(door.session, head, match, client.protocol);
  if (call === null && door.isSealed) return refuseSealed(client, door, target.destination.origin);
  door.count(match === undefined ? 'passedRequests' : 'calls');
  const { destination, path } = target;
  relayExchange({ client, upstream, call, door, destination, path });
}
