import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { findSystemCode } from '../core/errors.js';
import type { RawHeaders } from '../core/wire.js';
import type { ClientListener, ClientSide, Upload } from './client-side.js';
import { makeReplyHeaders } from './reply-headers.js';

/** One request of HTTP/1.x and its reply. */
export class Http1Client implements ClientSide {
  readonly protocol = 'http/1.1';
  readonly method: string;
  readonly rawHeaders: RawHeaders;
  readonly upload: Upload;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.method = request.method ?? 'GET';
    this.rawHeaders = request.rawHeaders;
    this.upload = readUpload(request);
    this.#request = request;
    this.#response = response;
  }

  listen({ onClosed, onDrain }: ClientListener): void {
    const response = this.#response;
    response.sendDate = false;
    // NOTE: removing it before it was ever set is how node:http is told to add no Connection header of its own.
    response.removeHeader('connection');
    response.on('close', () => onClosed());
    // NOTE: a pipelined request's response has no socket yet, and hears nothing of its closing.
    if (response.socket === null) this.#request.socket.once('close', () => onClosed());
    response.on('error', () => undefined);
    response.on('drain', onDrain);
  }

  writeHead(status: number, statusMessage: string, rawHeaders: RawHeaders): void {
    this.#response.writeHead(status, statusMessage, makeReplyHeaders(this.#request, rawHeaders));
  }

  flushHead(): void {
    this.#response.flushHeaders();
  }

  write(bytes: Buffer): boolean {
    return this.#response.write(bytes);
  }

  end(lastPiece: Buffer | null, rawTrailers: RawHeaders): void {
    if (rawTrailers.length > 0) this.#response.addTrailers(pairUp(rawTrailers));
    if (lastPiece === null) this.#response.end();
    else this.#response.end(lastPiece);
  }

  cut(): void {
    const response = this.#response;
    const { socket } = response;
    // A pipelined reply whose turn has not come is cut when it has; those before it stay whole.
    if (socket === null) response.destroy();
    else setImmediate(() => socket.write('', () => response.destroy()));
  }

  /** It could only end the connection, and with it whatever else was asked on it. */
  findRefusal(): undefined {
    return undefined;
  }
}

/** Source for when there is a body: RFC 9112 section 6.3 (read 2026-11-21). */
function readUpload(request: IncomingMessage): Upload {
  const length = request.headers['content-length'];
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  return {
    stream: request,
    isAnnounced: isChunked || (length !== undefined && length !== '0'),
    bytes: isChunked || length === undefined ? null : Number(length),
    isChunked,
  };
}

function pairUp(raw: RawHeaders): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return pairs;
}

/** As the provider's own end would have reached the client: a reset as a reset, any other as an end. */
export function cutAsProvider(root: Socket, error: unknown): void {
  if (findSystemCode(error) === 'ECONNRESET') root.resetAndDestroy();
  else root.destroy();
}
