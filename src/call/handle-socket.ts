// Longer than 250 lines: the life of a socket's calls, whose every step shares its state.
import { readErrorMessage } from '../core/errors.js';
import type { Session } from '../core/session.js';
import type {
  SocketAsk,
  SocketCall,
  SocketCallFacts,
  SocketMatch,
  SocketMessage,
  SocketMessages,
  SocketReader,
  SocketSide,
  SocketWatch,
} from '../core/socket.js';
import type { EstimatedUsage } from '../core/timing.js';
import { unknownUsage } from '../core/usage.js';
import type { RawHeaders, ReplyFacts, RequestHead } from '../core/wire.js';
import { BodyCopy } from './body-copy.js';
import type { CallBudget } from './budget.js';
import { makeBudgetRefusal } from './call-refusal.js';
import { joinHeader } from './headers.js';
import { makeRecord } from './make-record.js';
import type { CallPorts } from './ports.js';
import { SocketReceipt } from './receipt.js';
import type { SessionRouter } from './session-router.js';
import { SocketAdmission } from './socket-admission.js';
import { addProblem, MessageCopies, OpenSocketCall, roundMs } from './socket-call.js';
import { explainEnding, type SocketClosing, type SocketEnding } from './socket-ending.js';
import { type Admitted, type GatedSocket, RoutedGate } from './socket-gate.js';
import { estimateUsage, isCut, needsEstimate } from './usage-estimate.js';

export interface SocketOptions {
  readonly session: Session;
  readonly head: RequestHead;
  readonly match: SocketMatch;
  /** A call was recorded. */
  readonly onCall: () => void;
  /** The provider is a recording. */
  readonly isReplayed?: boolean;
  /** Asked for the model its calls go to; they go as asked when absent. */
  readonly router?: SessionRouter | undefined;
  /** Asked for room before a call goes out, and told what others took; there is no limit when absent. */
  readonly budget?: CallBudget | undefined;
}

/** How long what may be stated behind a call's end is waited for, milliseconds. */
const settleMs = 250;

/**
 * The calls of one WebSocket: its messages are read from a copy, and each response leaves its record when it ends, while the
 * socket lives. What is open when the socket goes is recorded as cut. Where a router or a budget has the say, what the client
 * sends passes its gate. Nothing else in here can stop or change the bytes: a failure of ours is one fault, and the socket goes
 * on unread.
 */
export function handleSocket(ports: CallPorts, options: SocketOptions): SocketWatch {
  return new HandledSocket(ports, options);
}

class HandledSocket implements SocketWatch, GatedSocket {
  readonly gate: RoutedGate | undefined;
  readonly #admission: SocketAdmission;
  /** What was decided of the message that is read now. */
  #admitted: Admitted | null = null;
  /** Calls under way for which room is kept. */
  readonly #reserved = new Set<OpenSocketCall>();
  readonly #ports: CallPorts;
  readonly #options: SocketOptions;
  #messages: SocketMessages | null = null;
  #reader: SocketReader | null = null;
  #rawHeaders: RawHeaders = [];
  readonly #receipt = new SocketReceipt();
  /** What the client sends before anything asks for a reply. */
  #draft: MessageCopies;
  /** Why a message could not be read; the next call whose usage it may have held says so. */
  #problem: string | null = null;
  /** The side that closed the socket by a close frame, and its words. */
  #closed: SocketClosing | null = null;
  #ending: SocketEnding | null = null;
  #isBroken = false;
  #settling: NodeJS.Timeout | null = null;
  /** Whose the work is that is done now, and since when. */
  #touched: OpenSocketCall | null = null;
  #workFromMs = 0;

