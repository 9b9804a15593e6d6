import { TrackerError } from './errors.js';

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
   * The reply goes on without who is paused, for others share it: so much of it is kept for them, bytes of memory, and who
   * falls further behind is cut. Absent where whoever sends waits.
   */
  readonly maxLagBytes?: number;
  /**
   * After `onError`: the bytes of the reply that were no HTTP, all there were where none has begun. `null` where they are
   * not at hand; absent over HTTP/2, and where nobody was asked.
   */
  findUnread?(error: unknown): Buffer | null;
}

/** Who shares a reply has fallen further behind those it shares it with than is kept for it. */
export function makeLagError(): TrackerError {
  const message = 'The client had not taken what came of the reply while others that share it had: it was cut.';
  return new TrackerError('CLIENT_LAGGED', message);
}
