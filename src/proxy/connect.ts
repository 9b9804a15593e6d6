import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import net from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Origin } from '../core/wire.js';
import { chooseProtocol, type ServedProtocol } from './alpn.js';
import { type HostAndPort, normaliseHost, readAuthority } from './authority-form.js';
import { type ClientHello, readClientHello } from './client-hello.js';
import type { Connector, Destination } from './connector.js';
import type { Door } from './door.js';
import { formatUpstreamError, type InProcessClient, readInProcessClient } from './in-process.js';
import { type ReachPorts, reachFirst } from './reach-first.js';
import { formatSealed } from './sealed.js';
import { terminateTls } from './terminate.js';
import type { TrustWatch } from './trust-watch.js';
import { relayTunnel } from './tunnel.js';

export interface ConnectPorts extends ReachPorts {
  readonly connector: Connector;
  readonly leafFor: (host: string) => Promise<SecureContext>;
  /** Serves HTTP on a tunnel whose destination is known. */
  readonly serve: (socket: Socket, door: Door, served: Served) => void;
  readonly trustWatch: (door: Door) => TrustWatch;
  /** A client speaks what is not served, and is relayed unread. */
  readonly onUnserved: (door: Door, host: string, what: string) => void;
}

/** What a tunnel's requests are for, and whether its client is to meet failures as without us. */
export interface Served {
  readonly destination: Destination;
  readonly isInProcess: boolean;
}

const otherProtocols = 'neither HTTP/2 nor HTTP/1.1';

const badRequest = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/**
 * One write: clients that read the reply's head with one `data` event fail on two. Sent before any certificate
 * work, so the client's hello is already on its way.
 */
const established = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/** Decides what a CONNECT becomes: a tunnel nobody looks into, or TLS ended here, or plain HTTP served here. */
export function handleConnect(
  ports: ConnectPorts,
  client: { request: IncomingMessage; socket: Socket; head: Buffer },
  door: Door,
): void {
  const { request, socket, head } = client;
  const target = readAuthority(request.url ?? '', 443);
  const inProcess = readInProcessClient(request, socket);
  if (target === undefined || inProcess === undefined) {
    socket.end(badRequest);
    return;
  }
  const origin: Origin = { scheme: 'https', ...target };
  const isPlainProvider = ports.registry.isProvider({ ...origin, scheme: 'http' });
  const isTlsProvider = ports.registry.isProvider(origin);
  // An address says nothing of whose it is; the name is in the hello, which the client sends first.
  const isAddress = net.isIP(target.host) !== 0 && target.port === 443;
  const isHidden = inProcess !== null && inProcess.protocol === undefined;
  if (isHidden && isTlsProvider) ports.onUnserved(door, target.host, otherProtocols);
  if (isHidden || !(isTlsProvider || isPlainProvider || isAddress)) {
    if (door.isSealed) return void socket.end(formatSealed(door, origin));
    const refuse = inProcess === null ? {} : { refuse: formatUpstreamError };
    const { connector } = ports;
    void relayTunnel({ client: socket, door, connector, origin, head, greeting: established, ...refuse });
    return;
  }
  const userAgent = request.headers['user-agent'] ?? null;
  const open = (early = head): void => {
    socket.write(established);
    const tunnel = new OpenedTunnel(ports, door, { socket, target, userAgent, inProcess });
    peekHello(socket, early, (hello) => tunnel.decide(hello));
  };
  // Where both are served there, the first bytes tell which.
  // From a sealed session no provider is reached.
  if (inProcess === null || isTlsProvider === isPlainProvider || door.isSealed) return open();
  const serverName = inProcess.serverName ?? target.host;
  const destination: Destination = isTlsProvider
    ? { origin, serverName, profile: inProcess.profile }
    : { origin: { ...origin, scheme: 'http' }, serverName: target.host };
  const endReading = readEarly(socket, head);
  // A failure of ours costs this connection and no other.
  reachFirst(ports, { socket, inProcess }, { door, destination })
    .then((isReached) => (isReached ? open(endReading()) : undefined))
    .catch(() => socket.destroy());
}

/** More than this nobody says before he hears that he is connected. */
const maxEarlyBytes = 64 * 1024;

/** Reads from a client that is to wait, for one that leaves is noticed only so; the returned function ends it. */
function readEarly(socket: Socket, head: Buffer): () => Buffer {
  let bytes = head;
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length > maxEarlyBytes) socket.destroy();
  };
  socket.on('data', onData).resume();
  return () => {
    socket.off('data', onData).pause();
    return bytes;
  };
}

type Peeked = { readonly bytes: Buffer; readonly hello: ClientHello | null };

