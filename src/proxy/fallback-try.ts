import type { Call } from '../call/call.js';
import { TrackerError } from '../core/errors.js';
import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { Origin } from '../core/wire.js';
import { explainUpstreamError } from './explain-upstream-error.js';

export interface FallbackTryOptions {
  /** The call whose try this is. */
  readonly call: Call | null;
  readonly origin: Origin;
  /** How long the reply may take to begin; `null` for as long as it takes. */
  readonly timeoutMs: number | null;
  /** The reply is not the client's to get. Called at most once. */
  readonly onFailed: (why: string) => void;
}

/** How long, and how much of, a reply that failed is still read for the record of its call. */
const drainMs = 2000;
const maxDrainedBytes = 64 * 1024;

/**
 * Hears the reply of a try that others may follow. One that fails before its head has gone to the client (429, 5xx, no reply,
 * none in time) goes to the record of its call alone; any other goes to the handler as it comes.
 */
export class FallbackTry implements ReplyHandler {
  readonly #handler: ReplyHandler;
  readonly #options: FallbackTryOptions;
  #timer: NodeJS.Timeout | null = null;
  #control: ReplyControl | null = null;
  #state: 'waiting' | 'passing' | 'draining' | 'over' = 'waiting';
  #drainedBytes = 0;

  constructor(handler: ReplyHandler, options: FallbackTryOptions) {
    this.#handler = handler;
    this.#options = options;
    const { timeoutMs } = options;
    if (timeoutMs !== null) this.#timer = setTimeout(() => this.#onLate(timeoutMs), timeoutMs).unref();
  }

  onStart(control: ReplyControl): void {
    this.#control = control;
    if (this.#state === 'over') control.abort(new Error('its time was over'));
    else this.#handler.onStart({ ...bind(control), abort: (reason) => this.#giveUp(control, reason) });
  }

  onInterim(status: number, rawHeaders: string[]): void {
    if (this.#state === 'waiting') this.#handler.onInterim?.(status, rawHeaders);
  }

  onHead(status: number, statusMessage: string, rawHeaders: string[], isWhole = false): void {
    if (this.#state !== 'waiting') return;
    this.#stopTimer();
    if (status !== 429 && status < 500) {
      this.#state = 'passing';
      return this.#handler.onHead(status, statusMessage, rawHeaders, isWhole);
    }
    this.#state = 'draining';
    const { call, onFailed } = this.#options;
    call?.onReplyHead(status, rawHeaders);
    this.#timer = setTimeout(() => this.#cutDrain(), drainMs).unref();
    onFailed(String(status));
  }

  onData(chunk: Buffer): void {
    if (this.#state === 'passing') return this.#handler.onData(chunk);
    if (this.#state !== 'draining') return;
    this.#options.call?.onReplyData(chunk);
    this.#drainedBytes += chunk.length;
    if (this.#drainedBytes > maxDrainedBytes) this.#cutDrain();
  }

  onEnd(rawTrailers: string[]): void {
    if (this.#state === 'passing') return this.#handler.onEnd(rawTrailers);
    if (this.#state === 'draining') this.#endDrain();
  }

  onError(error: Error): void {
    if (this.#state === 'passing') return this.#handler.onError(error);
    if (this.#state === 'draining') return this.#endDrain();
    if (this.#state === 'over') return;
    this.#stopTimer();
    this.#state = 'over';
    const { call, origin, onFailed } = this.#options;
    call?.onInterrupted('upstream_error', explainUpstreamError(error, origin));
    onFailed('no reply');
  }

  /** Nobody wants another try any more: what comes goes to the handler. */
  passOn(): void {
    if (this.#state !== 'waiting') return;
    this.#stopTimer();
    this.#state = 'passing';
  }

  #onLate(timeoutMs: number): void {
    this.#timer = null;
    if (this.#state !== 'waiting') return;
    this.#state = 'over';
    const { call, origin, onFailed } = this.#options;
    const message = `${origin.host} had not begun to reply after ${timeoutMs} ms, so the next try was made.`;
    call?.onInterrupted('upstream_error', { code: 'UPSTREAM_LATE', message });
    this.#control?.abort(new TrackerError('UPSTREAM_LATE', message));
    onFailed(`no reply within ${timeoutMs} ms`);
  }

  /** The client has left: whoever waits for the reply is told, and not us. */
  #giveUp(control: ReplyControl, reason: Error): void {
    if (this.#state === 'waiting') {
      this.#stopTimer();
      this.#state = 'over';
    }
    control.abort(reason);
  }

  /** Its status stands; what more it would have said is not waited for. */
  #cutDrain(): void {
    this.#endDrain();
    this.#control?.abort(new Error('the rest of a failed reply is not waited for'));
  }

  #endDrain(): void {
    if (this.#state !== 'draining') return;
    this.#stopTimer();
    this.#state = 'over';
    void this.#options.call?.onReplyEnd();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function bind(control: ReplyControl): Omit<ReplyControl, 'abort'> {
  return {
    pause: () => control.pause(),
    resume: () => control.resume(),
    ...(control.findUnread !== undefined && { findUnread: (error: unknown) => control.findUnread?.(error) ?? null }),
  };
}
