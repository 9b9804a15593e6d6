import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errorCodes } from '../http2/codes.js';
import type { Http2Session, SessionOptions } from '../http2/session.js';
import type { Http2Stream } from '../http2/stream.js';
import { type Http2RequestHead, readRequestHead } from './http2-headers.js';
import { openHttp2Session } from './http2-socket.js';

const options: SessionOptions = {
  isServer: true,
  maxStreams: 256,
  maxHeaderBytes: 128 * 1024,
  // What a client may send on a stream before the provider has taken it: the bound on what an upload holds in memory.
  windowBytes: 256 * 1024,
  connectionWindowBytes: 8 * 1024 * 1024,
};

export interface Http2Handlers {
  /** @param isEnd whether the request has no body */
  readonly onStream: (stream: Http2Stream, head: Http2RequestHead, isEnd: boolean) => void;
  /** The handler threw; the stream was reset. */
  readonly onProblem: (error: Error) => void;
}

/** Serves HTTP/2 on a decrypted connection. The returned session ends it, what is under way first, by `close`. */
export function serveHttp2(socket: TLSSocket, { onStream, onProblem }: Http2Handlers): Http2Session {
  return openHttp2Session(socket, options, {
    onProblem,
    onLeaving: () => undefined,
    onStream: (stream, raw, isEnd) => {
      const head = readRequestHead(raw);
      if (head.method === 'CONNECT') return refuseConnect(stream, isEnd);
      if (asksToContinue(head)) stream.writeHead([':status', '100'], false);
      onStream(stream, head, isEnd);
    },
  });
}

/** A CONNECT inside a tunnel, which nobody asks of a provider. */
function refuseConnect(stream: Http2Stream, isEnd: boolean): void {
  stream.listen({ onData: ignore, onEnd: ignore, onDrain: ignore, onClosed: ignore });
  stream.writeHead([':status', '405'], true);
  // What it may still send is nobody's to read.
  if (!isEnd) stream.reset(errorCodes.noError);
}

const ignore = (): void => undefined;

function asksToContinue({ rawHeaders }: Http2RequestHead): boolean {
  const at = rawHeaders.indexOf('expect');
  return at % 2 === 0 && rawHeaders[at + 1]?.toLowerCase() === '100-continue';
}

/** Whether a decrypted connection is to be served so. */
export function isHttp2(socket: Socket): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).alpnProtocol === 'h2';
}
