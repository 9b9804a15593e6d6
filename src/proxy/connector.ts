import net from 'node:net';
import tls from 'node:tls';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import { connectSteps, type OnConnectStep } from '../core/in-process.js';
import type { Origin } from '../core/wire.js';
import { formatAuthority } from './authority-form.js';
import { applyConnectTo, type ConnectToRule } from './connect-to.js';
import type { TlsProfile } from './tls-profile.js';
import { describeProxy, type UpstreamProxy, type UpstreamProxyChoice } from './upstream-proxy.js';

/** Where a connection is to go: the origin named, and the name TLS asks for and verifies. */
export interface Destination {
  readonly origin: Origin;
  /** Server name for TLS; the origin's host unless the client asked for another. */
  readonly serverName: string;
  /** How the caller wants TLS; the usual way when absent. */
  readonly profile?: TlsProfile | null;
}

export interface TlsOptions {
  /** Offered by ALPN, the preferred first. */
  readonly protocols?: readonly string[];
  readonly onStep?: OnConnectStep | undefined;
}

interface TlsStart {
  readonly serverName: string;
  readonly profile: TlsProfile | null;
  readonly secureContext: tls.SecureContext;
  readonly protocols: readonly string[];
}

const http1: readonly string[] = ['http/1.1'];

/** More sets of TLS options than a program has. */
const maxOwnContexts = 64;

export interface ConnectorOptions {
  readonly connectTo: readonly ConnectToRule[];
  readonly proxies: UpstreamProxyChoice;
  /** Of upstreams; asked for once, at the first TLS connection. */
  readonly trustedRoots: () => string[];
  /** How long a TCP, TLS or proxy handshake may say nothing, in milliseconds. */
  readonly handshakeTimeoutMs?: number;
}

/** As long as Linux itself tries a connection nobody answers (`tcp_syn_retries` 6); replies may take any time. */
const handshakeTimeoutMs = 127_000;

