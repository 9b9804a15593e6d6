import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { endWhenDeaf } from './http2-deaf.js';
import { findRawHeaders, type Http2RequestHead, readRequestHead } from './http2-headers.js';
import { resetCodes, resetStream } from './stream-reset.js';

/**
 * Headers of a request up to this size are read. NOTE: nghttp2 takes a block of up to nine frames of 16 KiB, and ends the
 * whole connection at more (NGHTTP2_DEFAULT_MAX_CONTINUATIONS, measured with 1.61).
 */
const maxHeaderBytes = 128 * 1024;

const options = {
  settings: {
    maxConcurrentStreams: 256,
    maxHeaderListSize: maxHeaderBytes,
    // What a client may send on a stream before the provider has taken it: the bound on what an upload holds in memory.
    initialWindowSize: 256 * 1024,
  },
  maxHeaderListPairs: 4000,
  maxSendHeaderBlockLength: maxHeaderBytes,
  // Megabytes, all streams of a connection together; above it node:http2 refuses new streams.
  maxSessionMemory: 512,
};

/** NOTE: as large as all streams' windows: node:http2 gives back the connection's as bytes come, read or not. */
const connectionWindowBytes = 8 * 1024 * 1024;

export interface Http2Handlers {
  onStream(stream: ServerHttp2Stream, head: Http2RequestHead): void;
  /** The handler threw; the stream was reset. */
  onProblem(error: Error): void;
}

/** Serves HTTP/2 on a decrypted connection. The returned session ends it, what is under way first, by `close`. */
export function serveHttp2(socket: TLSSocket, handlers: Http2Handlers): ServerHttp2Session {
  // NOTE: only a tls.Server says so of its sockets, and node:http2 waits for it (lib/_tls_wrap.js, Node 20.20).
  Object.assign(socket, { secureConnecting: false });
  const session = http2.performServerHandshake(socket, options);
  // A client that will send nothing more cannot even say what it has read; the door's sockets stay half open otherwise.
  socket.once('end', () => socket.destroy());
  // Its streams hear of it by their own 'close'.
  session.on('error', () => undefined);
  session.once('connect', () => {
    if (!session.destroyed) session.setLocalWindowSize(connectionWindowBytes);
  });
  let open = 0;
  endWhenDeaf({ session, socket, isBusy: () => open > 0 });
  session.on('stream', (stream, headers: IncomingHttpHeaders, _flags: number, ...rest: unknown[]) => {
    open += 1;
    stream.once('close', () => (open -= 1));
    // NOTE: until somebody listens, an error of a stream is an error of the process.
    stream.on('error', () => undefined);
    try {
      if (headers.expect?.toLowerCase() === '100-continue') stream.additionalHeaders({ ':status': 100 });
      const head = readRequestHead(findRawHeaders(rest));
      // A CONNECT inside a tunnel, which nobody asks of a provider.
      if (head.path === '') stream.respond({ ':status': 405 }, { endStream: true });
      else handlers.onStream(stream, head);
    } catch (error) {
      // One stream's trouble is its own: the others go on.
      resetStream(stream, resetCodes.internalError);
      handlers.onProblem(error instanceof Error ? error : new Error(String(error)));
    }
  });
  return session;
}

/** Whether a decrypted connection is to be served so. */
export function isHttp2(socket: Socket): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).alpnProtocol === 'h2';
}
