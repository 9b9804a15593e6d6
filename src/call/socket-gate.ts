import type { SocketAsk, SocketGate, SocketMessage, SocketSaying } from '../core/socket.js';
import type { Reservation } from './budget.js';
import type { SocketFilter, SocketVerdict, WireTools } from './ports.js';
import type { RoutedMessage, SocketAdmission } from './socket-admission.js';

/** What was decided of a message that goes on. */
export interface Admitted {
  readonly ask: SocketAsk;
  readonly reservation: Reservation | null;
  readonly routed: RoutedMessage | null;
}

/** The socket a gate stands in. */
export interface GatedSocket {
  /** Nothing of it is read any more, or it is over. */
  readonly isUnread: boolean;
  /** A promise while messages of the provider's that came before are still being read. */
  settle(): Promise<void> | void;
  onTaken(chunk: Buffer): void;
  onControl(frame: Buffer): void;
  findAsk(message: SocketMessage): SocketAsk | null;
  /** The message goes on, as it came where nobody was asked about it. */
  read(message: SocketMessage, admitted: Admitted | null): void;
  /** The message does not go on. */
  refuse(message: SocketMessage, ask: SocketAsk, why: string): void;
  /** Nothing of the client's can be read from here on: why, as a sentence. */
  onUnread(problem: string): void;
  /** What stands here has failed. */
  onFailed(cause: unknown): void;
}

export interface GateOptions {
  readonly tools: Pick<WireTools, 'openSocketFilter'>;
  readonly nowMs: () => number;
  readonly admission: SocketAdmission;
  readonly socket: GatedSocket;
}

/** RFC 6455, section 7.4.1: the server cannot go on (read 2026-11-27). */
const brokenCode = 1011;

/** Lets what the client of a WebSocket sends go on as its session's router and budget have it. */
export class RoutedGate implements SocketGate {
  readonly #options: GateOptions;
  #filter: SocketFilter | null = null;
  #say: (bytes: Buffer) => void = () => undefined;
  /** The tap has closed the socket, of which its client may not have heard: nothing more is asked or refused. */
  #isClosing = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** @param extensions those the two ends agreed on, as their header lists them */
  open(extensions: string | null): void {
    const { tools, nowMs, socket } = this.#options;
    this.#filter = tools.openSocketFilter(extensions, {
      nowMs,
      decide: (message) => this.#decideSafely(message),
      onControl: (frame) => socket.onControl(frame),
      onBlind: (problem) => socket.onUnread(problem),
      onStuck: (problem) => {
        socket.onUnread(problem);
        this.say({ code: brokenCode, reason: `llmtap: ${problem}` });
      },
    });
    this.#filter.sayings.bind(this.#say);
  }

  /** A message was changed or left out. */
  hasAltered = false;

  /** Whether what the client compresses goes on compressed anew. */
  get compressesAnew(): boolean {
    return this.#filter?.compressesAnew ?? false;
  }

  bind(say: (bytes: Buffer) => void): void {
    this.#say = say;
    this.#filter?.sayings.bind(say);
  }

  takeFromClient(chunk: Buffer, give: (bytes: Buffer) => void): Promise<void> | void {
    this.#options.socket.onTaken(chunk);
    if (this.#filter === null) give(chunk);
    else return this.#filter.takeFromClient(chunk, give);
  }

  endOfClient(give: (bytes: Buffer) => void): Promise<void> | void {
    return this.#filter?.endOfClient(give);
  }

  takeFromProvider(chunk: Buffer): readonly Buffer[] {
    return this.#filter?.sayings.take(chunk) ?? [chunk];
  }

  get unsaidBytes(): number {
    return this.#filter?.sayings.waitingBytes ?? 0;
  }

  say(saying: SocketSaying): void {
    this.#isClosing ||= 'code' in saying;
    this.#filter?.sayings.add(saying);
  }

  #decideSafely(message: SocketMessage): Promise<SocketVerdict> | SocketVerdict {
    const fail = (cause: unknown): 'pass' => {
      this.#options.socket.onFailed(cause);
      return 'pass';
    };
    const note = (verdict: SocketVerdict): SocketVerdict => {
      this.hasAltered ||= verdict !== 'pass';
      return verdict;
    };
    try {
      const verdict = this.#decide(message);
      return verdict instanceof Promise ? verdict.then(note).catch(fail) : note(verdict);
    } catch (cause) {
      return fail(cause);
    }
  }

  #decide(message: SocketMessage): Promise<SocketVerdict> | SocketVerdict {
    const settling = this.#options.socket.settle();
    return settling === undefined ? this.#ask(message) : settling.then(() => this.#ask(message));
  }

  #ask(message: SocketMessage): Promise<SocketVerdict> | SocketVerdict {
    const { socket, admission } = this.#options;
    if (this.#isClosing) return 'drop';
    if (socket.isUnread) return 'pass';
    const ask = socket.findAsk(message);
    if (ask === null) {
      socket.read(message, null);
      return 'pass';
    }
    const routing = admission.route(message, ask);
    return routing instanceof Promise
      ? routing.then((routed) => this.#admit(message, ask, routed))
      : this.#admit(message, ask, routing);
  }

  #admit(message: SocketMessage, ask: SocketAsk, routed: RoutedMessage | null): SocketVerdict {
    const { socket, admission } = this.#options;
    if (this.#isClosing) return 'drop';
    if (socket.isUnread) return 'pass';
    const reservation = ask.call === null ? null : admission.reserve(message, ask, routed);
    if (reservation !== null && 'refusal' in reservation) {
      socket.refuse(message, ask, reservation.refusal);
      return 'drop';
    }
    socket.read(message, { ask, reservation, routed });
    return routed?.bytes ?? 'pass';
  }
}