/** Opens connections to the world: to the address asked for, through the user's own proxy where there is one. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #sessions = new Map<string, Buffer>();
  readonly #sockets = new Set<net.Socket>();
  readonly #timeoutMs: number;
  #secureContext: tls.SecureContext | undefined;
  /** By the id of their profile. */
  readonly #ownContexts = new Map<string, tls.SecureContext>();

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#timeoutMs = options.handshakeTimeoutMs ?? handshakeTimeoutMs;
  }

  /** Ends every connection, those still on their way included. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sessions.clear();
  }

  /** The user's proxy for this origin; loopback names never leave the machine and so never use one. */
  findProxy(origin: Origin): UpstreamProxy | undefined {
    return isLoopback(origin.host) ? undefined : this.#options.proxies.findProxy(origin);
  }

  /**
   * A TCP connection to the origin, tunnelled through the user's proxy where there is one. Rejects with the
   * system's error, or `UPSTREAM_PROXY_FAILED`.
   */
  async openTcp(origin: Origin, onStep?: OnConnectStep): Promise<net.Socket> {
    const address = applyConnectTo(this.#options.connectTo, origin);
    const proxy = this.findProxy(origin);
    if (proxy === undefined) return await this.#connectTcp(address.host, address.port, onStep);
    const socket = await this.openToProxy(proxy);
    await askForTunnel(socket, formatAuthority(address.host, address.port), { proxy, timeoutMs: this.#timeoutMs });
    return socket;
  }

  /** A connection to the user's proxy itself, TLS included when its URL says https. */
  async openToProxy(proxy: UpstreamProxy): Promise<net.Socket> {
    try {
      const socket = await this.#connectTcp(proxy.host, proxy.port);
      if (proxy.scheme === 'http') return socket;
      const secureContext = this.#requireContext(null);
      return await this.#startTls(socket, { serverName: proxy.host, profile: null, secureContext, protocols: http1 });
    } catch (error) {
      throw new TrackerError(
        'UPSTREAM_PROXY_FAILED',
        `Could not reach your proxy ${describeProxy(proxy)}: ${readErrorMessage(error)}.`,
        {
          cause: error,
          hint: 'Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.',
        },
      );
    }
  }

  /**
   * A verified TLS connection to the destination. Rejects with the system's or OpenSSL's error.
   */
  async openTls(destination: Destination, { protocols = http1, onStep }: TlsOptions = {}): Promise<tls.TLSSocket> {
    const { origin, serverName, profile = null } = destination;
    // Options that OpenSSL refuses fail before anything is dialled, as they do for their caller.
    const secureContext = this.#requireContext(profile);
    const socket = await this.openTcp(origin, onStep);
    return await this.#startTls(socket, { serverName, profile, secureContext, protocols });
  }

  #requireContext(profile: TlsProfile | null): tls.SecureContext {
    if (profile === null) {
      this.#secureContext ??= tls.createSecureContext({ ca: this.#options.trustedRoots() });
      return this.#secureContext;
    }
    const known = this.#ownContexts.get(profile.id);
    if (known !== undefined) return known;
    const roots = profile.context.ca === undefined ? { ca: this.#options.trustedRoots() } : {};
    const made = tls.createSecureContext({ ...profile.context, ...roots });
    if (this.#ownContexts.size >= maxOwnContexts) this.#ownContexts.clear();
    this.#ownContexts.set(profile.id, made);
    return made;
  }

  async #startTls(
    socket: net.Socket,
    { serverName, profile, secureContext, protocols }: TlsStart,
  ): Promise<tls.TLSSocket> {
    const ticketKey = `${serverName} ${protocols.join()} ${profile?.id ?? ''}`;
    const session = this.#sessions.get(ticketKey);
    const secure = tls.connect({
      socket,
      secureContext,
      rejectUnauthorized: profile?.rejectUnauthorized ?? true,
      ALPNProtocols: [...protocols],
      host: serverName,
      ...(net.isIP(serverName) === 0 ? { servername: serverName } : {}),
      ...(session === undefined ? {} : { session }),
    });
    secure.on('session', (ticket) => this.#keepSession(ticketKey, ticket));
    await settle(secure, 'secureConnect', this.#timeoutMs);
    return secure;
  }

  async #connectTcp(host: string, port: number, onStep?: OnConnectStep): Promise<net.Socket> {
    const socket = net.connect({ host, port, noDelay: true });
    if (onStep !== undefined) for (const name of connectSteps) socket.on(name, (...args) => onStep([name, ...args]));
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    await settle(socket, 'connect', this.#timeoutMs);
    return socket;
  }

  #keepSession(key: string, ticket: Buffer): void {
    if (this.#sessions.size >= 256) this.#sessions.clear();
    this.#sessions.set(key, ticket);
  }
}

/** Whether a host name or address means this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Resolves at `event`; rejects, with the socket destroyed, at an error, an early end or too long a silence. */
async function settle(socket: net.Socket, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const finish = (error?: Error): void => {
      socket.off(event, onEvent).off('error', finish).off('close', onClose).setTimeout(0, onTimeout);
      if (error === undefined) return resolve();
      // Late errors of a socket given up must not end the process.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onEvent = (): void => finish();
    const onClose = (): void => finish(makeClosedError());
    const onTimeout = (): void => finish(makeTimeoutError(timeoutMs));
    socket.once(event, onEvent).once('error', finish).once('close', onClose).setTimeout(timeoutMs, onTimeout);
  });
}

function makeClosedError(): Error {
  return Object.assign(new Error('the connection was closed before it was ready'), { code: 'ECONNRESET' });
}

function makeTimeoutError(timeoutMs: number): Error {
  return Object.assign(new Error(`nothing came for ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
}

/** CONNECT through the user's proxy. Source: RFC 9110 section 9.3.6 (read 2026-11-21). */
async function askForTunnel(
  socket: net.Socket,
  authority: string,
  { proxy, timeoutMs }: { readonly proxy: UpstreamProxy; readonly timeoutMs: number },
): Promise<void> {
  const authorization = proxy.authorization === null ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
  try {
    const status = await readTunnelStatus(socket, timeoutMs);
    if (status >= 200 && status < 300) return;
    throw new Error(`it answered ${status}`);
  } catch (error) {
    socket.destroy();
    throw new TrackerError(
      'UPSTREAM_PROXY_FAILED',
      `Your proxy ${describeProxy(proxy)} opened no tunnel to ${authority}: ${readErrorMessage(error)}.`,
      { cause: error, hint: 'Check its credentials and that it lets this host through.' },
    );
  }
}

const maxReplyHeadBytes = 64 * 1024;

/** Reads the reply's head and leaves what follows it in the socket. */
async function readTunnelStatus(socket: net.Socket, timeoutMs: number): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    let head = Buffer.alloc(0);
    const finish = (result: number | Error): void => {
      socket.pause();
      socket.off('data', onData).off('error', finish).off('close', onClose).setTimeout(0, onTimeout);
      if (typeof result === 'number') resolve(result);
      else {
        socket.on('error', () => undefined);
        reject(result);
      }
    };
    const onClose = (): void => finish(new Error('it closed the connection'));
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return head.length > maxReplyHeadBytes ? finish(new Error('its answer has no end')) : undefined;
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1', 0, end))?.[1];
      const rest = head.subarray(end + 4);
      finish(status === undefined ? new Error('its answer is not HTTP') : Number(status));
      if (rest.length > 0) socket.unshift(rest);
    };
    const onTimeout = (): void => finish(makeTimeoutError(timeoutMs));
    socket.on('data', onData).once('error', finish).once('close', onClose).setTimeout(timeoutMs, onTimeout);
  });
}
