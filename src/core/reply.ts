/** What answers a request, in the order it comes. Exactly one of `onEnd` and `onError` is last. */
export interface ReplyHandler {
  /** The request is about to be written, or answered without; a reply may be given up from now on. */
  onStart(control: ReplyControl): void;
  /** A reply of 1xx; a final one follows. */
  onInterim?(status: number, rawHeaders: string[]): void;
  /** @param isWhole whether the reply is known to end with its head */
  onHead(status: number, statusMessage: string, rawHeaders: string[], isWhole?: boolean): void;
  onData(chunk: Buffer): void;
  onEnd(rawTrailers: string[]): void;
  onError(error: Error): void;
}

/** How whoever hears a reply slows it down, or gives it up. */
export interface ReplyControl {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}
