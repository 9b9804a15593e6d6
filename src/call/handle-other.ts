import { isGrpc } from '../core/grpc.js';
import type { ReplyHandler } from '../core/reply.js';
import type { Session } from '../core/session.js';
import type { Dialect, ProviderMatch, RawHeaders, RequestHead } from '../core/wire.js';
import type { Answer, Call, Interruption, RewrittenRequest } from './call.js';
import { type CallCaching, openCallCaching, type SessionCaching } from './call-caching.js';
import { maxWholeRequestBytes } from './handle-call.js';
import type { CallPorts } from './ports.js';

/** Of a request that is no model call, nothing is read. */
const noDialect: Dialect = {
  api: 'other',
  readRequest: () => ({ model: null, stream: false, wireSession: null }),
  openReply: () => {
    throw new Error('a request that is no call has no reply to read');
  },
};

/** Nor of one of gRPC, which is refused by gRPC's own words. */
const noGrpcDialect: Dialect = { ...noDialect, api: 'grpc' };

/**
 * A request to a provider that is no model call, in a session that records or plays all it exchanges: model lists, token
 * counting. It leaves no record.
 */
export function handleOther(
  ports: CallPorts,
  other: { readonly session: Session; readonly head: RequestHead; readonly caching: SessionCaching },
): Call | null {
  const dialect = isGrpc(other.head) ? noGrpcDialect : noDialect;
  const match: ProviderMatch = { provider: other.head.origin.host, dialect, canAskForStreamUsage: false };
  const caching = openCallCaching(ports, { ...other, match, callId: ports.newId() }, []);
  return caching === null ? null : new OtherRequest(ports, { head: other.head, match }, caching);
}

class OtherRequest implements Call {
  readonly wholeRequestBytes: number | null;
  readonly #target: { readonly head: RequestHead; readonly match: ProviderMatch };
  readonly #ports: CallPorts;
  readonly #caching: CallCaching;
  readonly #startMs: number;
  #status = 0;
  #isOver = false;

  constructor(
    ports: CallPorts,
    target: { readonly head: RequestHead; readonly match: ProviderMatch },
    caching: CallCaching,
  ) {
    this.#target = target;
    this.#ports = ports;
    this.#caching = caching;
    this.wholeRequestBytes = caching.waitsForRequest ? maxWholeRequestBytes : null;
    this.#startMs = ports.clock.monotonicMs();
  }

  onRequestData(chunk: Buffer): void {
    this.#caching.onRequestData(chunk);
  }

  onRequestEnd(): void {
    this.#caching.onRequestEnd();
  }

  onRequestPassed(): void {}

  rewriteRequest(body: Buffer): Promise<RewrittenRequest | Answer | null> | RewrittenRequest | Answer | null {
    return this.#caching.ask({ rewritten: null, body, stream: false, model: null, target: this.#target });
  }

  refuseUnread(): Answer | null {
    return this.#caching.refuseUnread();
  }

  onRewriteRefused(): void {}

  onReplyHead(status: number, rawHeaders: RawHeaders): null {
    this.#status = status;
    this.#caching.onReplyHead(status, rawHeaders);
    return null;
  }

  onReplyData(chunk: Buffer): void {
    this.#caching.onReplyData(chunk);
  }

  onReplyPassed(): void {}

  onReplyTrailers(rawTrailers: RawHeaders): void {
    this.#caching.onReplyTrailers(rawTrailers);
  }

  onReplyEnd(): void {
    this.#end(this.#status >= 400 ? 'http_error' : 'ok', null);
  }

  onInterrupted(how: Interruption, error: { readonly code: string; readonly message: string }): void {
    this.#end(how, error);
  }

  takeOver(): ReplyHandler | null {
    return null;
  }

  #end(
    outcome: Interruption | 'ok' | 'http_error',
    error: { readonly code: string; readonly message: string } | null,
  ): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const latencyMs = this.#ports.clock.monotonicMs() - this.#startMs;
    this.#caching.end({ outcome, error, facts: null, latencyMs });
  }
}
