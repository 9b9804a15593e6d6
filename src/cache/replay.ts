import { STATUS_CODES } from 'node:http';
import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { CacheEntry, PieceTimes } from '../core/response-cache.js';
import type { RawHeaders } from '../core/wire.js';
import { frameReplyHeaders } from './reply-headers.js';

/** A reply as it is given again. */
export interface StoredReply {
  readonly status: number;
  readonly rawHeaders: RawHeaders;
  /** Without a content coding. */
  readonly body: Buffer;
  readonly pieces: PieceTimes;
  /** Whether it comes in pieces, of a length nobody says before. */
  readonly isStream: boolean;
  /** Whether nothing follows its head, trailers neither. As its body and form say when absent. */
  readonly isHeadAlone?: boolean;
  /** The headers that say how long it is, where it is not as long as its body: of a HEAD. */
  readonly framing?: RawHeaders;
  /** How it ends; whole and without trailers when absent. */
  readonly end?: (handler: ReplyHandler) => void;
}

export function replayEntry(entry: CacheEntry, speed: number, handler: ReplyHandler): void {
  replayReply({ ...entry, isStream: entry.variant.startsWith('stream') }, speed, handler);
}

/**
 * Gives a stored reply again. A stream comes piece by piece as it was recorded, each in a turn of the loop of its own, or by
 * the clock: at `speed` 1 with its own gaps, at 2 with half of them, at `Infinity` without. Any other reply comes at once.
 * Honours pause, resume and abort; never throws.
 */
export function replayReply(reply: StoredReply, speed: number, handler: ReplyHandler): void {
  new Replay(reply, speed, handler).start();
}

class Replay implements ReplyControl {
  readonly #reply: StoredReply;
  readonly #speed: number;
  readonly #handler: ReplyHandler;
  #next = 0;
  #offset = 0;
  #startedMs = 0;
  #paused = false;
  #isOver = false;
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null;

  constructor(reply: StoredReply, speed: number, handler: ReplyHandler) {
    this.#reply = reply;
    this.#speed = speed;
    this.#handler = handler;
  }

  start(): void {
    const { status, rawHeaders, body, pieces, isStream, framing } = this.#reply;
    const { isHeadAlone = body.length === 0 && !isStream } = this.#reply;
    this.#handler.onStart(this);
    if (this.#isOver) return;
    // No reply of these has a body, nor says how one would be framed (RFC 9110, 8.6; RFC 9112, 6.1).
    const isBodiless = status === 204 || status === 304;
    const framed = isBodiless ? [...rawHeaders] : frameReplyHeaders(rawHeaders, isStream ? null : body.length);
    const headers = framing === undefined ? framed : [...rawHeaders, ...framing];
    this.#handler.onHead(status, STATUS_CODES[status] ?? '', headers, isHeadAlone);
    if (this.#isOver) return;
    if (isStream && pieces.length > 0) {
      this.#startedMs = performance.now();
      this.#pass();
      return;
    }
    if (body.length > 0) this.#handler.onData(body);
    this.#end();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#timer === null && !this.#isOver) this.#schedule();
  }

  abort(): void {
    this.#isOver = true;
    if (this.#timer !== null) {
      clearTimeout(this.#timer as NodeJS.Timeout);
      clearImmediate(this.#timer as NodeJS.Immediate);
    }
    this.#timer = null;
  }

  #pass(): void {
    this.#timer = null;
    if (this.#isOver || this.#paused) return;
    const [bytes = 0] = this.#reply.pieces[this.#next] ?? [];
    const piece = this.#reply.body.subarray(this.#offset, this.#offset + bytes);
    this.#next += 1;
    this.#offset += bytes;
    this.#handler.onData(piece);
    if (this.#isOver) return;
    if (this.#next >= this.#reply.pieces.length) this.#end();
    else if (!this.#paused) this.#schedule();
  }

  #schedule(): void {
    const [firstAtMs, nextAtMs] = [this.#reply.pieces[0]?.[1] ?? 0, this.#reply.pieces[this.#next]?.[1] ?? 0];
    const dueMs = (nextAtMs - firstAtMs) / this.#speed - (performance.now() - this.#startedMs);
    this.#timer = dueMs >= 1 ? setTimeout(() => this.#pass(), dueMs) : setImmediate(() => this.#pass());
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#reply.end === undefined) this.#handler.onEnd([]);
    else this.#reply.end(this.#handler);
  }
}
