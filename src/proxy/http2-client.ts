import type { RawHeaders } from '../core/wire.js';
import { errorCodes } from '../http2/codes.js';
import type { Http2Stream, StreamEnd, StreamEvents } from '../http2/stream.js';
import type { ClientListener, ClientSide, Upload, UploadListener } from './client-side.js';
import { type Http2RequestHead, listHttp2Headers } from './http2-headers.js';
import { StreamReset } from './stream-reset.js';

/** Statuses whose replies have no body. Source: RFC 9110 section 6.4.1 (read 2026-11-27). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

export interface StreamFacts {
  readonly head: Http2RequestHead;
  readonly hasBody: boolean;
  /** Whether a provider's failure is a reset for it, too, where no reply has begun. */
  readonly isInProcess: boolean;
  /** The stream is over. */
  readonly onOver: () => void;
}

/** One request of HTTP/2 and its reply: a stream. */
export class Http2Client implements ClientSide, StreamEvents, Upload {
  readonly protocol = 'h2';
  readonly method: string;
  readonly rawHeaders: RawHeaders;
  readonly upload: Upload = this;
  readonly isAnnounced: boolean;
  readonly bytes: number | null;
  readonly isChunked = false;
  readonly #stream: Http2Stream;
  readonly #facts: StreamFacts;
  #listener: ClientListener | null = null;
  #uploadListener: UploadListener | null = null;
  #uploadTrailers: RawHeaders = [];
  #end: StreamEnd | null = null;
  /** The head until it is sent: with the end, where nothing follows it. */
  #head: RawHeaders | null = null;
  #isHeadSent = false;
  #hasBody = true;
  #isUploadUnwanted = false;
  #isSent = false;

  constructor(stream: Http2Stream, facts: StreamFacts) {
    this.#stream = stream;
    this.#facts = facts;
    this.method = facts.head.method;
    this.rawHeaders = facts.head.rawHeaders;
    this.isAnnounced = facts.hasBody;
    this.bytes = stream.bytesLeft;
    stream.listen(this);
    // Until somebody reads it.
    stream.pause();
  }

  listen(listener: ClientListener): void {
    this.#listener = listener;
    if (this.#end !== null) this.#tellClosed(this.#end);
  }

  writeInterim(status: number, rawHeaders: RawHeaders): void {
    // What there is of no protocol switches, nor of a 100 after ours.
    if (status <= 101 || this.#head !== null || this.#isHeadSent) return;
    this.#stream.writeHead([':status', String(status), ...listHttp2Headers(rawHeaders)], false);
  }

  writeHead(status: number, _statusMessage: string, rawHeaders: RawHeaders): void {
    if (status < 200 || status > 599) throw new Error(`HTTP/2 has no status ${status}`);
    this.#head = [':status', String(status), ...listHttp2Headers(rawHeaders)];
    this.#hasBody = this.method !== 'HEAD' && !bodiless.has(status);
  }

  flushHead(): void {
    this.#sendHead(!this.#hasBody);
  }

  write(bytes: Buffer): boolean {
    this.#sendHead(!this.#hasBody);
    return !this.#hasBody || this.#stream.write(bytes);
  }

  end(lastPiece: Buffer | null, rawTrailers: RawHeaders): void {
    this.#sendHead(!this.#hasBody || (lastPiece === null && rawTrailers.length === 0));
    if (this.#hasBody) this.#stream.end(lastPiece, listHttp2Headers(rawTrailers));
  }

  cut(error: unknown): void {
    this.#sendHead(false);
    this.#stream.cut(readResetCode(error));
  }

  findRefusal(error: unknown): (() => void) | undefined {
    const isToMeet = this.#facts.isInProcess || error instanceof StreamReset;
    return isToMeet ? () => this.#stream.reset(readResetCode(error)) : undefined;
  }

  read(listener: UploadListener): void {
    this.#uploadListener = listener;
    this.resume();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  readTrailers(): RawHeaders {
    return this.#uploadTrailers;
  }

  /** A client that still uploads what nobody reads may stop. Source: RFC 9113 section 8.1 (read 2026-11-27). */
  stop(): void {
    this.#isUploadUnwanted = true;
    if (this.#isSent && !this.#stream.isRemoteEnded) this.#stream.reset(errorCodes.noError);
  }

  onData(piece: Buffer): void {
    this.#uploadListener?.onData(piece);
  }

  onEnd(rawTrailers: string[]): void {
    this.#uploadTrailers = rawTrailers;
    this.#uploadListener?.onEnd();
  }

  onDrain(): void {
    this.#listener?.onDrain();
  }

  onSent(): void {
    this.#isSent = true;
    if (this.#isUploadUnwanted) this.stop();
  }

  onClosed(end: StreamEnd): void {
    this.#end = end;
    this.#facts.onOver();
    this.#uploadListener?.onClosed();
    this.#tellClosed(end);
  }

  #tellClosed({ code, lost, isRefused }: StreamEnd): void {
    const isWhole = code === errorCodes.noError && lost === null && this.#isSent;
    const who = isRefused ? 'llmtap, for the request breaks HTTP/2,' : 'the client';
    this.#listener?.onClosed(isWhole ? undefined : new StreamReset(code || errorCodes.cancel, who));
  }

  #sendHead(isEnd: boolean): void {
    const head = this.#head;
    this.#head = null;
    if (head === null) return;
    this.#isHeadSent = true;
    this.#stream.writeHead(head, isEnd);
  }
}

/** What a client hears of a provider that reset its stream, or that failed otherwise. */
function readResetCode(error: unknown): number {
  return error instanceof StreamReset ? error.resetCode : errorCodes.internalError;
}
