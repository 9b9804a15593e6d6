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

/** Reads the messages of one socket, in the order in which they passed. */
export interface SocketReader {
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
}

/** An upgrade recognised as a socket that carries calls to a model. */
export interface SocketMatch {
  readonly provider: string;
  readonly dialect: SocketDialect;
}

/** The calls of one socket, as the proxy drives them. Every method may be called at any time and none throws. */
export interface SocketWatch {
  /** The provider agreed. */
  onOpen(rawHeaders: RawHeaders): void;
  /** A piece was given to this side, as it went. */
  onPassed(to: SocketSide, chunk: Buffer): void;
  /** A piece of what one side sent behind the heads, as it came; it was given to the other side before. */
  onData(side: SocketSide, chunk: Buffer): void;
  /** The connection is gone, by whom and why. Called once. */
  onEnd(how: 'upstream_aborted' | 'client_aborted', error: { readonly code: string; readonly message: string }): void;
}
