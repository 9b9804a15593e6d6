// Longer than 250 lines: the life of one call, whose every step shares its state.
import type { CallRecord, Outcome, Protocol } from '../core/call-record.js';
import type { Crossing } from '../core/crossing.js';
import { readErrorMessage } from '../core/errors.js';
import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { RouteDecision } from '../core/routing.js';
import { pickSessionIds, type Session, type SessionIds } from '../core/session.js';
import type { EstimatedUsage } from '../core/timing.js';
import type { ProviderMatch, RawHeaders, ReplyFacts, RequestHead } from '../core/wire.js';
import type { CallBudget } from './budget.js';
import { BudgetGate } from './budget-gate.js';
import type { Answer, Call, Fallback, Interruption, ReplyRewrite, RewrittenRequest } from './call.js';
import { type CallCaching, openCallCaching, type SessionCaching } from './call-caching.js';
import { type CallRouting, openCallRouting, type RoutedCall } from './call-routing.js';
import { changeUnsent, NOT_PASSED_ON } from './changes.js';
import { findHeader } from './headers.js';
import { makeRecord } from './make-record.js';
import type { CallPorts } from './ports.js';
import { makeHashes, makeReceipt } from './receipt.js';
import { ReplyReading } from './reply-reading.js';
import { canRewrite, openCrossedReply, openReplyRewrite, type ToldRewrite } from './reply-rewrite.js';
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
  /** Asked for room before the call goes out; there is no limit when absent. */
  readonly budget?: CallBudget | undefined;
  /** Whether only its body can say that it is a call, by naming a model; it leaves no record when it does not. */
  readonly isGuess?: boolean;
  /** Where this is a further try of a call that failed: what is left to try, and why. */
  readonly retry?: CallRetry;
}

export interface CallRetry {
  readonly decisions: readonly RouteDecision[];
  readonly afterCallId: string;
  readonly why: string;
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

interface CameReply extends Ending {
  readonly facts: Promise<ReplyFacts | null> | ReplyFacts | null;
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
  readonly #gate: BudgetGate | null;
  /** Where the request goes: the client's own, unless a router has it sent elsewhere. */
  #target: { readonly head: RequestHead; readonly match: ProviderMatch };
  readonly #canRewrite: boolean;
  readonly #changes: string[] = [];
  #routedModel: string | null = null;
  #requestRead: Promise<void> | null = null;
  #headMs: number | null = null;
  #reply: ReplyReading | null = null;
  #rewrite: ToldRewrite | null = null;
  /** Where a router has sent it to a provider whose replies have another form. */
  #crossing: Crossing | null = null;
  #askedForUsage = false;
  #over = false;
  #isRecorded = false;
  #onRecorded: (() => void) | null = null;
  /** How the provider's reply ended, where its client had still to take the rest. */
  #came: CameReply | null = null;
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
    const { budget, match } = options;
    const reading = { dialect: match.dialect, isMeasured: budget !== undefined };
    this.#request = new RequestReading(ports, options.head, reading);
    const gated = { call: options, request: this.#request, startedAt: this.#startedAt };
    this.#gate = budget === undefined ? null : new BudgetGate(ports, { budget, ...gated });
    const { rawHeaders } = options.head;
    const readable = findHeader(rawHeaders, 'content-encoding') === null;
    // Whoever says by a key that a body is the same as before must send the same.
    const isKeyed = findHeader(rawHeaders, 'idempotency-key') !== null;
    this.#canRewrite = readable && !isKeyed;
    this.#target = options;
    this.#routing = openCallRouting(ports, options, maxWholeRequestBytes);
    this.#caching = openCallCaching(ports, { ...options, callId: this.#callId }, this.#changes);
    const isAsked =
      this.#routing?.needsBody === true || this.#caching?.waitsForRequest === true || budget !== undefined;
    this.wholeRequestBytes = this.#mayAsk || isAsked ? maxWholeRequestBytes : null;
    if (options.retry !== undefined) {
      const { afterCallId, why } = options.retry;
      this.#changes.push(`request: sent again by the router, since call ${afterCallId} ended in ${why}`);
    }
  }

  onRequestData(chunk: Buffer): void {
    this.#guard(() => this.#request.write(chunk));
    this.#caching?.onRequestData(chunk);
    this.#hashes.request.update('taken', chunk);
  }