/** Waits for the whole ClientHello, or for bytes that are none; a client that leaves before is no error. */
function peekHello(socket: Socket, head: Buffer, onPeeked: (peeked: Peeked) => void): void {
  let bytes = head;
  const settle = (): boolean => {
    const reading = readClientHello(bytes);
    if (reading.kind === 'incomplete') return false;
    socket.off('data', onData).off('end', onEnd);
    socket.pause();
    onPeeked({ bytes, hello: reading.kind === 'hello' ? reading.hello : null });
    return true;
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    settle();
  };
  const onEnd = (): void => void socket.end();
  socket.on('data', onData).on('end', onEnd);
  if (settle()) return;
  socket.resume();
}

class OpenedTunnel {
  readonly #ports: ConnectPorts;
  readonly #door: Door;
  readonly #socket: Socket;
  readonly #target: HostAndPort;
  readonly #userAgent: string | null;
  readonly #inProcess: InProcessClient | null;

  constructor(
    ports: ConnectPorts,
    door: Door,
    tunnel: {
      readonly socket: Socket;
      readonly target: HostAndPort;
      readonly userAgent: string | null;
      readonly inProcess: InProcessClient | null;
    },
  ) {
    this.#ports = ports;
    this.#door = door;
    this.#socket = tunnel.socket;
    this.#target = tunnel.target;
    this.#userAgent = tunnel.userAgent;
    this.#inProcess = tunnel.inProcess;
  }

  decide({ bytes, hello }: Peeked): void {
    const { registry } = this.#ports;
    if (hello === null) {
      const plain: Origin = { scheme: 'http', ...this.#target };
      if (!registry.isProvider(plain)) return this.#relayBlind(bytes);
      if (isHttp2Preface(bytes)) {
        this.#ports.onUnserved(this.#door, plain.host, 'HTTP/2 without TLS');
        return this.#relayBlind(bytes);
      }
      this.#socket.unshift(bytes);
      return this.#serve(this.#socket, { origin: plain, serverName: plain.host });
    }
    const serverName = readPlainName(hello.serverName) ?? this.#target.host;
    // The target decides where; a name in the hello only says whose an address is.
    const origin: Origin = { scheme: 'https', host: this.#target.host, port: this.#target.port };
    if (!registry.isProvider(origin) && !registry.isProvider({ ...origin, host: serverName }))
      return this.#relayBlind(bytes);
    const protocol = chooseProtocol(hello.alpn);
    if (protocol === undefined) {
      this.#ports.onUnserved(this.#door, serverName, otherProtocols);
      return this.#relayBlind(bytes);
    }
    void this.#terminate(bytes, protocol, { origin, serverName, profile: this.#inProcess?.profile ?? null });
  }

  #serve(socket: Socket, destination: Destination): void {
    this.#ports.serve(socket, this.#door, { destination, isInProcess: this.#inProcess !== null });
  }

  #relayBlind(bytes: Buffer): void {
    const origin: Origin = { scheme: 'https', ...this.#target };
    if (this.#door.isSealed) {
      this.#door.tellSealed(origin);
      return void this.#socket.destroy();
    }
    void relayTunnel({
      client: this.#socket,
      door: this.#door,
      connector: this.#ports.connector,
      origin,
      head: bytes,
      greeting: null,
    });
  }

  async #terminate(bytes: Buffer, protocol: ServedProtocol, destination: Destination): Promise<void> {
    const secureContext = await this.#findContext(destination);
    // The leaf could not be made: the agent's call is worth more than our seeing it.
    if (secureContext === undefined) return this.#relayBlind(bytes);
    if (this.#socket.destroyed) return;
    const trust = this.#ports.trustWatch(this.#door);
    const host = destination.serverName;
    this.#socket.unshift(bytes);
    terminateTls({
      socket: this.#socket,
      secureContext,
      protocol,
      onSecure: (secure: TLSSocket) => {
        this.#door.adopt(secure, this.#socket);
        this.#serve(secure, destination);
      },
      onRefused: (alert) => trust.onAlert(host, alert, this.#userAgent),
      onSilentClose: () => trust.onSilentClose(host, this.#userAgent),
    });
  }

  async #findContext({ serverName, origin }: Destination): Promise<SecureContext | undefined> {
    for (const name of new Set([serverName, origin.host])) {
      try {
        return await this.#ports.leafFor(name);
      } catch {
        // A name no certificate can carry; the target's own is tried next.
      }
    }
    return undefined;
  }
}

/** How HTTP/2 begins where no TLS says so. Source: RFC 9113 section 3.4 (read 2026-11-27). */
function isHttp2Preface(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 16) === 'PRI * HTTP/2.0\r\n';
}

/** A server name as DNS could know it; any other (it comes from the wire) is as good as none. */
function readPlainName(name: string | null): string | null {
  if (name === null || !/^[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_.])?$/.test(name)) return null;
  return normaliseHost(name);
}
