import type { JsonValue, Outcome } from './call-record.js';
import type { ReplyControl, ReplyHandler } from './reply.js';
import type { CacheUse } from './response-cache.js';
import type { ProviderMatch, RawHeaders, ReplyFacts, RequestHead } from './wire.js';

/** The cache of a host, as its sessions' calls use it. */
export interface ResponseCache {
  /** The cache of one call; `null` for a call that neither its session nor its own header lets use it. */
  open(call: CachedCall): CallCache | null;
  /** Deletes every entry; gives how many. */
  clear(): number;
  /** Writes what waits; `false` when the file could not be written. */
  flush(): boolean;
  /** Flushes and closes; may be called twice. */
  close(): void;
}

export interface CachedCall {
  readonly callId: string;
  readonly sessionId: string;
  readonly head: RequestHead;
  readonly match: ProviderMatch;
  /** What its session wants; `null` for nothing. */
  readonly use: CacheUse | null;
  /** Whether a header, as `Name: value`, or a body without content coding holds a credential. */
  readonly hasSecret: (text: string | Buffer, contentType: string | null) => boolean;
  /** A text, or a body without content coding, with its credentials masked; JSON as its value. */
  readonly redact: (content: string | Buffer, contentType: string | null) => JsonValue;
}

/** A request as it is about to go to the provider. */
export interface CacheQuestion {
  readonly body: Buffer;
  /** As it would be sent: where a router has the say, not as the client sent it. */
  readonly head: RequestHead;
  readonly match: ProviderMatch;
  readonly stream: boolean;
  readonly model: string | null;
  /** Scheme, host and path, secrets removed. */
  readonly url: string;
}

/** How the change begins by which a record says that nothing went out, for neither cache nor recording had it. */
export const refusedChange = 'reply: refused by the tap';

/**
 * - `hit`: from an entry
 * - `shared`: from an equal call that is under way
 * - `refused`: by an error, for the cache alone was to be asked and does not have it
 */
export interface CacheAnswer {
  readonly how: 'hit' | 'shared' | 'refused';
  readonly answer: (handler: ReplyHandler) => void;
  /** How long the provider's own reply took, milliseconds, once that is known. */
  readonly originalLatencyMs: () => number | null;
  /** What to say of it, as the record's `changes` have it. */
  readonly change: string;
}

/** What the cache does for one call. Nothing here throws or rejects. */
export interface CallCache {
  /**
   * Whether the request is to be read whole before it goes on, and `ask` be asked; so where absent. Where it is not, what passes
   * of it is told by `onRequestData`. A call of gRPC may have its answers before it has said all: to hold it up ends it.
   */
  readonly waitsForRequest?: boolean;
  onRequestData?(chunk: Buffer): void;
  onRequestEnd?(): void;
  /** `null` for a call that is to go to its provider. A promise only while an equal call is waited for. */
  ask(question: CacheQuestion): Promise<CacheAnswer | null> | CacheAnswer | null;
  /** The provider did not take the request as it was changed; what it gets next is another. */
  onRefused(): void;
  /** The request asked for goes to nobody, for the reason given as a sentence: who waits for its reply asks for themselves. */
  onNotSent(reason: string): void;
  /** The request was not read whole: the refusal of one that may not go to its provider, `null` for any other. */
  refuseUnread(): CacheAnswer | null;
  /** How the call's own client is to hold back the provider, where others may share its reply; as it is when absent. */
  onReplyStart?(control: ReplyControl): ReplyControl;
  onReplyHead(status: number, rawHeaders: RawHeaders): void;
  /** A piece of the provider's reply, as it came. */
  onReplyData(chunk: Buffer): void;
  /** What follows the body: of gRPC, how the call went. */
  onReplyTrailers?(rawTrailers: RawHeaders): void;
  /** Who hears the provider in place of a client that left; `null` when nobody waits for this reply. */
  takeOver(): ReplyHandler | null;
  /** The call is over; called once. */
  end(end: CacheEnd): void;
}

export interface CacheEnd {
  readonly outcome: Outcome;
  /** `null` when no reply came, or its reader failed. */
  readonly facts: ReplyFacts | null;
  readonly latencyMs: number;
  /** Why the reply did not end whole; `null` when it did. */
  readonly error: { readonly code: string; readonly message: string } | null;
}
