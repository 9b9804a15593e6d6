// Longer than 250 lines: the life of one call, whose every step shares its state.
import type { CallRecord, Outcome, Protocol } from '../core/call-record.js';
import { readErrorMessage } from '../core/errors.js';
import type { ReplyHandler } from '../core/reply.js';
import { pickSessionIds, type Session, type SessionIds } from '../core/session.js';
import type { EstimatedUsage } from '../core/timing.js';
import type { ProviderMatch, RawHeaders, ReplyFacts, RequestHead } from '../core/wire.js';
import type { Answer, Call, Interruption, ReplyRewrite, RewrittenRequest } from './call.js';
import { type CallCaching, openCallCaching, type SessionCaching } from './call-caching.js';
import { type CallRouting, openCallRouting, type RoutedRequest } from './call-routing.js';
import { findHeader } from './headers.js';
import { makeRecord } from './make-record.js';
import type { CallPorts } from './ports.js';
import { makeHashes, makeReceipt } from './receipt.js';
import { ReplyReading } from './reply-reading.js';
import { canRewrite, openReplyRewrite, type UsageRewrite } from './reply-rewrite.js';
import { RequestReading } from './request-reading.js';
import type { SessionRouter } from './session-router.js';
import { estimateUsage, isCut, needsEstimate } from './usage-estimate.js';

/** A request is read whole up to this size, where its stream can be asked for usage or a router for its model. */
export const maxWholeRequestBytes = 16 * 1024 * 1024;

/** More origins than anybody registers; a bound all the same. */
const maxRefusedOrigins = 1000;

export interface CallOptions {
  readonly session: Session;
  readonly head: RequestHead;
  readonly match: ProviderMatch;
  readonly protocol: Protocol;
  /** Asked for the call's model; the call goes as asked when absent. */
  readonly router?: SessionRouter | undefined;
  /** Asked before the provider; nobody is when absent. */
  readonly caching?: SessionCaching | undefined;
}

/**
 * The life of one recognised call: attribute, read the request, route it, ask for usage where the client did not, read
 * the reply as it passes, and leave exactly one record, whatever the end. Nothing in here can stop the bytes:
 * a failure of ours is one fault, and the call goes on unread.
 */
export function handleCall(ports: CallPorts, options: CallOptions): Call {
  return new HandledCall(ports, options);
}

type CallProblem = NonNullable<CallRecord['error']>;

interface Ending {
  readonly outcome: Outcome;
  readonly error: CallProblem | null;
  readonly endMs: number;
}

class HandledCall implements Call {
  readonly wholeRequestBytes: number | null;
  readonly #ports: CallPorts;
  readonly #options: CallOptions;
  readonly #ids: SessionIds;
  readonly #callId: string;
  readonly #startedAt: string;
  readonly #startMs: number;
  readonly #request: RequestReading;
  readonly #routing: CallRouting | null;
  readonly #caching: CallCaching | null;
  readonly #mayAsk: boolean;
  readonly #changes: string[] = [];
  #routedModel: string | null = null;
  #requestRead: Promise<void> | null = null;
  #headMs: number | null = null;
  #reply: ReplyReading | null = null;
  #rewrite: UsageRewrite | null = null;
  #askedForUsage = false;
  #over = false;
  readonly #hashes = makeHashes();
  /** Milliseconds of work on this call, on the tap's thread. */
  #workedMs = 0;

  constructor(ports: CallPorts, options: CallOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#callId = ports.newId();
    this.#startMs = ports.clock.monotonicMs();
    this.#startedAt = ports.clock.nowIso();
    this.#ids = pickSessionIds(options.session);
    this.#request = new RequestReading(ports, options.head, options.match.dialect);
    const { rawHeaders } = options.head;
    const readable = findHeader(rawHeaders, 'content-encoding') === null;
    // Whoever says by a key that a body is the same as before must send the same.
    const isKeyed = findHeader(rawHeaders, 'idempotency-key') !== null;
    const mayAsk = options.match.canAskForStreamUsage && readable && !isKeyed;
    this.#mayAsk = mayAsk && !ports.refusedUsage.has(this.#originKey);
    this.#routing = openCallRouting(ports, options, maxWholeRequestBytes);
    this.#caching = openCallCaching(ports, { ...options, callId: this.#callId }, this.#changes);
    const isReadWhole = this.#mayAsk || this.#routing?.needsBody === true || this.#caching !== null;
    this.wholeRequestBytes = isReadWhole ? maxWholeRequestBytes : null;
  }

  onRequestData(chunk: Buffer): void {
    this.#guard(() => this.#request.write(chunk));
    this.#hashes.request.update('taken', chunk);
  }

  onRequestPassed(bytes: Buffer): void {
    this.#hashes.request.update('given', bytes);
  }

