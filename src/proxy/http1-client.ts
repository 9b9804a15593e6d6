import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { findSystemCode } from '../core/errors.js';
import type { RawHeaders } from '../core/wire.js';
import type { ClientListener, ClientSide, Upload } from './client-side.js';
import { makeReplyHeaders } from './reply-headers.js';

/** Where a client is. */
export interface ClientPlace {
  /** The accepted connection its requests come by, whatever runs on that. */
  readonly root: Socket;
  /** It is this process itself, and is to meet a provider's failure as it would without us. */
  readonly isInProcess: boolean;
}

/** One request of HTTP/1.x and its reply. */
export class Http1Client implements ClientSide {
  readonly protocol = 'http/1.1';
  readonly method: string;
  readonly rawHeaders: RawHeaders;
  readonly upload: Upload;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #place: ClientPlace;

  constructor(request: IncomingMessage, response: ServerResponse, place: ClientPlace) {
    this.method = request.method ?? 'GET';
    this.rawHeaders = request.rawHeaders;
    this.upload = readUpload(request);
    this.#request = request;
    this.#response = response;
    this.#place = place;
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
    // One that says no length ends with its connection here as well.
    if (!saysLength(rawHeaders)) this.#response.useChunkedEncodingByDefault = false;
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

  cut(error: unknown, unread: Buffer | null): void {
    const response = this.#response;
    const { socket } = response;
    // A pipelined reply whose turn has not come is cut when it has; those before it stay whole.
    if (socket === null) return void response.destroy();
    // What follows in chunks here as there is read alike.
    const last = response.chunkedEncoding && unread !== null ? unread : nothing;
    setImmediate(() => socket.write(last, () => cutAsProvider(this.#place.root, error)));
  }

  /** It can only end the connection, and with it whatever else was asked on it; clients of this process want that. */
  findRefusal(error: unknown, unread: Buffer | null): (() => void) | undefined {
    const { root, isInProcess } = this.#place;
    if (!isInProcess) return undefined;
    const { socket } = this.#response;
    if (unread === null || socket === null) return () => cutAsProvider(root, error);
    return () => void socket.write(unread, () => cutAsProvider(root, error));
  }
}

const nothing = Buffer.alloc(0);
const lengthHeaders: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

function saysLength(rawHeaders: RawHeaders): boolean {
  return rawHeaders.some((value, i) => i % 2 === 0 && lengthHeaders.has(value.toLowerCase()));
}

/** Source for when there is a body: RFC 9112 section 6.3 (read 2026-11-21). */
function readUpload(request: IncomingMessage): Upload {
  const length = request.headers['content-length'];
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  return {
    isAnnounced: isChunked || (length !== undefined && length !== '0'),
    bytes: isChunked || length === undefined ? null : Number(length),
    isChunked,
    read: ({ onData, onEnd, onError, onClosed }) => {
      request.on('data', onData).on('end', onEnd).on('close', onClosed);
      request.on('error', (error) => onError?.(error));
    },
    pause: () => void request.pause(),
    resume: () => void request.resume(),
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
