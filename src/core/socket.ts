import type { OutputTimes, RawHeaders, ReplyFacts, RequestFacts, RequestHead } from './wire.js';

export type SocketSide = 'client' | 'server';

/** One message of a WebSocket, whole and inflated. */
export interface SocketMessage {
  /** Valid while it is told of. */
  readonly bytes: Buffer;
  /** Payload bytes as on the wire. */
  readonly wireBytes: number;
  /** `monotonicMs` at which its last piece passed. */
  readonly atMs: number;
  /** Text when absent. */
  readonly isBinary?: boolean;
}

/** Cuts both directions of a WebSocket into messages. */
export interface SocketMessages {
  /** @param atMs when the bytes passed */
  write(side: SocketSide, chunk: Buffer, atMs: number): void;
  /** A promise while a large message is still being inflated. */
  end(): Promise<void> | void;
  close(): void;
}

/** Told of messages in the order in which they passed. Must not throw. */
export interface SocketSink {
  onMessage(side: SocketSide, message: SocketMessage): void;
  onClose(side: SocketSide, code: number | null, reason: string): void;
  /** A message could not be read: why, as a sentence. */
  onProblem(side: SocketSide, problem: string): void;
  /** Nothing more of this side can be read: why, as a sentence. */
  onBroken(side: SocketSide, problem: string): void;
}

/** What is known of a call when it has ended. */
export interface SocketCallFacts {
  /** The record's `api`, where it is not the dialect's. */
  readonly api?: string;
  readonly request: RequestFacts;
  /** `complete` is false where the reply was cut. */
  readonly reply: ReplyFacts;
  readonly outputTimes: OutputTimes | null;
}

/** One call on a socket, from what asked for it to the end of its reply. */
export interface SocketCall {
  /** A message of the client's that belongs to it; `isKept` where it is a part of the request's body, not media. */
  addRequest(message: SocketMessage, isKept: boolean): void;
  /** A message of the provider's that belongs to it; kept until the end, in case there is none. */
  addReply(message: SocketMessage, isKept: boolean): void;
  /** Leaves its one record. `last` is the message that ended it, kept as the reply's body in place of the others; `null` where it was cut. */
  end(facts: SocketCallFacts, last: SocketMessage | null): void;
}

/** Where a dialect finds its calls' room. */
export interface SocketCalls {
  /** What the client sends before anything asks for a reply: it goes to the call that is opened next. */
  collect(message: SocketMessage, isKept: boolean): void;
  /**
   * A call begins with a message that passed at `atMs`. One that is not ended leaves no record. What was collected stays
   * where it is for one that stands apart.
   */
  open(atMs: number, options?: { readonly isApart?: boolean }): SocketCall;
}

/** What a message of the client's asks for. */
export interface SocketAsk {
  /** The call that begins with it, as its record would have the request; `null` where it only names the model of those to come. */
  readonly call: RequestFacts | null;
  /** The model it asks for, or that its socket has; `null` where there is none yet. */
  readonly model: string | null;
  /** Whether it is a part of the request's body, not media. */
  readonly isKept: boolean;
  /** The message with another model where it names one, `undefined` where that cannot stand there; absent where it names none. */
  readonly withModel?: (model: string) => Buffer | undefined;
}

/** What the tap says to a client in its provider's place: a message of the API, or that the socket is closed. */
export type SocketSaying = { readonly text: string } | { readonly code: number; readonly reason: string };

/** Reads the messages of one socket, in the order in which they passed. */
export interface SocketReader {
  /** What a message of the client's asks for, before it is read; `null` for nothing. Changes nothing; absent where nobody can tell. */
  findAsk?(message: SocketMessage): SocketAsk | null;
  /** The call that would begin with this message is refused, and the message not read: its API's words for it, when it is its turn. */
  refuse?(message: SocketMessage, why: string, say: (saying: SocketSaying) => void): void;
  readClient(message: SocketMessage): void;
  readServer(message: SocketMessage): void;
  /** Whether a call has ended but for what may be stated of it behind its end; `settle` ends it as it stands. */
  readonly isUnsettled?: boolean;
  settle?(): void;
  /** No more will come: ends the calls that are open, as cut. */
  close(): void;
}

/** One API spoken over a WebSocket: which messages make a call. Pure. */
export interface SocketDialect {
  /** The record's `api`. */
  readonly api: string;
  open(head: Pick<RequestHead, 'path'>, calls: SocketCalls): SocketReader;
  /** The model of a socket's calls, where its path names it; `null` where it does not. Absent where no path does. */
  findModel?(path: string): string | null;
  /** The path with another model; `undefined` where none can stand there. */
  withModel?(path: string, model: string): string | undefined;
}

/** An upgrade recognised as a socket that carries calls to a model. */
export interface SocketMatch {
  readonly provider: string;
  readonly dialect: SocketDialect;
}

/** Stands between a client and its provider, once that has agreed: what the client sends goes on as it says. Never throws. */
export interface SocketGate {
  /** Called once, before anything else: how the tap itself speaks to the client. */
  bind(say: (bytes: Buffer) => void): void;
  /** A piece of the client's; `give` gets what is to go on, before the promise resolves. The next piece may be given then. */
  takeFromClient(chunk: Buffer, give: (bytes: Buffer) => void): Promise<void> | void;
  /** The client sends no more: what was held goes on. */
  endOfClient(give: (bytes: Buffer) => void): Promise<void> | void;
  /** What is to go to the client of a piece of the provider's, with what the tap says in between. */
  takeFromProvider(chunk: Buffer): readonly Buffer[];
  /** Bytes the tap has to say to the client and cannot yet, for a message of the provider's is under way. */
  readonly unsaidBytes: number;
}

/** The calls of one socket, as the proxy drives them. Every method may be called at any time and none throws. */
export interface SocketWatch {
  /** Absent where everything goes as it comes; otherwise a copy of what the client sends is not given to `onData`. */
  readonly gate?: SocketGate | undefined;
  /** Another path to ask for than the client's; `null` for that. Never rejects. */
  findPath?(): Promise<string | null> | string | null;
  /** The provider agreed. */
  onOpen(rawHeaders: RawHeaders): void;
  /** A piece was given to this side, as it went. */
  onPassed(to: SocketSide, chunk: Buffer): void;
  /** A piece of what one side sent behind the heads, as it came; it was given to the other side before. */
  onData(side: SocketSide, chunk: Buffer): void;
  /** The connection is gone, by whom and why. Called once. */
  onEnd(how: 'upstream_aborted' | 'client_aborted', error: { readonly code: string; readonly message: string }): void;
}
