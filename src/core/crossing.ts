import type { RawHeaders } from './wire.js';

/** A request as it goes to a provider that has another form for the same API; login, host and path aside. */
export interface CrossedRequest {
  readonly body: Buffer;
  readonly rawHeaders: RawHeaders;
  /** What was changed, in the words of the record's `changes`. */
  readonly changes: readonly string[];
}

/** A reply whose head alone is another for its client. */
export interface HeadCrossing {
  /** Of the reply, as the client gets them; framing and coding aside. */
  readonly rawHeaders: RawHeaders;
  /** What was changed, in the words of the record's `changes`. */
  readonly changes: readonly string[];
}

/** Gives a reply's bytes the form its client expects, each piece as it passes. Never throws. */
export interface ReplyCrossing extends HeadCrossing {
  /** Feeds decoded bytes; gives what the client is to get of them. */
  write(bytes: Uint8Array): Buffer;
  end(): Buffer;
  /** Why nothing more can be given, as a sentence; the client must then be cut. */
  readonly problem: string | null;
}

/**
 * How a call of one API is put in the form in which another provider serves the very same: the same documents, with other
 * places for the model, other framing, other errors. Pure.
 */
export interface Crossing {
  /** The rest of "cannot be sent there because …" as `problem`. Never throws. */
  makeRequest(request: {
    readonly body: Buffer;
    readonly rawHeaders: RawHeaders;
  }): CrossedRequest | { readonly problem: string };
  /** `null` for a reply that is the client's as it is. */
  openReply(head: { readonly status: number; readonly rawHeaders: RawHeaders }): ReplyCrossing | HeadCrossing | null;
}
