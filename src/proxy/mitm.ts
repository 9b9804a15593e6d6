import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Proxy as MitmProxy } from 'http-mitm-proxy';
import { toError } from '../core/errors.js';

/** What arrives on any door, told from whichever connection it came by. */
export interface MitmHandlers {
  onConnect(request: IncomingMessage, socket: Socket, head: Buffer): void;
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
  onProblem(kind: string, error: Error): void;
}

/** Request heads up to this size are read; Node's own bound is 16 KiB. */
const maxHeaderBytes = 256 * 1024;

/** How long a client may go on sending what was refused before its connection is cut. */
const lingerMs = 1000;

/**
 * http-mitm-proxy 1.1.0, its engine replaced and its faults closed behind this one file: it makes no CA and no
 * certificate (ours does, in `ca/`), opens no port of its own (listeners hand their sockets to `accept`), takes
 * no loopback hop, builds no path from a host name, never prints, and answers CONNECT in one write (in
 * `connect.ts`). What stays the package's is the proxy object, its hook registries and their order.
 *
 * NOTE: the overridden methods are public in the package's own types, but not promised: the version is pinned.
 */
export class Mitm extends MitmProxy {
  readonly #handlers: MitmHandlers;
  readonly #server: http.Server;
  /** The last reply begun on a connection. */
  readonly #replies = new WeakMap<Duplex, ServerResponse>();

  constructor(handlers: MitmHandlers) {
    super();
    this.#handlers = handlers;
    this.onConnect((request, socket, head: Buffer) => handlers.onConnect(request, socket as Socket, head));
    this.onError((_context, error, kind) => handlers.onProblem(kind ?? 'UNKNOWN', error ?? new Error('unknown')));
    this.#server = this.#openServer();
    this.httpServer = this.#server;
  }

  /** Takes a connection, plain or already decrypted, and serves what comes over it. */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
    // A connection that was looked into is paused, and a listener for data alone does not start it again.
    if (socket.isPaused()) socket.resume();
  }

  /** Nothing to listen on: the doors listen, one a session. */
  override listen(): this {
    return this;
  }

  override close(): this {
    this.#server.removeAllListeners();
    return this;
  }

  override _onHttpServerConnect(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // In order, not in parallel as the package does; the first that does not call back owns the socket.
    const handlers = [...this.onConnectHandlers];
    const next = (error?: Error | null): void => {
      if (error) return this._onError('ON_CONNECT_ERROR', null, error);
      const handler = handlers.shift();
      handler?.call(this, request, socket, head, next);
    };
    next();
  }

  override _onHttpServerRequest(_isSsl: boolean, request: IncomingMessage, response: ServerResponse): void {
    this.#handlers.onRequest(request, response);
  }

  override _onSocketError(description: string, error: NodeJS.ErrnoException): void {
    this._onError(`${description}_ERROR`, null, error);
  }

  /** The package prints and answers with the error's text here; neither is ours to do. */
  override _onError(kind: string, _context: null, error: Error): void {
    for (const handler of this.onErrorHandlers) handler(null, error, kind);
  }

  #openServer(): http.Server {
    const server = http.createServer({ maxHeaderSize: maxHeaderBytes, insecureHTTPParser: false, keepAlive: false });
    // No timeouts: how long a model may think is the client's to decide.
    server.timeout = 0;
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.keepAliveTimeout = 0;
    server.maxHeadersCount = 0;
    server.on('connect', (request, socket, head) =>
      this.#guard(socket, () => this._onHttpServerConnect(request, socket, head)),
    );
    server.on('request', (request, response) => {
      this.#replies.set(request.socket, response);
      this.#guard(request.socket, () => this._onHttpServerRequest(false, request, response));
    });
    server.on('upgrade', (request, socket, head) =>
      this.#guard(socket, () => this.#handlers.onUpgrade(request, socket as Socket, head)),
    );
    server.on('clientError', (error, socket) => this.#onClientError(error, socket));
    return server;
  }

  /** One connection's trouble is its own: it is cut, and the others go on. */
  #guard(socket: Duplex, work: () => void): void {
    try {
      work();
    } catch (error) {
      socket.destroy();
      this._onError('HANDLER_ERROR', null, toError(error));
    }
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const reply = this.#replies.get(socket);
    // Nothing is written into a reply that is under way.
    if (reply !== undefined && !reply.writableFinished) socket.destroy();
    else refuseMalformed(error, socket);
  }
}

/** Bytes that are no HTTP: a clear 400, as any server would give, and the end of the connection. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  const isParseError = error.code?.startsWith('HPE_') ?? false;
  if (!isParseError || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  // A client still sending would lose the answer to a reset: what comes is read into nothing for a moment.
  // NOTE: `on('data')`, not `resume`, is what makes node:http's parser let go of the connection.
  socket
    .removeAllListeners('data')
    .removeAllListeners('end')
    .on('data', () => undefined);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer));
}
