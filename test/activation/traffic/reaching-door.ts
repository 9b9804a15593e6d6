import http from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import {
  describeUpstreamError,
  errorHeader,
  type InProcessTls,
  readHeaderValue,
  tlsHeader,
  writeHeaderValue,
} from '../../../src/core/in-process.js';

export interface ReachingDoor {
  readonly port: number;
  /** Headers of every CONNECT so far. */
  readonly asked: http.IncomingHttpHeaders[];
  close(): Promise<void>;
}

/** The smallest door that keeps the contract for callers in the process: reaches the provider first, then answers. */
export async function openReachingDoor(plainPorts: ReadonlySet<number>): Promise<ReachingDoor> {
  const sockets = new Set<Socket>();
  const asked: http.IncomingHttpHeaders[] = [];
  const server = http.createServer();
  server.on('connection', (socket: Socket) => sockets.add(socket) && socket.on('error', () => socket.destroy()));
  server.on('connect', (request: http.IncomingMessage, client: Socket) => {
    asked.push(request.headers);
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
    const given = request.headers[tlsHeader];
    const own = (typeof given === 'string' ? readHeaderValue(given) : {}) as InProcessTls;
    const upstream = plainPorts.has(target.port)
      ? net.connect(target)
      : tls.connect({
          servername: net.isIP(target.host) === 0 ? target.host : '',
          ...target,
          ...(own as tls.ConnectionOptions),
        });
    upstream.once(plainPorts.has(target.port) ? 'connect' : 'secureConnect', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.once('error', (error) => {
      const told = writeHeaderValue(describeUpstreamError(error));
      client.end(`HTTP/1.1 502 Bad Gateway\r\n${errorHeader}: ${told}\r\nContent-Length: 0\r\n\r\n`);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