  constructor(ports: CallPorts, options: SocketOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#draft = new MessageCopies(ports);
    const { session, head, match, router, isReplayed } = options;
    // What a recording answers costs nothing.
    const budget = isReplayed === true ? undefined : options.budget;
    this.#admission = new SocketAdmission(ports, { sessionId: session.sessionId, head, match, budget, router });
    if (router === undefined && budget === undefined) return;
    const { tools, clock } = ports;
    this.gate = new RoutedGate({ tools, nowMs: clock.monotonicMs, admission: this.#admission, socket: this });
  }

  findPath(): Promise<string | null> | string | null {
    let routing: ReturnType<SocketAdmission['routePath']> = null;
    this.#guard(() => {
      routing = this.#admission.routePath();
    });
    // Assigned within a function, which the compiler does not follow.
    const found = routing as ReturnType<SocketAdmission['routePath']>;
    if (!(found instanceof Promise)) return found?.path ?? null;
    return found.then(
      (routed) => routed?.path ?? null,
      (cause: unknown) => {
        this.#reportFailure(cause);
        return null;
      },
    );
  }

  onOpen(rawHeaders: RawHeaders): void {
    this.#guard(() => {
      this.#rawHeaders = rawHeaders;
      this.#reader = this.#options.match.dialect.open(this.#options.head, {
        collect: (message, isKept) => this.#draft.add(message, isKept),
        open: (atMs, given) => this.#open(atMs, given?.isApart ?? false),
      });
      const extensions = joinHeader(rawHeaders, 'sec-websocket-extensions');
      this.gate?.open(extensions);
      this.#messages = this.#ports.tools.openSocketMessages(extensions, {
        onMessage: (side, message) => this.#read(side, message),
        onClose: (side, code, reason) => {
          this.#closed ??= { side, words: `${code ?? 'no code'}${reason === '' ? '' : `: ${reason}`}` };
        },
        onProblem: (_side, problem) => {
          this.#problem ??= problem;
        },
        onBroken: (_side, problem) => this.#break(problem),
      });
    });
  }

  onPassed(to: SocketSide, chunk: Buffer): void {
    if (!this.#isBroken) this.#receipt.noteGiven(to, chunk);
  }

  onData(side: SocketSide, chunk: Buffer): void {
    if (this.#isBroken) return;
    this.#receipt.noteTaken(side, chunk);
    const { monotonicMs } = this.#ports.clock;
    const arrivedAtMs = monotonicMs();
    this.#workFromMs = arrivedAtMs;
    this.#guard(() => this.#messages?.write(side, chunk, arrivedAtMs));
    if (this.#touched !== null) this.#touched.workedMs += monotonicMs() - this.#workFromMs;
  }

  onEnd(how: SocketEnding['how'], error: SocketEnding['error']): void {
    if (this.#ending !== null) return;
    this.#ending = { how, error };
    this.#admission.close();
    if (this.#settling !== null) clearTimeout(this.#settling);
    const close = (): void => {
      this.#guard(() => this.#reader?.close());
      this.#messages?.close();
      // What leaves no record was no call, unless nobody could read it any more.
      for (const { reservation } of this.#reserved) {
        if (this.#isBroken) reservation?.forfeit();
        else reservation?.release();
      }
      this.#reserved.clear();
    };
    const reading = this.#messages?.end();
    if (reading === undefined) close();
    else this.#ports.holdRecord(this.#options.session.sessionId, reading.then(close));
  }

  get isUnread(): boolean {
    return this.#isBroken || this.#ending !== null;
  }

  settle(): Promise<void> | void {
    return this.#messages?.end();
  }

  onTaken(chunk: Buffer): void {
    if (!this.#isBroken) this.#receipt.noteTaken('client', chunk);
  }

  onControl(frame: Buffer): void {
    if (!this.#isBroken) this.#guard(() => this.#messages?.write('client', frame, this.#ports.clock.monotonicMs()));
  }

  findAsk(message: SocketMessage): SocketAsk | null {
    this.#workFromMs = this.#ports.clock.monotonicMs();
    let ask: SocketAsk | null = null;
    this.#guard(() => {
      ask = this.#reader?.findAsk?.(message) ?? null;
    });
    return ask;
  }

  read(message: SocketMessage, admitted: Admitted | null): void {
    // What a router was waited for is no work.
    if (admitted !== null) this.#workFromMs = this.#ports.clock.monotonicMs();
    this.#admitted = admitted;
    this.#read('client', message);
    // It began no call.
    this.#admitted?.reservation?.release();
    this.#admitted = null;
    if (this.#touched !== null) this.#touched.workedMs += this.#ports.clock.monotonicMs() - this.#workFromMs;
  }

  refuse(message: SocketMessage, { call: request, isKept }: SocketAsk, why: string): void {
    if (request === null) return;
    const { message: words, code } = makeBudgetRefusal(why);
    const call = this.#openCall(message.atMs, new MessageCopies(this.#ports));
    call.addRequest(message, isKept);
    call.changes.push('reply: a refusal by the tap, the provider was not asked');
    call.refusal = { code, message: words };
    call.end({ request, reply: refusedReply, outputTimes: null }, null);
    this.#guard(() => this.#reader?.refuse?.(message, words, (saying) => this.gate?.say(saying)));
  }

  onUnread(problem: string): void {
    this.#break(problem);
  }

  onFailed(cause: unknown): void {
    this.#reportFailure(cause);
  }

  #read(side: SocketSide, message: SocketMessage): void {
    if (this.#isBroken) return;
    this.#guard(() => {
      if (side === 'client') this.#reader?.readClient(message);
      else this.#reader?.readServer(message);
      if (this.#reader?.isUnsettled) this.#settleSoon();
    });
  }

  #settleSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = null;
      this.#workFromMs = this.#ports.clock.monotonicMs();
      this.#guard(() => this.#reader?.settle?.());
    }, settleMs).unref();
  }

  #open(atMs: number, isApart: boolean): SocketCall {
    const request = isApart ? new MessageCopies(this.#ports) : this.#draft;
    if (!isApart) this.#draft = new MessageCopies(this.#ports);
    const call = this.#openCall(atMs, request);
    // A transcript has a model of its own.
    if (!isApart) this.#noteAdmitted(call, this.#admitted);
    this.#admitted = null;
    return call;
  }

  #noteAdmitted(call: OpenSocketCall, admitted: Admitted | null): void {
    const isNamed = admitted?.ask.withModel !== undefined;
    const { routed } = this.#admission;
    call.routedModel = isNamed ? (admitted.routed?.model ?? null) : (routed?.model ?? null);
    call.askedModel = isNamed ? null : (routed?.asked ?? null);
    if (call.routedModel !== null) call.changes.push(`request: model set to ${call.routedModel} by the router`);
    if (this.gate?.compressesAnew === true) call.changes.push(compressedAnew);
    call.reservation = admitted?.reservation ?? null;
    if (call.reservation !== null) this.#reserved.add(call);
  }

  #openCall(atMs: number, request: MessageCopies): OpenSocketCall {
    const { session } = this.#options;
    return new OpenSocketCall(this.#ports, {
      session,
      atMs,
      request,
      onMessage: (call) => {
        this.#touched = call;
      },
      onEnd: (call, facts) => this.#end(call, facts),
    });
  }

  #end(call: OpenSocketCall, facts: SocketCallFacts): void {
    if (call.refusal !== null) return this.#record(call, facts, { ending: null, estimatedUsage: null });
    const ending = facts.reply.complete ? null : explainEnding(this.#ending, this.#closed);
    const outcome = ending?.how ?? 'ok';
    // The text of what was spoken says nothing of its tokens; of a response that ended its last message alone is kept.
    const isCountable = this.#ports.estimate !== null && isCut(outcome) && !call.reply.hasMedia;
    if (!isCountable || !needsEstimate(outcome, { status: 200, contentType: null }, facts.reply)) {
      return this.#record(call, facts, { ending, estimatedUsage: null });
    }
    // What went in is in the socket's own memory for the greater part; what came out was seen.
    const passed = { request: new BodyCopy(0), reply: call.reply.copy };
    const model = facts.reply.model ?? facts.request.model;
    const recording = estimateUsage(this.#ports.estimate, { isCut: true, facts: facts.reply, model, ...passed }).then(
      (estimatedUsage) => this.#guard(() => this.#record(call, facts, { ending, estimatedUsage })),
      (cause: unknown) => this.#reportFailure(cause),
    );
    this.#ports.holdRecord(this.#options.session.sessionId, recording);
  }

  #record(
    call: OpenSocketCall,
    facts: SocketCallFacts,
    end: { readonly ending: SocketEnding | null; readonly estimatedUsage: EstimatedUsage | null },
  ): void {
    const { session, head, match } = this.#options;
    const { tools } = this.#ports;
    const reply = this.#problem === null ? facts.reply : addProblem(facts.reply, this.#problem);
    if (!this.#isBroken) this.#problem = null;
    const { refusal } = call;
    // The receipt is the socket's: what it shows stands in the changes of each.
    if (this.gate?.hasAltered === true && call.changes.length === 0) call.changes.push(alteredBefore);
    const record = makeRecord({
      callId: call.callId,
      sessionId: session.sessionId,
      ids: call.ids,
      protocol: 'websocket',
      head,
      match: facts.api === undefined ? match : { ...match, dialect: { ...match.dialect, api: facts.api } },
      request: call.askedModel === null ? facts.request : { ...facts.request, model: call.askedModel },
      routedModel: call.routedModel,
      requestCopy: call.request.copy,
      requestBytes: call.request.wireBytes,
      reply: {
        status: refusal === null ? 101 : 429,
        rawHeaders: this.#rawHeaders,
        contentType: null,
        isEventStream: true,
        copy: call.reply.copy,
        wireBytes: call.reply.wireBytes,
        facts: reply,
        outputTimes: facts.outputTimes,
      },
      outcome: refusal === null ? (end.ending?.how ?? 'ok') : 'http_error',
      error: refusal ?? end.ending?.error ?? null,
      estimatedUsage: end.estimatedUsage,
      times: call.times(facts),
      selfMs: () => roundMs(call.workedMs + this.#takeWork()),
      receipt: this.#receipt.read(),
      changes: call.changes,
      cached: this.#options.isReplayed === true ? { latencyMs: null } : null,
      requestId: tools.readRequestId(this.#rawHeaders),
      wireSession: tools.readWireSession(head.rawHeaders, facts.request.wireSession),
      notSent: refusal !== null,
      price: this.#ports.price,
      bodies: this.#ports.bodies,
      ambientSecrets: this.#ports.ambientSecrets,
    });
    this.#options.onCall();
    this.#ports.onRecord(record);
    call.request.close();
    call.reply.close();
    this.#reserved.delete(call);
    if (call.reservation !== null) call.reservation.settle(record);
    else if (refusal === null) this.#options.budget?.note(record);
  }

  /** What was worked by now goes to the call that asks; the rest of what came with it is another's. */
  #takeWork(): number {
    const nowMs = this.#ports.clock.monotonicMs();
    const workedMs = nowMs - this.#workFromMs;
    this.#workFromMs = nowMs;
    this.#touched = null;
    return workedMs;
  }

  /** Nothing more can be read: what is under way is recorded as it stands. */
  #break(problem: string): void {
    if (this.#isBroken) return;
    this.#problem = problem;
    this.#reportFailure(problem.replace(/\.$/, ''));
    this.#guard(() => this.#reader?.close());
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#reportFailure(cause);
    }
  }

  #reportFailure(cause: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#messages?.close();
    const { provider, dialect } = this.#options.match;
    this.#ports.onFault(
      'READER_FAILED',
      `Could not read a ${provider} ${dialect.api} WebSocket: ${readErrorMessage(cause)}. The socket itself went on.`,
      'Please report it with the wire format concerned.',
    );
  }
}

const alteredBefore = 'request: as it came; another message of its WebSocket was changed or left out';
const compressedAnew = 'request: compressed anew, for a message before it was changed or left out';

const refusedReply: ReplyFacts = {
  ...{ model: null, usage: unknownUsage, usageProblem: null, usageDetails: null, serviceTier: null, reportedUsd: null },
  ...{ finishReasons: [], toolCalls: [], responseId: null, error: null, firstTokenAtMs: null },
  ...{ complete: true, saidEnd: true },
};
