import type { TLSSocket } from 'node:tls';
import { Http2Client } from './http2-client.js';
import { serveHttp2 } from './http2-server.js';
import { type AskedRequest, type CallMaker, relayRequest } from './relay-request.js';
import type { SocketFacts } from './socket-register.js';

export interface StreamPorts extends CallMaker {
  readonly upstream: AskedRequest['upstream'];
  /** A request has come on this connection. */
  readonly onServed: () => void;
  readonly onProblem: (error: Error) => void;
}

/** Relays what is asked on a connection of HTTP/2. It comes through tunnels only: its requests say nothing of where they go. */
export function relayStreams(ports: StreamPorts, socket: TLSSocket, facts: SocketFacts | undefined): void {
  const { door, destination = null, isInProcess = false } = facts ?? {};
  if (door === undefined || destination === null) return void socket.destroy();
  const session = serveHttp2(socket, {
    onStream: (stream, head, isEnd) => {
      ports.onServed();
      const onOver = door.begin(socket);
      const client = new Http2Client(stream, { head, hasBody: !isEnd, isInProcess, onOver });
      relayRequest(ports, {
        ...{ door, client, target: { destination, path: head.path }, upstream: ports.upstream },
      });
    },
    onProblem: ports.onProblem,
  });
  door.endBy(socket, () => session.close());
}
