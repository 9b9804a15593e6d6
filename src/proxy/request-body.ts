import { Readable } from 'node:stream';
import { HeldPieces } from '../core/held-pieces.js';
import type { Upload } from './client-side.js';

export type RequestBody = Buffer | Readable | null;

export interface BodyOptions {
  /** Read the body whole, up to so many bytes, before it is handed on; `null` hands it on as it comes. */
  readonly wholeBytes: number | null;
  /** Called with every chunk as it came. */
  readonly onData: (chunk: Buffer) => void;
  readonly onEnd: () => void;
  /** Called with every chunk that goes on in a stream. */
  readonly onPassed: (chunk: Buffer) => void;
  /** Called once, with `whole` true when the buffer given is all of it. */
  readonly onReady: (body: RequestBody, whole: boolean) => void;
}

/**
 * Hands a request's body on. A body that came with its head in one piece is handed on as a buffer, which costs
 * a quarter of a stream; any other as a stream with back-pressure, from its first byte; a whole one when it is
 * wanted, unless it passes the bound.
 */
export function takeBody(upload: Upload, options: BodyOptions): void {
  if (!upload.isAnnounced) {
    upload.resume();
    options.onEnd();
    options.onReady(null, true);
    return;
  }
  new BodyTaker(upload, options).start();
}

class BodyTaker {
  readonly #upload: Upload;
  readonly #options: BodyOptions;
  readonly #announcedBytes: number;
  readonly #held = new HeldPieces();
  #heldBytes = 0;
  #ended = false;
  #stream: Readable | null = null;
  #handedOn = false;

  constructor(upload: Upload, options: BodyOptions) {
    this.#upload = upload;
    this.#options = options;
    this.#announcedBytes = upload.bytes ?? Number.POSITIVE_INFINITY;
  }

  start(): void {
    this.#upload.read({
      onData: (chunk) => this.#onData(chunk),
      onEnd: () => this.#onEnd(),
      // A client that goes away mid-upload: the response's own close tells the call; this ends the upload.
      onError: (error) => this.#stream?.destroy(error),
      onClosed: () => {
        if (!this.#ended) this.#stream?.destroy(new Error('the client went away during its upload'));
      },
    });
    const { wholeBytes } = this.#options;
    const isOpenEnded = this.#announcedBytes === Number.POSITIVE_INFINITY;
    const wanted = wholeBytes !== null && (isOpenEnded || this.#announcedBytes <= wholeBytes);
    // What came in one segment with the head is delivered before this runs.
    if (!wanted) setImmediate(() => this.#openStream());
  }

  #onData(chunk: Buffer): void {
    this.#options.onData(chunk);
    if (this.#stream !== null) {
      // A provider that has answered already reads no more; the client's upload runs out into nothing.
      if (!this.#stream.destroyed && !this.#pass(this.#stream, chunk)) this.#upload.pause();
      return;
    }
    this.#held.add(chunk);
    this.#heldBytes += chunk.length;
    // All of it is here, though node:http says so only later: the call must have read it before it is sent.
    if (this.#heldBytes >= this.#announcedBytes) this.#onEnd();
    else if (this.#options.wholeBytes !== null && this.#heldBytes > this.#options.wholeBytes) this.#openStream();
  }

  #pass(stream: Readable, chunk: Buffer): boolean {
    this.#options.onPassed(chunk);
    return stream.push(chunk);
  }

  #onEnd(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onEnd();
    if (this.#stream !== null) this.#stream.push(null);
    else if (!this.#handedOn) this.#handOnWhole();
  }

  #handOnWhole(): void {
    if (this.#handedOn) return;
    this.#handedOn = true;
    const held = this.#held.take();
    const [first] = held;
    const body = held.length === 1 && first !== undefined ? first : Buffer.concat(held);
    this.#options.onReady(body, true);
  }

  #openStream(): void {
    if (this.#handedOn) return;
    this.#handedOn = true;
    const stream = new Readable({ read: () => this.#upload.resume(), highWaterMark: 64 * 1024 });
    // A stream whose reader has gone must not end the process.
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (!this.#ended) this.#upload.stop?.();
      this.#upload.resume();
    });
    this.#stream = stream;
    for (const chunk of this.#held.take()) this.#pass(stream, chunk);
    if (this.#ended) stream.push(null);
    this.#options.onReady(stream, false);
  }
}

/** A whole body in the framing it came with: a chunked request goes on chunked. */
export function keepFraming({ isChunked }: Upload, body: Buffer): RequestBody {
  return isChunked ? Readable.from([body], { objectMode: false }) : body;
}
