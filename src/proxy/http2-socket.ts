import type { TLSSocket } from 'node:tls';
import { Http2Session, type SessionOptions, type SessionPorts } from '../http2/session.js';

/** How long what has broken HTTP/2 may take to read why it is left, milliseconds. */
const goodbyeMs = 1000;

/** Speaks HTTP/2 on a connection that has chosen it: the one place where its frames meet a socket. */
export function openHttp2Session(
  socket: TLSSocket,
  options: SessionOptions,
  ports: Omit<SessionPorts, 'write' | 'end'>,
): Http2Session {
  let lastError: Error | null = null;
  const session = new Http2Session(options, {
    ...ports,
    write: (pieces) => writeAll(socket, pieces),
    end: (isFaulty) => {
      socket.destroySoon();
      if (isFaulty) setTimeout(() => socket.destroy(), goodbyeMs).unref();
    },
  });
  // NOTE: small frames would wait for the acknowledgement of those before them, 40 ms and more.
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => session.receive(chunk));
  socket.on('drain', () => session.drained());
  socket.on('error', (error) => {
    lastError = error;
  });
  // The other end will say nothing more, not even what it has read.
  socket.once('end', () => socket.destroy());
  socket.once('close', () => session.lose(lastError));
  return session;
}

function writeAll(socket: TLSSocket, pieces: readonly Buffer[]): boolean {
  if (!socket.writable) return true;
  const [first, ...others] = pieces;
  if (first === undefined) return true;
  if (others.length === 0) return socket.write(first);
  socket.cork();
  let mayFollow = socket.write(first);
  for (const piece of others) mayFollow = socket.write(piece);
  socket.uncork();
  return mayFollow;
}
