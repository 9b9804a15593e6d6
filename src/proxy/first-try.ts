import type { ReplyControl, ReplyHandler } from '../core/reply.js';

/** Statuses by which a provider says that it does not take the request as it is. */
const refusals: ReadonlySet<number> = new Set([400, 422]);
/** How such a provider names what it does not take: the member itself, or that there is one too many. */
const blame =
  /stream_options|include_usage|extra|additional propert|unknown|unrecogni[sz]ed|unexpected|unsupported|not permitted/i;
const maxHeldBytes = 64 * 1024;

type Step = (handler: ReplyHandler) => void;

/**
 * Hears the reply to a request the tap has changed. A refusal that blames the change is not the client's to get, who
 * never sent that request: it is dropped and `onRefused` called, to send the client's own. Any other reply goes to the
 * handler, a refusal for another reason as soon as it is whole.
 */
export class FirstTry implements ReplyHandler {
  readonly #handler: ReplyHandler;
  readonly #onRefused: () => void;
  #control: ReplyControl | null = null;
  /** A refusal while it is being read; `null` when there is none, or it was decided. */
  #held: Step[] | null = null;
  #text = '';
  #isCoded = false;
  #dropped = false;

  constructor(handler: ReplyHandler, onRefused: () => void) {
    this.#handler = handler;
    this.#onRefused = onRefused;
  }

  onStart(control: ReplyControl): void {
    this.#control = control;
    this.#handler.onStart(control);
  }

  onInterim(status: number, rawHeaders: string[]): void {
    this.#handler.onInterim?.(status, rawHeaders);
  }

  onHead(status: number, statusMessage: string, rawHeaders: string[], isWhole = false): void {
    if (!refusals.has(status)) return this.#handler.onHead(status, statusMessage, rawHeaders, isWhole);
    this.#isCoded = rawHeaders.some((value, i) => i % 2 === 0 && value.toLowerCase() === 'content-encoding');
    this.#held = [(handler) => handler.onHead(status, statusMessage, rawHeaders, isWhole)];
  }

  onData(chunk: Buffer): void {
    if (this.#dropped) return;
    if (this.#held === null) return this.#handler.onData(chunk);
    this.#held.push((handler) => handler.onData(chunk));
    this.#text += chunk.toString('latin1');
    if (this.#text.length > maxHeldBytes) this.#decide();
  }

  onEnd(rawTrailers: string[]): void {
    if (this.#held !== null) this.#decide();
    if (!this.#dropped) this.#handler.onEnd(rawTrailers);
  }

  onError(error: Error): void {
    if (this.#held !== null) this.#release();
    if (!this.#dropped) this.#handler.onError(error);
  }

  /** A compressed refusal cannot be read here: the change is blamed rather than the client misled. */
  #decide(): void {
    if (!this.#isCoded && !blame.test(this.#text)) return this.#release();
    this.#dropped = true;
    this.#held = null;
    this.#control?.abort(new Error('the request is sent again as the client sent it'));
    this.#onRefused();
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const step of held) step(this.#handler);
  }
}
