import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect, type PeerCertificate, type SecureContext, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';

/**
 * A TLS server on loopback that answers every connection with one HTTP reply. Closed when the test ends. Returns its
 * port.
 */
export async function openTlsServer(secureContext: SecureContext, address = '127.0.0.1'): Promise<number> {
  const sockets = new Set<TLSSocket>();
  const server = createServer((raw) => {
    const socket = new TLSSocket(raw, { isServer: true, secureContext });
    sockets.add(socket);
    raw.on('error', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok'));
  });
  server.listen(0, address);
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

/** Shakes hands as a strict client does and returns the server's certificate. Rejects when it is not trusted. */
export async function shakeHands(options: {
  readonly port: number;
  readonly ca: string;
  readonly address?: string;
  /** The name asked for and checked; the address when absent. */
  readonly servername?: string;
}): Promise<PeerCertificate> {
  const { port, ca, address = '127.0.0.1', servername } = options;
  const socket = connect({ port, host: address, ca, ...(servername === undefined ? {} : { servername }) });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate();
  } finally {
    socket.destroy();
  }
}
