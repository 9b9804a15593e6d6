import type { Http2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';

/** What is asked on a deaf connection waits for two to three times as long, milliseconds. */
const everyMs = 5000;

export interface DeafWatch {
  readonly session: Http2Session;
  readonly socket: TLSSocket;
  /** Whether anything is under way: a connection without needs nobody to watch it. */
  readonly isBusy: () => boolean;
}

/**
 * Ends a connection that node:http2 reads no more without having said so. After a frame that breaks the rules of the whole
 * connection (of header compression, of frame sizes, of its states) nghttp2 says goodbye to the other end, and node:http2
 * stops reading: nobody here hears of it, nor that the other end has closed, and what is asked on it waits for ever. Source:
 * `Http2Session::MaybeStopReading`, src/node_http2.cc (measured, Node 20.20; drop it when a session tells its own GOAWAY).
 *
 * Such a session sends nothing either. So one on which nothing came is given settings that change none to send: what does
 * not even leave it, though its socket has nothing else to write, will never be answered. The other end may take its time.
 * Not a PING, which servers of gRPC count and end connections for (grpc/grpc, doc/keepalive.md, read 2026-11-27).
 */
export function endWhenDeaf({ session, socket, isBusy }: DeafWatch): void {
  let readBefore = -1;
  /** What had been written before the settings that are still to be acknowledged. */
  let writtenBefore: number | null = null;
  const look = (): void => {
    if (session.destroyed || session.connecting || !isBusy()) return;
    const { bytesRead, bytesWritten } = socket;
    if (bytesWritten === writtenBefore && readWriteQueue(socket) === 0) return endAtOnce(session, socket);
    if (bytesRead === readBefore && writtenBefore === null) {
      writtenBefore = bytesWritten;
      session.settings({}, () => {
        writtenBefore = null;
      });
    }
    readBefore = bytesRead;
  };
  const timer = setInterval(look, everyMs).unref();
  session.once('close', () => clearInterval(timer));
}

/** Ends a connection whose other end may read nothing more: node:http2 alone would wait until that has read all. */
export function endAtOnce(session: Http2Session, socket: TLSSocket): void {
  session.destroy();
  socket.destroy();
}

/** What waits to be written. NOTE: node:http2 writes by the socket's handle, and no property of the socket's own knows of it. */
function readWriteQueue(socket: TLSSocket): number | undefined {
  const { _handle: handle } = socket as TLSSocket & { readonly _handle?: { readonly writeQueueSize?: number } | null };
  return handle?.writeQueueSize;
}
