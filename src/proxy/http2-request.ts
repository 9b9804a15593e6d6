import { Readable } from 'node:stream';
import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { RawHeaders } from '../core/wire.js';
import { errorCodes } from '../http2/codes.js';
import type { Http2Stream, StreamEnd, StreamEvents } from '../http2/stream.js';
import type { Http2Connection } from './http2-connection.js';
import { dropPseudoHeaders, listHttp2Headers } from './http2-headers.js';
import { pickSendableHeaders } from './sendable-headers.js';
import { StreamReset } from './stream-reset.js';
import type { UpstreamRequest } from './upstream.js';

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
  if (control.reason !== null) {
    if (body instanceof Readable) body.destroy();
    return handler.onError(control.reason);
  }
  const reading = new StreamReading({ handler, control, request, onUnprocessed });
  const stream = connection.request(makeHeaders(request), body === null, reading);
  control.stream = stream;
  if (body instanceof Readable) sendStream(body, stream, request.readTrailers ?? (() => []));
  else if (body !== null) stream.end(body);
}

/** With back-pressure; a body that breaks off is a request given up, never one that ended. */
function sendStream(body: Readable, stream: Http2Stream, readTrailers: () => RawHeaders): void {
  body.on('error', () => stream.reset(errorCodes.cancel));
  body.on('data', (chunk: Buffer) => {
    if (!stream.write(chunk)) body.pause();
  });
  // NOTE: node:http2's clients end what they give up, and take it back right after (measured, Node 20.20): one turn later.
  body.on('end', () => setImmediate(() => stream.end(null, listHttp2Headers(readTrailers()))));
}

function makeHeaders({ destination, method, path, rawHeaders }: UpstreamRequest): RawHeaders {
  const headers = listHttp2Headers(pickSendableHeaders(rawHeaders));
  const at = headers.findIndex((name, i) => i % 2 === 0 && name === 'host');
  const [, host = destination.origin.host] = at === -1 ? [] : headers.splice(at, 2);
  return [':method', method, ':scheme', 'https', ':authority', host, ':path', path, ...headers];
}

class StreamControl implements ReplyControl {
  stream: Http2Stream | null = null;
  reason: Error | null = null;

  pause(): void {
    this.stream?.pause();
  }

  resume(): void {
    this.stream?.resume();
  }

  abort(reason: Error): void {
    this.reason ??= reason;
    this.stream?.reset(reason instanceof StreamReset ? reason.resetCode : errorCodes.cancel);
  }
}

interface Reading {
  readonly handler: ReplyHandler;
  readonly control: StreamControl;
  readonly request: UpstreamRequest;
  readonly onUnprocessed: (() => void) | null;
}

class StreamReading implements StreamEvents {
  readonly #reading: Reading;
  #hasHead = false;
  #isOver = false;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  onHead(status: number, raw: string[], isEnd: boolean): void {
    const { handler } = this.#reading;
    const rawHeaders = dropPseudoHeaders(raw);
    // A 100 answers an Expect, which is between client and tap.
    if (status <= 100) return;
    if (status < 200) return handler.onInterim?.(status, rawHeaders);
    this.#hasHead = true;
    handler.onHead(status, '', rawHeaders, isEnd);
  }

  onData(chunk: Buffer): void {
    this.#reading.handler.onData(chunk);
  }

  onEnd(rawTrailers: string[]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { handler, control } = this.#reading;
    handler.onEnd(rawTrailers);
    // What a provider has not taken when it has answered it need never take, and the stream would be kept until it does.
    // Source: RFC 9113 section 8.1 (read 2026-11-28).
    if (control.stream?.isSent === false) control.stream.reset(errorCodes.noError);
  }

  onDrain(): void {
    const { body } = this.#reading.request;
    if (body instanceof Readable) body.resume();
  }

  onClosed({ code, lost, isRefused }: StreamEnd): void {
    const { handler, control, request, onUnprocessed } = this.#reading;
    const { body } = request;
    if (!this.#isOver && !this.#hasHead && code === errorCodes.refusedStream && onUnprocessed !== null) {
      const mayRepeat = !(body instanceof Readable) && control.reason === null;
      this.#isOver = mayRepeat;
      if (mayRepeat) return onUnprocessed();
    }
    if (body instanceof Readable) body.destroy();
    if (this.#isOver) return;
    this.#isOver = true;
    if (control.reason !== null) handler.onError(control.reason);
    else if (lost !== null) handler.onError(makeLostError(lost.error));
    // Node's own servers may reset a reply with NO_ERROR when all of it is sent, ahead of its end.
    else if (this.#hasHead && code === errorCodes.noError && control.stream?.bytesLeft === 0) handler.onEnd([]);
    else handler.onError(new StreamReset(code, isRefused ? 'llmtap, for the reply breaks HTTP/2,' : 'the provider'));
  }
}

/** The connection went, and its streams with it. */
function makeLostError(error: Error | null): Error {
  const message = 'the connection ended with the reply under way';
  return Object.assign(new Error(error === null ? message : `${message}: ${error.message}`), { code: 'ECONNRESET' });
}
