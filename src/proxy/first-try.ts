import type { ReplyControl, ReplyHandler } from './upstream.js';

/** Statuses by which a provider says that it does not take the request as it is. */
const refusals: ReadonlySet<number> = new Set([400, 422]);

/**
 * Hears the reply to a request the tap has changed. A refusal of it is not the client's to get, who never sent that
 * request: it is dropped and `onRefused` called, to send the client's own. Any other reply goes to the handler.
 */
export class FirstTry implements ReplyHandler {
  readonly #handler: ReplyHandler;
  readonly #onRefused: () => void;
  #control: ReplyControl | null = null;
  #refused = false;

  constructor(handler: ReplyHandler, onRefused: () => void) {
    this.#handler = handler;
    this.#onRefused = onRefused;
  }

  onStart(control: ReplyControl): void {
    this.#control = control;
    this.#handler.onStart(control);
  }

  onHead(status: number, statusMessage: string, rawHeaders: string[]): void {
    this.#refused = refusals.has(status);
    if (!this.#refused) return this.#handler.onHead(status, statusMessage, rawHeaders);
    this.#control?.abort(new Error('the request is sent again as the client sent it'));
    this.#onRefused();
  }

  onData(chunk: Buffer): void {
    if (!this.#refused) this.#handler.onData(chunk);
  }

  onEnd(rawTrailers: string[]): void {
    if (!this.#refused) this.#handler.onEnd(rawTrailers);
  }

  onError(error: Error): void {
    if (!this.#refused) this.#handler.onError(error);
  }
}
