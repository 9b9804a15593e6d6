/** How a stream's pieces of model output came, at the tap. Milliseconds. */
export interface StreamTiming {
  /** Pieces of output. */
  readonly pieces: number;
  /** Time between one piece and the next; `null` below two pieces. */
  readonly gapP50Ms: number | null;
  readonly gapP95Ms: number | null;
  readonly longestGapMs: number | null;
  /** Gaps of more than `stallMs`. */
  readonly stalls: number;
  readonly stallMs: number;
  /**
   * Output tokens by the time from the first piece of output to the last; `null` when one is not known, and where the
   * reply counts thinking, of which nobody can tell how much passed in that time.
   */
  readonly outputTokensPerSecond: number | null;
}

/**
 * SHA-256, in hexadecimal, of body bytes as they crossed the tap on either side, the reply's also where it was cut. Equal
 * sides were not altered. `null` where nothing passed. On a WebSocket, whose frames belong to no response alone, of all its
 * bytes behind the heads, frames and masks as they were, from its opening until this response was on record.
 */
export interface Receipt {
  readonly requestFromClient: string | null;
  readonly requestToProvider: string | null;
  readonly replyFromProvider: string | null;
  readonly replyToClient: string | null;
}

/** Counted by a tokenizer of ours where the wire never said; beside the reported usage, never in its place. */
export interface EstimatedUsage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** The tokenizer, as `o200k_base (gpt-tokenizer)`. */
  readonly tokenizer: string;
}
