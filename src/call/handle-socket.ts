// Longer than 250 lines: the life of a socket's calls, whose every step shares its state.
import { readErrorMessage } from '../core/errors.js';
import type { Session } from '../core/session.js';
import type {
  SocketCall,
  SocketCallFacts,
  SocketMatch,
  SocketMessage,
  SocketReader,
  SocketSide,
  SocketWatch,
} from '../core/socket.js';
import type { EstimatedUsage } from '../core/timing.js';
import type { RawHeaders, RequestHead } from '../core/wire.js';
import { BodyCopy } from './body-copy.js';
import { joinHeader } from './headers.js';
import { makeRecord } from './make-record.js';
import type { CallPorts, SocketMessages } from './ports.js';
import { SocketReceipt } from './receipt.js';
import { addProblem, MessageCopies, OpenSocketCall, roundMs } from './socket-call.js';
import { explainEnding, type SocketClosing, type SocketEnding } from './socket-ending.js';
import { estimateUsage, isCut, needsEstimate } from './usage-estimate.js';

export interface SocketOptions {
  readonly session: Session;
  readonly head: RequestHead;
  readonly match: SocketMatch;
  /** A call was recorded. */
  readonly onCall: () => void;
  /** The provider is a recording. */
  readonly isReplayed?: boolean;
}

/** How long what may be stated behind a call's end is waited for, milliseconds. */
const settleMs = 250;

/**
 * The calls of one WebSocket: its messages are read from a copy, and each response leaves its record when it ends, while the
 * socket lives. What is open when the socket goes is recorded as cut. Nothing in here can stop or change the bytes:
 * a failure of ours is one fault, and the socket goes on unread.
 */
export function handleSocket(ports: CallPorts, options: SocketOptions): SocketWatch {
  return new HandledSocket(ports, options);
}

class HandledSocket implements SocketWatch {
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
  }

  onOpen(rawHeaders: RawHeaders): void {
    this.#guard(() => {
      this.#rawHeaders = rawHeaders;
      this.#reader = this.#options.match.dialect.open(this.#options.head, {
        collect: (message, isKept) => this.#draft.add(message, isKept),
        open: (atMs, given) => this.#open(atMs, given?.isApart ?? false),
      });
      this.#messages = this.#ports.tools.openSocketMessages(joinHeader(rawHeaders, 'sec-websocket-extensions'), {
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
    if (this.#settling !== null) clearTimeout(this.#settling);
    const close = (): void => {
      this.#guard(() => this.#reader?.close());
      this.#messages?.close();
    };
    const reading = this.#messages?.end();
    if (reading === undefined) close();
    else this.#ports.holdRecord(this.#options.session.sessionId, reading.then(close));
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
    const record = makeRecord({
      callId: call.callId,
      sessionId: session.sessionId,
      ids: call.ids,
      protocol: 'websocket',
      head,
      match: facts.api === undefined ? match : { ...match, dialect: { ...match.dialect, api: facts.api } },
      request: facts.request,
      routedModel: null,
      requestCopy: call.request.copy,
      requestBytes: call.request.wireBytes,
      reply: {
        status: 101,
        rawHeaders: this.#rawHeaders,
        contentType: null,
        isEventStream: true,
        copy: call.reply.copy,
        wireBytes: call.reply.wireBytes,
        facts: reply,
        outputTimes: facts.outputTimes,
      },
      outcome: end.ending?.how ?? 'ok',
      error: end.ending?.error ?? null,
      estimatedUsage: end.estimatedUsage,
      times: call.times(facts),
      selfMs: () => roundMs(call.workedMs + this.#takeWork()),
      receipt: this.#receipt.read(),
      changes: [],
      cached: this.#options.isReplayed === true ? { latencyMs: null } : null,
      requestId: tools.readRequestId(this.#rawHeaders),
      wireSession: tools.readWireSession(head.rawHeaders, facts.request.wireSession),
      price: this.#ports.price,
      bodies: this.#ports.bodies,
      ambientSecrets: this.#ports.ambientSecrets,
    });
    this.#options.onCall();
    this.#ports.onRecord(record);
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