  onRequestEnd(): void {
    this.#guard(() => {
      this.#requestRead = this.#request.end() ?? null;
    });
  }

  rewriteRequest(body: Buffer): Promise<RewrittenRequest | Answer | null> | RewrittenRequest | Answer | null {
    const rewriting = this.#rewriteForProvider(body);
    if (this.#caching === null) return rewriting;
    return rewriting instanceof Promise
      ? rewriting.then((rewritten) => this.#askCache(rewritten, body))
      : this.#askCache(rewriting, body);
  }

  refuseUnread(): Answer | null {
    return this.#caching?.refuseUnread() ?? null;
  }

  #askCache(rewritten: RewrittenRequest | null, body: Buffer) {
    // A client that left while a router was asked shares nothing with anybody.
    if (this.#caching === null || this.#over) return rewritten;
    const { stream, model } = this.#request.facts;
    return this.#caching.ask({ rewritten, body, stream, model: this.#routedModel ?? model });
  }

  #rewriteForProvider(body: Buffer): Promise<RewrittenRequest | null> | RewrittenRequest | null {
    const { model } = this.#request.facts;
    if (this.#routing?.needsBody && model !== null) return this.#route(this.#routing, body, model);
    return this.#askForUsage(body, this.#options.head.path);
  }

  async #route(routing: CallRouting, body: Buffer, requestedModel: string): Promise<RewrittenRequest | null> {
    let routed: RoutedRequest | null = null;
    try {
      routed = await routing.route(body, requestedModel);
    } catch (cause) {
      this.#reportFailure(cause);
    }
    if (routed === null) return this.#askForUsage(body, this.#options.head.path);
    this.#routedModel = routed.model;
    this.#changes.push(`request: model set to ${routed.model} by the router`);
    return this.#askForUsage(routed.body, routed.path) ?? { body: routed.body, path: routed.path, ifRefused: null };
  }

  #askForUsage(body: Buffer, path: string): RewrittenRequest | null {
    if (!this.#mayAsk || !this.#request.facts.stream) return null;
    let asked: Buffer | undefined;
    this.#guard(() => {
      asked = this.#ports.tools.askForStreamUsage(body);
    });
    if (asked === undefined) return null;
    this.#askedForUsage = true;
    this.#changes.push('request: stream_options.include_usage set');
    return { body: asked, path, ifRefused: body };
  }

  onRewriteRefused(): void {
    this.#askedForUsage = false;
    this.#caching?.onRefused();
    this.#hashes.request.reset('given');
    if (this.#ports.refusedUsage.size < maxRefusedOrigins) this.#ports.refusedUsage.add(this.#originKey);
    const how = this.#routedModel === null ? 'as it was' : 'without stream_options.include_usage';
    this.#changes.push(`request: refused, sent again ${how}`);
  }

  onReplyHead(status: number, rawHeaders: RawHeaders): ReplyRewrite | null {
    this.#headMs = this.#ports.clock.monotonicMs();
    this.#guard(() => {
      const { dialect } = this.#options.match;
      this.#reply = new ReplyReading(this.#ports, dialect, { status, rawHeaders, request: this.#request.facts });
      this.#caching?.onReplyHead(status, rawHeaders);
      if (!this.#askedForUsage || status >= 300 || this.#reply.isJson) return;
      if (canRewrite(rawHeaders)) this.#rewrite = openReplyRewrite(this.#ports.tools, rawHeaders);
      else this.#changes.push('reply: in a coding that cannot be read, usage frame not hidden');
    });
    return this.#rewrite;
  }

  onReplyData(chunk: Buffer): void {
    this.#guard(() => {
      this.#reply?.write(chunk);
      this.#caching?.onReplyData(chunk);
    });
    if (this.#caching?.isAnswered !== true) this.#hashes.reply.update('taken', chunk);
  }

  onReplyPassed(bytes: Buffer): void {
    this.#hashes.reply.update('given', bytes);
  }

  onReplyTrailers(rawTrailers: RawHeaders): void {
    this.#guard(() => this.#reply?.endWith(rawTrailers));
  }

  onReplyEnd(): Promise<void> | void {
    return this.#finish((this.#reply?.status ?? 0) >= 400 ? 'http_error' : 'ok', null);
  }

  onInterrupted(how: Interruption, error: { readonly code: string; readonly message: string }): void {
    void this.#finish(how, error);
  }

  takeOver(): ReplyHandler | null {
    return this.#caching?.takeOver() ?? null;
  }

  #finish(outcome: Outcome, error: CallProblem | null): Promise<void> | void {
    if (this.#over) return;
    this.#over = true;
    const endMs = this.#ports.clock.monotonicMs();
    this.#changes.push(...(this.#rewrite?.changes ?? []));
    const facts = this.#endReading();
    this.#endCaching({ outcome, error, endMs, facts });
    const needsMore = (read: ReplyFacts | null): boolean =>
      this.#ports.estimate !== null && needsEstimate(outcome, this.#reply, read);
    if (this.#requestRead === null && !(facts instanceof Promise) && !needsMore(facts)) {
      this.#record({ outcome, error, endMs, facts });
      return;
    }
    const reading = Promise.all([facts, this.#requestRead]);
    const recording = reading
      .then(async ([read]) => {
        const passed = { request: this.#request.copy, reply: this.#reply?.copy ?? null };
        const model = read?.model ?? this.#routedModel ?? this.#request.facts.model;
        const estimatedUsage = needsMore(read)
          ? await estimateUsage(this.#ports.estimate, { isCut: isCut(outcome), facts: read, model, ...passed })
          : null;
        this.#record({ outcome, error, endMs, facts: read, estimatedUsage });
      })
      .catch((cause: unknown) => this.#reportFailure(cause));
    this.#ports.holdRecord(this.#options.session.sessionId, recording);
    // A client does not wait for an estimate: its call is on record soon after it has the whole reply.
    return reading.then(([read]) => (needsMore(read) ? undefined : recording)).catch(() => undefined);
  }

  /** At once, whatever the record waits for: who asks the same now must not join a reply that is over. */
  #endCaching(end: Ending & { readonly facts: Promise<ReplyFacts | null> | ReplyFacts | null }): void {
    const caching = this.#caching;
    if (caching === null) return;
    const status = this.#reply?.status ?? 0;
    const latencyMs = roundMs(end.endMs - this.#startMs);
    const tell = (facts: ReplyFacts | null): void =>
      caching.end({ outcome: settleEnding(end, { status, facts }).outcome, facts, latencyMs });
    if (end.facts instanceof Promise) void end.facts.then(tell, () => tell(null));
    else tell(end.facts);
  }

  #endReading(): Promise<ReplyFacts | null> | ReplyFacts | null {
    try {
      return this.#reply?.end() ?? null;
    } catch (cause) {
      this.#reportFailure(cause);
      return null;
    }
  }

  #record(end: Ending & { readonly facts: ReplyFacts | null; readonly estimatedUsage?: EstimatedUsage | null }): void {
    this.#guard(() => {
      const { session, head, match } = this.#options;
      const { tools, clock } = this.#ports;
      const recordingMs = clock.monotonicMs();
      const reply = this.#reply;
      const { facts } = end;
      const since = (ms: number | null): number | null => (ms === null ? null : roundMs(ms - this.#startMs));
      this.#routing?.close({ model: this.#request.facts.model, bytes: this.#request.wireBytes });
      const record = makeRecord({
        callId: this.#callId,
        sessionId: session.sessionId,
        ids: this.#ids,
        protocol: this.#options.protocol,
        head,
        match,
        request: this.#request.facts,
        routedModel: this.#routedModel,
        requestCopy: this.#request.copy,
        requestBytes: this.#request.wireBytes,
        reply: reply === null ? null : reply.summarise(facts),
        ...settleEnding(end, { status: reply?.status ?? 0, facts }),
        estimatedUsage: end.estimatedUsage ?? null,
        times: {
          startedAt: this.#startedAt,
          latencyMs: roundMs(end.endMs - this.#startMs),
          timeToFirstByteMs: since(this.#headMs),
          timeToFirstTokenMs: since(facts?.firstTokenAtMs ?? null),
        },
        selfMs: () => roundMs(this.#workedMs + (reply?.laterMs ?? 0) + clock.monotonicMs() - recordingMs),
        receipt: makeReceipt(this.#hashes),
        changes: this.#changes,
        cached: this.#caching?.cached ?? null,
        requestId: reply === null ? null : tools.readRequestId(reply.rawHeaders),
        wireSession: tools.readWireSession(head.rawHeaders, this.#request.facts.wireSession),
        price: this.#ports.price,
        bodies: this.#ports.bodies,
        ambientSecrets: this.#ports.ambientSecrets,
      });
      this.#ports.onRecord(record);
    });
    if (this.#request.problem !== null) this.#reportFailure(`its request: ${this.#request.problem}`);
    this.#request.close();
    this.#reply?.close();
  }

  get #originKey(): string {
    const { scheme, host, port } = this.#options.head.origin;
    return `${scheme} ${host} ${port}`;
  }

  #guard(work: () => void): void {
    const { monotonicMs } = this.#ports.clock;
    const startMs = monotonicMs();
    try {
      work();
    } catch (cause) {
      this.#reportFailure(cause);
    }
    this.#workedMs += monotonicMs() - startMs;
  }

  #reportFailure(cause: unknown): void {
    const { provider, dialect } = this.#options.match;
    this.#ports.onFault(
      'READER_FAILED',
      `Could not read a ${provider} ${dialect.api} call: ${readErrorMessage(cause).replace(/\.$/, '')}. The call itself went through.`,
      'Please report it with the wire format concerned.',
    );
  }
}

/**
 * A client may leave a stream that has said its end before the connection says it, too: it has its whole reply, and
 * nobody cut anything. Codex does so over HTTP/2, once it has `response.completed`.
 */
function settleEnding(
  end: { readonly outcome: Outcome; readonly error: CallProblem | null },
  { status, facts }: { readonly status: number; readonly facts: ReplyFacts | null },
): { readonly outcome: Outcome; readonly error: CallProblem | null } {
  if (end.outcome === 'client_aborted' && status < 400 && facts?.saidEnd === true)
    return { outcome: 'ok', error: null };
  return { outcome: end.outcome, error: end.error };
}

/** Microseconds are as far as the clock is believed. */
function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
