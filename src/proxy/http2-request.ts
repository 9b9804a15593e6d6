import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { Readable } from 'node:stream';
import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { RawHeaders } from '../core/wire.js';
import { readContentLength } from './content-length.js';
import type { Http2Connection } from './http2-connection.js';
import { dropPseudoHeaders, findRawHeaders, type Http2Headers, makeHttp2Headers } from './http2-headers.js';
import { pickSendableHeaders } from './sendable-headers.js';
import { resetCodes, resetStream, StreamReset } from './stream-reset.js';
import type { UpstreamRequest } from './upstream.js';

const endStreamFlag = 1;

/**
 * Sends a request on a stream of its own and tells what comes back. `onUnprocessed` is called instead, at most once, when
 * the provider is known not to have looked at it and it can be sent again: its connection was ending, or had as many
 * streams as it takes. Source: RFC 9113 section 8.7 (read 2026-11-27).
 */
export function sendOverHttp2(
  connection: Http2Connection,
  {
    request,
    handler,
    onUnprocessed,
  }: {
    readonly request: UpstreamRequest;
    readonly handler: ReplyHandler;
    readonly onUnprocessed: (() => void) | null;
  },
): void {
  const { body } = request;
  const control = new StreamControl();
  handler.onStart(control);
  let stream: ClientHttp2Stream;
  try {
    if (control.reason !== null) throw control.reason;
    stream = connection.request(makeHeaders(request), {
      endStream: body === null,
      waitForTrailers: body instanceof Readable,
    });
  } catch (error) {
    if (control.reason === null && connection.isOver && onUnprocessed !== null) return onUnprocessed();
    if (body instanceof Readable) body.destroy();
    handler.onError(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  control.stream = stream;
  new StreamReading(connection, stream, { handler, control, request, onUnprocessed }).start();
  if (body instanceof Readable) sendStream(body, stream, request.readTrailers ?? (() => []));
  else if (body !== null) stream.end(body);
}

/** With back-pressure; a body that breaks off is a request given up, never one that ended. */
function sendStream(body: Readable, stream: ClientHttp2Stream, readTrailers: () => RawHeaders): void {
  body.on('error', () => resetStream(stream, resetCodes.cancel));
  stream.on('wantTrailers', () => {
    if (!stream.closed) stream.sendTrailers(makeHttp2Headers(readTrailers()));
  });
  stream.once('close', () => body.destroy());
  body.pipe(stream);
}

function makeHeaders({ destination, method, path, rawHeaders }: UpstreamRequest): Http2Headers {
  const { host = destination.origin.host, ...headers } = makeHttp2Headers(pickSendableHeaders(rawHeaders));
  return { ':method': method, ':scheme': 'https', ':authority': host, ':path': path, ...headers };
}

class StreamControl implements ReplyControl {
  stream: ClientHttp2Stream | null = null;
  reason: Error | null = null;

  pause(): void {
    this.stream?.pause();
  }

  resume(): void {
    this.stream?.resume();
  }

  abort(reason: Error): void {
    this.reason ??= reason;
    const code = reason instanceof StreamReset ? reason.resetCode : resetCodes.cancel;
    if (this.stream !== null) resetStream(this.stream, code);
  }
}

interface Reading {
  readonly handler: ReplyHandler;
  readonly control: StreamControl;
  readonly request: UpstreamRequest;
  readonly onUnprocessed: (() => void) | null;
}

class StreamReading {
  readonly #connection: Http2Connection;
  readonly #stream: ClientHttp2Stream;
  readonly #reading: Reading;
  #hasHead = false;
  #isOver = false;
  /** What came with the head, and before it: node:http2 tells of a head one tick later than it reads it. */
  #early: Buffer[] = [];
  #trailers: string[] = [];
  /** Bytes of body still to come, as the head says it. */
  #bytesLeft: number | null = null;
  /** The provider has said that nothing follows. */
  #isEnded = false;

  constructor(connection: Http2Connection, stream: ClientHttp2Stream, reading: Reading) {
    this.#connection = connection;
    this.#stream = stream;
    this.#reading = reading;
  }

  start(): void {
    const { handler } = this.#reading;
    const stream = this.#stream;
    let error: Error | null = null;
    this.#watchEnd();
    stream.on('headers', (headers: IncomingHttpHeaders & IncomingHttpStatusHeader, ...rest: unknown[]) => {
      const status = headers[':status'] ?? 0;
      // A 100 answers an Expect, which is between client and tap.
      if (status > 100) handler.onInterim?.(status, dropPseudoHeaders(findRawHeaders(rest)));
    });
    stream.on('response', (headers, flags, ...rest: unknown[]) =>
      this.#onHead(headers, flags, findRawHeaders([flags, ...rest])),
    );
    stream.on('trailers', (_headers, flags, ...rest: unknown[]) => {
      this.#trailers = dropPseudoHeaders(findRawHeaders([flags, ...rest]));
    });
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('end', () => this.#onEnd());
    stream.on('error', (cause: Error) => {
      error = cause;
    });
    stream.on('close', () => this.#onClose(error));
  }

  #onHead(headers: IncomingHttpHeaders & IncomingHttpStatusHeader, flags: number, raw: RawHeaders): void {
    if (this.#hasHead) return;
    this.#hasHead = true;
    const rawHeaders = dropPseudoHeaders(raw);
    const isWhole = (flags & endStreamFlag) !== 0;
    if (!isWhole) this.#bytesLeft = readContentLength(rawHeaders);
    this.#reading.handler.onHead(headers[':status'] ?? 0, '', rawHeaders, isWhole);
    for (const chunk of this.#early.splice(0)) this.#onData(chunk);
  }

  #onData(chunk: Buffer): void {
    if (!this.#hasHead) return void this.#early.push(chunk);
    if (this.#bytesLeft !== null) this.#bytesLeft -= chunk.length;
    this.#reading.handler.onData(chunk);
  }

  /**
   * NOTE: node:http2 tells an 'end' of streams that were cut, too, and of one reset with NO_ERROR, by which Envoy gives up a
   * reply, nothing else. But only one that its provider has ended gets its end before it is closed.
   */
  #watchEnd(): void {
    const stream = this.#stream;
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !stream.closed) this.#isEnded = true;
      return push(chunk, encoding);
    };
  }

  #onEnd(): void {
    // Node's own servers may reset a reply with NO_ERROR when all of it is sent, ahead of its end.
    const isWhole = this.#isEnded || (this.#stream.rstCode === resetCodes.noError && this.#bytesLeft === 0);
    if (this.#isOver || !this.#hasHead || !isWhole) return;
    this.#isOver = true;
    this.#reading.handler.onEnd(this.#trailers);
  }

  #onClose(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { handler, control, request, onUnprocessed } = this.#reading;
    const { rstCode } = this.#stream;
    const isRefused = rstCode === resetCodes.refusedStream || this.#connection.hasPassedOver(this.#stream);
    const isUnprocessed = !this.#hasHead && isRefused;
    if (isUnprocessed && onUnprocessed !== null && !(request.body instanceof Readable)) return onUnprocessed();
    if (control.reason !== null) handler.onError(control.reason);
    else if (this.#connection.isLost) handler.onError(makeLostError(error));
    else handler.onError(new StreamReset(rstCode, 'the provider'));
  }
}

/** The connection went, and its streams with it; of that node:http2 tells most streams nothing. */
function makeLostError(error: Error | null): Error {
  const message = 'the connection ended with the reply under way';
  return Object.assign(new Error(error === null ? message : `${message}: ${error.message}`), { code: 'ECONNRESET' });
}