  onRequestPassed(bytes: Buffer): void {
    this.#hashes.request.update('given', bytes);
  }

  onRequestEnd(): void {
    this.#guard(() => {
      this.#requestRead = this.#request.end() ?? null;
    });
    this.#caching?.onRequestEnd();
  }

  /** Whether its stream may be asked for usage, where it goes now. */
  get #mayAsk(): boolean {
    const { canAskForStreamUsage } = this.#target.match;
    return this.#canRewrite && canAskForStreamUsage && !this.#ports.refusedUsage.has(this.#originKey);
  }

  rewriteRequest(body: Buffer): Promise<RewrittenRequest | Answer | null> | RewrittenRequest | Answer | null {
    // A compressed copy may still be being read, and a budget has to know what it says.
    if (this.#gate !== null && this.#requestRead !== null) {
      return this.#requestRead.then(() => this.#decide(body));
    }
    return this.#decide(body);
  }

  refuseUnread(): Answer | null {
    return this.#caching?.refuseUnread() ?? this.#refuseBeyondBudget(null);
  }

  #decide(body: Buffer): Promise<RewrittenRequest | Answer | null> | RewrittenRequest | Answer | null {
    const rewriting = this.#rewriteForProvider(body);
    return rewriting instanceof Promise
      ? rewriting.then((rewritten) => this.#depart(rewritten, body))
      : this.#depart(rewriting, body);
  }

  /** What the cache holds costs nothing: the budget is asked for what is left. */
  #depart(rewritten: RewrittenRequest | null, body: Buffer) {
    // A client that left while a router was asked shares nothing with anybody.
    if (this.#over) return rewritten;
    const { stream, model } = this.#request.facts;
    const send = (): RewrittenRequest | Answer | null => this.#refuseBeyondBudget(rewritten?.body ?? body) ?? rewritten;
    const asked = { rewritten, body, stream, model: this.#routedModel ?? model, target: this.#target };
    const answering = this.#caching?.ask(asked) ?? null;
    const depart = (answer: Answer | null) => (answer === null ? send() : this.#answerWith(answer, rewritten));
    return answering instanceof Promise ? answering.then(depart) : depart(answering);
  }

  /** A failure that was recorded is followed by the next try, as it was then; a refusal of ours is not. */
  #answerWith(answer: Answer, rewritten: RewrittenRequest | null): Answer {
    const fallback = rewritten?.fallback;
    return fallback === undefined || this.#caching?.cached == null ? answer : { ...answer, fallback };
  }

  #rewriteForProvider(body: Buffer): Promise<RewrittenRequest | null> | RewrittenRequest | null {
    const { model } = this.#request.facts;
    if (this.#routing?.needsBody && model !== null) return this.#route(this.#routing, body, model);
    return this.#askForUsage(body, this.#options.head.path);
  }

  #route(
    routing: CallRouting,
    body: Buffer,
    model: string,
  ): Promise<RewrittenRequest | null> | RewrittenRequest | null {
    let routed: ReturnType<CallRouting['route']> = null;
    this.#guard(() => {
      routed = routing.route({ body, requestedModel: model, stream: this.#request.facts.stream });
    });
    // Assigned within a function, which the compiler does not follow.
    const answer = routed as ReturnType<CallRouting['route']>;
    const apply = (call: RoutedCall | null): RewrittenRequest | null => this.#applyRoute(call, body, model);
    if (!(answer instanceof Promise)) return apply(answer);
    const settled = answer.catch((cause: unknown) => {
      this.#reportFailure(cause);
      return null;
    });
    return settled.then(apply);
  }

  #applyRoute(routed: RoutedCall | null, body: Buffer, requestedModel: string): RewrittenRequest | null {
    if (routed === null) return this.#askForUsage(body, this.#options.head.path);
    this.#noteRouted(routed, requestedModel);
    const { rest, target, path } = routed;
    const request = this.#askForUsage(routed.body, path) ?? { body: routed.body, path, ifRefused: null };
    const { origin, rawHeaders } = this.#target.head;
    return {
      ...request,
      ...(target !== null && { target: { origin, rawHeaders } }),
      ...(rest.length > 0 && { fallback: this.#makeFallback(routed) }),
    };
  }

  /** `null` where the call may go out. */
  #refuseBeyondBudget(body: Buffer | null): Answer | null {
    if (this.#gate === null || this.#over) return null;
    let answer: Answer | null = null;
    this.#guard(() => {
      const model = this.#routedModel ?? this.#request.facts.model;
      answer = this.#gate?.pass({ body, model, target: this.#target }) ?? null;
    });
    if (answer === null) return null;
    this.#caching?.onNotSent('The reply was not kept: the call was refused, its budget being spent.');
    changeUnsent(this.#changes, 'reply: a refusal by the tap, the provider was not asked');
    return answer;
  }

  #noteRouted({ model, target, path, changes }: RoutedCall, requestedModel: string): void {
    const { provider } = this.#options.match;
    this.#crossing = target?.crossing ?? null;
    if (target !== null) this.#target = { match: target.match, head: { ...target.head, path } };
    const to = this.#target.match.provider;
    if (this.#isElsewhere) this.#changes.push(`request: sent to ${to} instead of ${provider} by the router`);
    else if (target !== null) this.#changes.push("request: sent with the router's key instead of the client's");
    this.#changes.push(...changes);
    if (model === requestedModel) return;
    this.#routedModel = model;
    this.#changes.push(`request: model set to ${model} by the router`);
  }

  #makeFallback({ rest, timeoutMs }: RoutedCall): Fallback {
    const next = (why: string): Call => {
      this.#changes.push(NOT_PASSED_ON);
      this.#rewrite?.close();
      this.#rewrite = null;
      const retry = { decisions: rest, afterCallId: this.#callId, why };
      // What its provider still says is read to the end, for at most some seconds: its record belongs to the session.
      this.#ports.holdRecord(this.#options.session.sessionId, this.#untilRecorded());
      return new HandledCall(this.#ports, { ...this.#options, retry });
    };
    return { timeoutMs, next };
  }

  #untilRecorded(): Promise<void> {
    if (this.#isRecorded) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onRecorded = resolve;
    });
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
    const isRouted = this.#routedModel !== null || this.#target !== this.#options;
    const how = !isRouted ? 'as it was' : 'without stream_options.include_usage';
    this.#changes.push(`request: refused, sent again ${how}`);
  }

  onReplyStart(control: ReplyControl): ReplyControl {
    return this.#caching?.onReplyStart(control) ?? control;
  }

  onReplyHead(status: number, rawHeaders: RawHeaders): ReplyRewrite | null {
    this.#headMs = this.#ports.clock.monotonicMs();
    this.#guard(() => {
      const { dialect } = this.#target.match;
      this.#reply = new ReplyReading(this.#ports, dialect, { status, rawHeaders, request: this.#request.facts });
      this.#caching?.onReplyHead(status, rawHeaders);
      if (this.#crossing !== null) return this.#cross(this.#crossing, status, rawHeaders);
      if (!this.#askedForUsage || status >= 300 || this.#reply.isJson) return;
      if (canRewrite(rawHeaders)) this.#rewrite = openReplyRewrite(this.#ports.tools, rawHeaders);
      else this.#changes.push('reply: in a coding that cannot be read, usage frame not hidden');
    });
    return this.#rewrite;
  }

  /** A refusal of the tap's own is in its client's words already. */
  #cross(crossing: Crossing, status: number, rawHeaders: RawHeaders): void {
    if (this.#gate?.refusal != null || this.#caching?.isRefused === true) return;
    const crossed = crossing.openReply({ status, rawHeaders });
    if (crossed === null) return;
    this.#rewrite = openCrossedReply(this.#ports.tools, crossed);
    if (this.#rewrite === null) this.#changes.push('reply: in a coding that cannot be read, passed on as it came');
  }

  onReplyData(chunk: Buffer): void {
    // As `#guard`, of which there would be a closure for each chunk of a stream.
    const { monotonicMs } = this.#ports.clock;
    const startMs = monotonicMs();
    let isSetAside = false;
    try {
      isSetAside = this.#reply?.write(chunk, startMs) ?? false;
      this.#caching?.onReplyData(chunk);
    } catch (cause) {
      this.#reportFailure(cause);
    }
    // What was set aside, for less than asking the clock costs, is counted when it is read.
    if (!isSetAside || this.#caching !== null) this.#workedMs += monotonicMs() - startMs;
    if (!this.#isAnswered) this.#hashes.reply.update('taken', chunk);
  }

  /** Whether the tap answered itself. */
  get #isAnswered(): boolean {
    return this.#caching?.isAnswered === true || this.#gate?.refusal != null;
  }

  onReplyPassed(bytes: Buffer): void {
    this.#hashes.reply.update('given', bytes);
  }

  onReplyTrailers(rawTrailers: RawHeaders): void {
    this.#guard(() => {
      this.#reply?.endWith(rawTrailers);
      this.#caching?.onReplyTrailers(rawTrailers);
    });
  }

  onReplyCame(): void {
    if (this.#over || this.#came !== null) return;
    const end = { ...this.#nameWholeEnd(), endMs: this.#ports.clock.monotonicMs(), facts: this.#endReading() };
    this.#came = end;
    this.#endCaching(end);
  }

  onReplyEnd(): Promise<void> | void {
    const { outcome, error } = this.#nameWholeEnd();
    return this.#finish(outcome, error);
  }

  #nameWholeEnd(): Pick<Ending, 'outcome' | 'error'> {
    const refusal = this.#gate?.refusal ?? null;
    const isError = refusal !== null || (this.#reply?.status ?? 0) >= 400;
    return { outcome: isError ? 'http_error' : 'ok', error: refusal };
  }

  onInterrupted(how: Interruption, error: { readonly code: string; readonly message: string }): void {
    if (error.code === 'CLIENT_LAGGED' && !this.#over) this.#ports.onFault('CLIENT_LAGGED', error.message, laggedHint);
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
    const facts = this.#came === null ? this.#endReading() : this.#came.facts;
    if (this.#came === null) this.#endCaching({ outcome, error, endMs, facts });
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
  #endCaching(end: CameReply): void {
    const caching = this.#caching;
    if (caching === null) return;
    const status = this.#reply?.status ?? 0;
    const latencyMs = roundMs(end.endMs - this.#startMs);
    const tell = (facts: ReplyFacts | null): void =>
      caching.end({ ...settleEnding(end, { status, facts }), facts, latencyMs });
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
    const { isGuess = false } = this.#options;
    if (!isGuess || this.#request.facts.model !== null) this.#keep(end);
    this.#gate?.close();
    if (this.#request.problem !== null && !isGuess) this.#reportFailure(`its request: ${this.#request.problem}`);
    this.#request.close();
    this.#reply?.close();
    this.#isRecorded = true;
    this.#onRecorded?.();
  }

  #keep(end: Ending & { readonly facts: ReplyFacts | null; readonly estimatedUsage?: EstimatedUsage | null }): void {
    this.#guard(() => {
      const { session, head } = this.#options;
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
        head: this.#isElsewhere ? { ...this.#target.head, rawHeaders: head.rawHeaders } : head,
        match: this.#target.match,
        sentHeaders: this.#target === this.#options ? [] : this.#target.head.rawHeaders,
        request: this.#request.facts,
        routedModel: this.#routedModel,
        requestCopy: this.#request.copy,
        requestBytes: this.#request.wireBytes,
        reply: reply === null ? null : reply.summarise(facts),
        // One that leaves before it has taken the rest does not have its whole reply, whatever that says.
        ...(this.#came === null ? settleEnding(end, { status: reply?.status ?? 0, facts }) : end),
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
        notSent: this.#gate?.refusal != null || this.#caching?.isRefused === true,
        price: this.#ports.price,
        bodies: this.#ports.bodies,
        ambientSecrets: this.#ports.ambientSecrets,
      });
      this.#ports.onRecord(record);
      this.#gate?.settle(record);
    });
  }

  get #isElsewhere(): boolean {
    return this.#target.match.provider !== this.#options.match.provider;
  }

  get #originKey(): string {
    const { scheme, host, port } = this.#target.head.origin;
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
    const { provider, dialect } = this.#target.match;
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

const laggedHint = 'Let the program read on, or ask with x-llmtap-cache: off, so that nobody shares what it gets.';

/** Microseconds are as far as the clock is believed. */
function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
