import type { Session } from '../core/session.js';
import { pickSessionIds, type SessionIds } from '../core/session.js';
import type { SocketCall, SocketCallFacts, SocketMessage } from '../core/socket.js';
import { BodyCopy } from './body-copy.js';
import type { Reservation } from './budget.js';
import type { CallRefusal } from './call-refusal.js';
import type { CallEnd } from './make-record.js';
import type { CallPorts } from './ports.js';
import { maxKeptBodyBytes } from './request-reading.js';

const lineEnd = Buffer.from('\n');

/** Messages of one side of a call: counted, and kept one a line. */
export class MessageCopies {
  readonly #maxBytes: number;
  copy: BodyCopy;
  wireBytes = 0;
  /** Whether there were sound or pictures, which are not kept. */
  hasMedia = false;

  constructor(ports: Pick<CallPorts, 'bodies'>) {
    this.#maxBytes = ports.bodies === 'none' ? 0 : maxKeptBodyBytes;
    this.copy = new BodyCopy(this.#maxBytes);
  }

  add(message: SocketMessage, isKept: boolean): void {
    this.wireBytes += message.wireBytes;
    this.hasMedia ||= !isKept;
    if (!isKept) return;
    if (this.copy.seenBytes > 0) this.copy.write(lineEnd);
    this.copy.write(message.bytes);
  }

  /** Keeps this message in place of those before it. */
  replaceBy(message: SocketMessage): void {
    this.copy.close();
    this.copy = new BodyCopy(this.#maxBytes);
    this.copy.write(message.bytes);
  }

  /** They are on record: what was kept is forgotten, and what comes yet is not kept. */
  close(): void {
    this.copy.close();
  }
}

/** One call on a socket under way: whose it is and when it began stand from the beginning. */
export class OpenSocketCall implements SocketCall {
  readonly callId: string;
  readonly ids: SessionIds;
  readonly request: MessageCopies;
  readonly reply: MessageCopies;
  readonly #ports: CallPorts;
  readonly #onMessage: (call: OpenSocketCall) => void;
  readonly #onEnd: (call: OpenSocketCall, facts: SocketCallFacts) => void;
  readonly #startedAt: string;
  readonly #startMs: number;
  #firstReplyMs: number | null = null;
  #endMs: number | null = null;
  /** Milliseconds of work on it, on the tap's thread. */
  workedMs = 0;
  /** What was kept for it; `null` where nobody was asked. */
  reservation: Reservation | null = null;
  /** The model a router chose for it. */
  routedModel: string | null = null;
  /** The model its client asked for, where the provider tells of another: the one its socket was routed to. */
  askedModel: string | null = null;
  readonly changes: string[] = [];
  /** Why it is not passed on. */
  refusal: CallRefusal | null = null;

  /** @param request what the client has sent for it already */
  constructor(
    ports: CallPorts,
    options: {
      readonly session: Session;
      /** `monotonicMs` at which it began: a large message is read later than it came. */
      readonly atMs: number;
      readonly request: MessageCopies;
      readonly onMessage: (call: OpenSocketCall) => void;
      readonly onEnd: (call: OpenSocketCall, facts: SocketCallFacts) => void;
    },
  ) {
    this.#ports = ports;
    this.#onMessage = options.onMessage;
    this.#onEnd = options.onEnd;
    this.request = options.request;
    this.reply = new MessageCopies(ports);
    this.callId = ports.newId();
    this.ids = pickSessionIds(options.session);
    this.#startMs = options.atMs;
    this.#startedAt = new Date(ports.clock.nowMs() - (ports.clock.monotonicMs() - options.atMs)).toISOString();
  }

  addRequest(message: SocketMessage, isKept: boolean): void {
    this.#onMessage(this);
    this.request.add(message, isKept);
  }

  addReply(message: SocketMessage, isKept: boolean): void {
    this.#onMessage(this);
    this.#firstReplyMs ??= message.atMs;
    this.reply.add(message, isKept);
  }

  end(facts: SocketCallFacts, last: SocketMessage | null): void {
    this.#endMs = last?.atMs ?? this.#ports.clock.monotonicMs();
    if (last !== null) this.reply.replaceBy(last);
    this.#onEnd(this, facts);
  }

  times(facts: SocketCallFacts): CallEnd['times'] {
    const since = (ms: number | null): number | null => (ms === null ? null : Math.max(0, roundMs(ms - this.#startMs)));
    return {
      startedAt: this.#startedAt,
      latencyMs: since(this.#endMs) ?? 0,
      timeToFirstByteMs: since(this.#firstReplyMs),
      timeToFirstTokenMs: since(facts.reply.firstTokenAtMs),
    };
  }
}

/** Microseconds are as far as the clock is believed. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Usage that is unknown may have stood in a message that could not be read. */
export function addProblem(reply: SocketCallFacts['reply'], problem: string): SocketCallFacts['reply'] {
  return reply.usageProblem === null ? reply : { ...reply, usageProblem: `${reply.usageProblem} ${problem}` };
}
