import http from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';

/** What stands where the tap does when an agent is run without it: every tunnel leads to one port, unread. */
export interface DirectProxy {
  readonly url: string;
  close(): Promise<void>;
}

/** Opens a proxy that leads every CONNECT to `port` of this machine, as `--connect-to` leads the tap. */
export async function openDirectProxy(port: number): Promise<DirectProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.once('close', () => sockets.delete(socket));
  };
  const server = http.createServer((_request, response) => response.writeHead(502).end());
  server.on('connection', keep);
  server.on('connect', (_request: http.IncomingMessage, client: Socket, head: Buffer) => {
    const far = keep(net.connect({ host: '127.0.0.1', port, noDelay: true }));
    far.once('connect', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      far.write(head);
      client.pipe(far).pipe(client);
    });
    far.on('error', () => client.destroy());
    client.on('error', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
