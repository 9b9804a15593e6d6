import type { ServerHttp2Stream } from 'node:http2';
import type { RawHeaders } from '../core/wire.js';
import type { ClientListener, ClientSide, Upload } from './client-side.js';
import { readContentLength } from './content-length.js';
import {
  dropPseudoHeaders,
  findRawHeaders,
  type Http2Headers,
  type Http2RequestHead,
  makeHttp2Headers,
} from './http2-headers.js';
import { resetCodes, resetStream, StreamReset } from './stream-reset.js';

/** Statuses whose replies have no body. Source: RFC 9110 section 6.4.1 (read 2026-11-27). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);
const nothing = Buffer.alloc(0);

/** One request of HTTP/2 and its reply: a stream. */
export class Http2Client implements ClientSide {
  readonly protocol = 'h2';
  readonly method: string;
  readonly rawHeaders: RawHeaders;
  readonly upload: Upload;
  readonly #stream: ServerHttp2Stream;
  /** The head until it is sent: with the end, where nothing follows it. */
  #head: { readonly status: number; readonly headers: Http2Headers } | null = null;
  #hasBody = true;
  #trailers: Http2Headers = {};
  readonly #isInProcess: boolean;
  #isUploadUnwanted = false;
  #waitsForTrailers = false;
  #isSent = false;

  /** @param isInProcess whether a provider's failure is a reset for it, too, where no reply has begun */
  constructor(stream: ServerHttp2Stream, head: Http2RequestHead, isInProcess = false) {
    this.#stream = stream;
    this.#isInProcess = isInProcess;
    this.method = head.method;
    this.rawHeaders = head.rawHeaders;
    const bytes = readContentLength(head.rawHeaders);
    let trailers: RawHeaders = [];
    if (!stream.endAfterHeaders)
      stream.once('trailers', (_headers, ...rest: unknown[]) => {
        trailers = dropPseudoHeaders(findRawHeaders(rest));
      });
    this.upload = {
      ...{ stream, isAnnounced: !stream.endAfterHeaders, bytes, isChunked: false },
      readTrailers: () => trailers,
      isCut: () => stream.aborted,
      stop: () => this.#stopUpload(),
    };
  }

  listen({ onClosed, onDrain }: ClientListener): void {
    const stream = this.#stream;
    stream.on('close', () => {
      const { rstCode, writableEnded } = stream;
      const isWhole = rstCode === 0 && writableEnded;
      onClosed(isWhole ? undefined : new StreamReset(rstCode || resetCodes.cancel, 'the client'));
    });
    stream.on('drain', onDrain);
    // Told by 'close' as well.
    stream.on('error', () => undefined);
    stream.on('wantTrailers', () => {
      if (!this.#isOpen) return;
      stream.sendTrailers(this.#trailers);
      this.#onSent();
    });
  }

  writeInterim(status: number, rawHeaders: RawHeaders): void {
    // What there is of no protocol switches, nor of a 100 after ours.
    if (status <= 101 || !this.#isOpen || this.#stream.headersSent || this.#head !== null) return;
    this.#stream.additionalHeaders({ ':status': status, ...makeHttp2Headers(rawHeaders) });
  }

  writeHead(status: number, _statusMessage: string, rawHeaders: RawHeaders): void {
    if (status < 200 || status > 599) throw new Error(`HTTP/2 has no status ${status}`);
    this.#head = { status, headers: makeHttp2Headers(rawHeaders) };
    this.#hasBody = this.method !== 'HEAD' && !bodiless.has(status);
  }

  flushHead(): void {
    this.#sendHead(this.#hasBody ? 'open' : 'alone');
  }

  write(bytes: Buffer): boolean {
    this.#sendHead(this.#hasBody ? 'open' : 'alone');
    return !this.#isOpen || !this.#hasBody || this.#stream.write(bytes);
  }

  end(lastPiece: Buffer | null, rawTrailers: RawHeaders): void {
    const hasTrailers = rawTrailers.length > 0;
    this.#trailers = makeHttp2Headers(rawTrailers);
    if (!this.#hasBody || (lastPiece === null && !hasTrailers)) this.#sendHead('alone');
    else this.#sendHead(hasTrailers ? 'open' : 'whole');
    if (!this.#isOpen || !this.#hasBody) return;
    if (!this.#waitsForTrailers) this.#stream.once('finish', () => this.#onSent());
    if (lastPiece === null) this.#stream.end();
    else this.#stream.end(lastPiece);
  }

  cut(error: unknown): void {
    const code = readResetCode(error);
    this.#sendHead('open');
    if (!this.#isOpen || this.#stream.writableEnded) return this.#reset(code);
    // Closing drops what waits to be written: it goes first.
    this.#stream.write(nothing, () => this.#reset(code));
  }

  findRefusal(error: unknown): (() => void) | undefined {
    const isToMeet = this.#isInProcess || error instanceof StreamReset;
    return isToMeet ? () => this.#reset(readResetCode(error)) : undefined;
  }

  /** A client that still uploads what nobody reads may stop. Source: RFC 9113 section 8.1 (read 2026-11-27). */
  #stopUpload(): void {
    this.#isUploadUnwanted = true;
    if (this.#isSent && !this.#stream.readableEnded) resetStream(this.#stream, resetCodes.noError);
  }

  #onSent(): void {
    this.#isSent = true;
    if (this.#isUploadUnwanted) this.#stopUpload();
  }

  #reset(code: number): void {
    resetStream(this.#stream, code);
  }

  get #isOpen(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed;
  }

  /** @param follows nothing; a body that is here to its end; or what is not known yet */
  #sendHead(follows: 'alone' | 'whole' | 'open'): void {
    const head = this.#head;
    this.#head = null;
    if (head === null || !this.#isOpen) return;
    const { status, headers } = head;
    // NOTE: not for trailers alone: without, node:http2 ends a stream that is reset as if it were whole.
    this.#waitsForTrailers = follows === 'open';
    const how = { endStream: follows === 'alone', waitForTrailers: this.#waitsForTrailers, sendDate: false };
    try {
      this.#stream.respond({ ':status': status, ...headers }, how);
    } catch {
      // What node:http2 will not send, though HTTP/1.1 could: the client hears that there is no reply.
      this.#reset(resetCodes.internalError);
    }
  }
}

/** What a client hears of a provider that reset its stream, or that failed otherwise. */
function readResetCode(error: unknown): number {
  return error instanceof StreamReset ? error.resetCode : resetCodes.internalError;
}
