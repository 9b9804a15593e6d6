/** What comes back, in the order it comes. Exactly one of `onEnd` and `onError` is last. */
export interface ReplyHandler {
  /** The request is about to be written; the returned reason, if any, gives it up instead. */
  onStart(control: ReplyControl): void;
  /** A reply of 1xx; a final one follows. */
  onInterim?(status: number, rawHeaders: string[]): void;
  /** @param isWhole whether the reply is known to end with its head */
  onHead(status: number, statusMessage: string, rawHeaders: string[], isWhole?: boolean): void;
  onData(chunk: Buffer): void;
  onEnd(rawTrailers: string[]): void;
  onError(error: Error): void;
}

/** How who hears a reply holds back who sends it. */
export interface ReplyControl {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
  /**
   * After `onError`: the bytes of the reply that were no HTTP, all there were where none has begun. `null` where they are
   * not at hand; absent over HTTP/2, and where nobody was asked.
   */
  findUnread?(error: unknown): Buffer | null;
}
