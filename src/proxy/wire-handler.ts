import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { ReplyWire } from './reply-wire.js';

/** undici's word on one request. */
interface Controller extends Omit<ReplyControl, 'findUnread'> {
  readonly rawHeaders?: unknown;
  readonly rawTrailers?: unknown;
}

/** Hears a reply from undici, and tells of it what was on the wire. */
export class WireHandler {
  readonly #handler: ReplyHandler;
  /** Of the connection it goes over, once it is chosen. */
  wire: ReplyWire | null = null;

  constructor(handler: ReplyHandler) {
    this.#handler = handler;
  }

  onRequestStart(controller: Controller): void {
    const { wire } = this;
    wire?.begin();
    this.#handler.onStart({
      pause: () => controller.pause(),
      resume: () => controller.resume(),
      abort: (reason) => controller.abort(reason),
      findUnread: (error) => wire?.findUnread(error) ?? null,
    });
  }

  onResponseStart(controller: Controller, status: number, _headers: unknown, statusMessage?: string): void {
    // NOTE: interim replies (103 and its kin) come through here as well; a final one always follows.
    if (status < 200) return this.#handler.onInterim?.(status, readRawHeaders(controller.rawHeaders));
    this.wire?.onHead();
    // NOTE: undici reads the reason phrase as UTF-8, node:http writes it as latin1.
    const reason = Buffer.from(statusMessage ?? '').toString('latin1');
    this.#handler.onHead(status, reason, readRawHeaders(controller.rawHeaders));
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.#handler.onData(chunk);
  }

  onResponseEnd(controller: Controller): void {
    // NOTE: undici takes a reply without a length for whole that was reset (lib/dispatcher/client-h1.js, 7.30).
    const failure = this.wire?.failure ?? null;
    if (failure === null) this.#handler.onEnd(readRawHeaders(controller.rawTrailers));
    else this.#handler.onError(failure);
    this.wire?.end();
  }

  onResponseError(_controller: Controller, error: Error): void {
    // NOTE: of one that was reset and had asked for its end undici tells where the reply stopped instead.
    this.#handler.onError(this.wire?.failure ?? error);
    this.wire?.end();
  }
}

function readRawHeaders(raw: unknown): string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((item: unknown) => (Buffer.isBuffer(item) ? item.toString('latin1') : String(item)));
}
