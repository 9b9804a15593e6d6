import type { JsonValue } from '../core/call-record.js';
import type { PieceTimes } from '../core/response-cache.js';
import type { SocketSide } from '../core/socket.js';

/** What a request asked, as it is kept and compared: no header that tells who asked, credentials masked. */
export interface RequestForm {
  readonly provider: string;
  readonly api: string;
  readonly method: string;
  /** `https://api.openai.com:443`. */
  readonly origin: string;
  /** A stream's path as that of the whole reply. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Those that shape the answer. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** `json` or `stream`, and what the URL says of a stream's framing. */
  readonly variant: string;
  readonly body: FormBody;
}

/** A body as JSON without what only says that a stream is wanted; or, where it is none, what it hashes to. */
export type FormBody = { readonly json: JsonValue } | { readonly sha256: string; readonly bytes: number };

/**
 * How a reply ended.
 *
 * - `whole`
 * - `cut`: by its provider, halfway
 * - `left`: by its client
 * - `unreached`: it never began
 */
export type ReplyEnding = 'whole' | 'cut' | 'left' | 'unreached';

export interface RecordedReply {
  /** 0 where it never began. */
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly pieces: PieceTimes;
  /** Whether it came without saying its length. */
  readonly isStream: boolean;
  /** What the reply to a HEAD says of a body it does not have, in bytes; absent where nothing, and of any other. */
  readonly contentLength?: number;
  readonly rawTrailers: readonly string[];
  readonly ending: ReplyEnding;
  /** What was said of a reply that did not end whole. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** What is kept of every request. */
export interface Recorded {
  /** Its place in the run, by when it was asked; from 0. */
  readonly seq: number;
  readonly callId: string | null;
  readonly latencyMs: number;
  readonly request: RequestForm;
}

/** One request and what came of it. */
export interface Interaction extends Recorded {
  readonly reply: RecordedReply;
}

export interface RecordedMessage {
  readonly from: SocketSide;
  /** Milliseconds since the socket was opened. */
  readonly atMs: number;
  /** Of a text message; credentials masked. */
  readonly text?: string;
  /** Of a binary one. */
  readonly base64?: string;
}

/** One WebSocket and what was said on it. */
export interface SocketInteraction extends Recorded {
  readonly socket: {
    /** The subprotocol that was agreed on. */
    readonly protocol: string | null;
    readonly messages: readonly RecordedMessage[];
    /** Who closed it by a close frame; `null` where nobody did. */
    readonly closed: { readonly by: SocketSide; readonly code: number | null; readonly reason: string } | null;
  };
}
