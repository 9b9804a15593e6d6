import type { JsonValue } from '../core/call-record.js';
import type { PieceTimes } from '../core/response-cache.js';

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
  readonly rawTrailers: readonly string[];
  readonly ending: ReplyEnding;
  /** What was said of a reply that did not end whole. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** One request and what came of it. */
export interface Interaction {
  /** Its place in the run, by when it was asked; from 0. */
  readonly seq: number;
  readonly callId: string;
  readonly latencyMs: number;
  readonly request: RequestForm;
  readonly reply: RecordedReply;
}
