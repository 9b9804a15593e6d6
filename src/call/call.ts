import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { Origin, RawHeaders } from '../core/wire.js';

/** How an exchange can end before its reply does. */
export type Interruption = 'upstream_error' | 'upstream_aborted' | 'client_aborted';

/**
 * One recognised call in flight, as the proxy drives it. Every method may be called at any time and none
 * throws: whatever fails in here, the bytes go on.
 */
export interface Call {
  /**
   * Whether the request must be read whole before it goes upstream, and up to how many bytes; `null` lets it
   * stream. Beyond the bound it streams too, unread.
   */
  readonly wholeRequestBytes: number | null;
  /** A piece of the request body, as it came. */
  onRequestData(chunk: Buffer): void;
  onRequestEnd(): void;
  /** A piece of the request's body as it goes to the provider. */
  onRequestPassed(bytes: Buffer): void;
  /**
   * What to send instead of the request whose whole body was read, or the reply where the provider is not to be asked; `null`
   * when nothing changes. A promise only where a router has to be asked, or an equal call is under way; it never rejects.
   */
  rewriteRequest(body: Buffer): Promise<RewrittenRequest | Answer | null> | RewrittenRequest | Answer | null;
  /** The request was not read whole, and goes on as it comes, unless it may not: its refusal. */
  refuseUnread?(): Answer | null;
  /** The provider refused the rewritten body, and gets `ifRefused` next. */
  onRewriteRefused(): void;
  /** How the client is to hold back who replies; what it gives is for as long as the reply is. */
  onReplyStart?(control: ReplyControl): ReplyControl;
  onReplyHead(status: number, rawHeaders: RawHeaders): ReplyRewrite | null;
  /** A piece of the reply's body, as it came: after the client has got it, unless it is the last. */
  onReplyData(chunk: Buffer): void;
  /** A piece of the reply's body as it goes to the client, told before the reply's end is. */
  onReplyPassed(bytes: Buffer): void;
  /** What follows the reply's body, told before its end. */
  onReplyTrailers(rawTrailers: RawHeaders): void;
  /** The provider has said all; its client, whom others did not wait for, has still to take the rest. */
  onReplyCame?(): void;
  /**
   * The reply is whole. Exactly one record follows the first of this and `onInterrupted`: it is kept when this
   * returns, or, where a compressed copy is still being read, when the promise resolves.
   */
  onReplyEnd(): Promise<void> | void;
  onInterrupted(how: Interruption, error: { readonly code: string; readonly message: string }): void;
  /**
   * The client has left, and is told of by `onInterrupted` next: who hears the rest of the reply in its place; `null` when
   * nobody does, and the provider is told.
   */
  takeOver?(): ReplyHandler | null;
}

/** A reply that is not the provider's, who is not asked. */
export interface Answer {
  /** Gives the reply to who would have heard the provider's, as a provider's comes. Never throws. */
  readonly answer: (handler: ReplyHandler) => void;
  /** What to do where the reply is a provider's failure, as when it came; it is passed on when absent. */
  readonly fallback?: Fallback;
}

/** A request as it goes upstream instead of the client's own. */
export interface RewrittenRequest {
  readonly body: Buffer;
  /** Path and query. */
  readonly path: string;
  /** The body without what the tap asks of its own accord, for a provider that refuses that; `null` when it asks nothing. */
  readonly ifRefused: Buffer | null;
  /** Where it goes and with which headers; as the client has it when absent. */
  readonly target?: { readonly origin: Origin; readonly rawHeaders: RawHeaders };
  /** What to do where the provider fails before anything has reached the client; its failure is passed on when absent. */
  readonly fallback?: Fallback;
}

/** The next try of a call. */
export interface Fallback {
  /** How long the reply may take to begin, milliseconds; `null` for as long as it takes. */
  readonly timeoutMs: number | null;
  /**
   * Gives the call to go on with. The one before is still told how its own reply went on, and then leaves its record.
   *
   * @param why this try failed, in few words: `429`, `no reply`
   */
  readonly next: (why: string) => Call;
}

/** What the client gets instead of the reply's own bytes, when the call had to change them. */
export interface ReplyRewrite {
  readonly rawHeaders: readonly string[];
  /** Feeds the provider's bytes; what the client is to get comes through `sink`, also later. */
  write(chunk: Buffer): void;
  /** Resolves when everything went through `sink`. */
  end(): Promise<void> | void;
  /** What kept the bytes from being rewritten whole; the client must then be cut, not told of an end. */
  readonly problem: string | null;
  /** Where rewritten bytes go; set by the proxy before the first `write`. */
  sink: (bytes: Buffer) => void;
  close(): void;
}
