import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
// NOTE: not the package's index, which loads twice as much (fetch, WebSocket, caches, mocks: 90 ms, measured). The path
// is not promised, so the version is pinned; drop it when undici exports its parts.
import Pool from 'undici/lib/dispatcher/pool.js';
import type { ReplyHandler } from '../core/reply.js';
import type { RawHeaders } from '../core/wire.js';
import { formatAuthority } from './authority-form.js';
import type { Connector, Destination } from './connector.js';
import { SpareConnections } from './spare-connections.js';

/** One request on its way to the provider. */
export interface UpstreamRequest {
  readonly destination: Destination;
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: RawHeaders;
  readonly body: Buffer | Readable | null;
  /** Of a streamed body, once it has ended; heeded over HTTP/2. */
  readonly readTrailers?: () => RawHeaders;
}

/** Enough for every provider at once; beyond it the least recently used pool is closed when idle. */
const maxPools = 256;
const maxHeaderBytes = 256 * 1024;

/** Sends requests over kept-alive, verified connections: one undici pool a destination, shared by all sessions. */
export class Upstream {
  readonly #connector: Connector;
  readonly #pools = new Map<string, Pool>();
  readonly #spares = new SpareConnections();

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** Never throws: what fails at once comes through `onError` too. */
  send(request: UpstreamRequest, handler: ReplyHandler): void {
    const viaProxy = this.#findForwardProxy(request.destination);
    const options: Dispatcher.DispatchOptions = {
      path: viaProxy === null ? request.path : `${viaProxy.prefix}${request.path}`,
      method: request.method as Dispatcher.HttpMethod,
      headers: pickSendableHeaders(request.rawHeaders, viaProxy?.authorization ?? null),
      body: request.body,
    };
    try {
      this.#requirePool(request.destination).dispatch(options, makeDispatchHandler(handler));
    } catch (error) {
      handler.onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /**
   * Resolves when the destination can be reached: a connection to it is free, or was opened and kept for the request that
   * follows. Rejects with the error its client would have met.
   */
  async reach(destination: Destination): Promise<void> {
    const key = makeDestinationKey(destination);
    if ((this.#pools.get(key)?.stats.free ?? 0) > 0) return;
    this.#spares.put(key, await this.#connect(destination));
  }

  /** A connection `reach` has opened, for who sends no request over it. */
  takeSpare(destination: Destination): Socket | undefined {
    return this.#spares.take(makeDestinationKey(destination));
  }

  /** Keeps a connection somebody else has opened, for the request that follows. */
  keepSpare(destination: Destination, socket: Socket): void {
    this.#spares.put(makeDestinationKey(destination), socket);
  }

  /** Ends every connection at once. */
  async close(): Promise<void> {
    this.#spares.close();
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  /** Plain HTTP goes through a proxy in absolute form, not by CONNECT, which proxies refuse for port 80. */
  #findForwardProxy({ origin }: Destination): { prefix: string; authorization: string | null } | null {
    if (origin.scheme === 'https') return null;
    const proxy = this.#connector.findProxy(origin);
    if (proxy === undefined) return null;
    return { prefix: `http://${formatAuthority(origin.host, origin.port)}`, authorization: proxy.authorization };
  }

  #requirePool(destination: Destination): Pool {
    const key = makeDestinationKey(destination);
    const known = this.#pools.get(key);
    this.#pools.delete(key);
    const pool = known ?? this.#openPool(destination, key);
    this.#pools.set(key, pool);
    if (this.#pools.size > maxPools) this.#closeOldestPool();
    return pool;
  }

  #closeOldestPool(): void {
    for (const [key, pool] of this.#pools) {
      this.#pools.delete(key);
      // Graceful: what is under way on it ends first.
      pool.close().catch(() => undefined);
      return;
    }
  }

  async #connect(destination: Destination): Promise<Socket> {
    const { origin } = destination;
    if (origin.scheme === 'https') return await this.#connector.openTls(destination);
    const proxy = this.#connector.findProxy(origin);
    return proxy === undefined ? await this.#connector.openTcp(origin) : await this.#connector.openToProxy(proxy);
  }

  #openPool(destination: Destination, key: string): Pool {
    const { origin } = destination;
    return new Pool(`${origin.scheme}://${formatAuthority(origin.host, origin.port)}`, {
      connections: null,
      pipelining: 1,
      // Model calls think for minutes and stream for longer: how long to wait is the client's to decide.
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: 0,
      keepAliveTimeout: 30_000,
      keepAliveMaxTimeout: 600_000,
      maxHeaderSize: maxHeaderBytes,
      maxResponseSize: -1,
      connect: (_options, callback) => {
        const spare = this.#spares.take(key);
        // NOTE: never within the call: undici does not look for work again while it is looking.
        (spare === undefined ? this.#connect(destination) : Promise.resolve(spare)).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
    });
  }
}

/** Whose connections may carry whose requests. */
export function makeDestinationKey({ origin, serverName, profile }: Destination): string {
  return `${origin.scheme} ${formatAuthority(origin.host, origin.port)} ${serverName} ${profile?.id ?? ''}`;
}

function makeDispatchHandler(handler: ReplyHandler): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller) => handler.onStart(controller),
    onResponseStart: (controller, status, _headers, statusMessage) => {
      // NOTE: interim replies (103 and its kin) come through here as well; a final one always follows.
      if (status < 200) return handler.onInterim?.(status, readRawHeaders(controller.rawHeaders));
      // NOTE: undici reads the reason phrase as UTF-8, node:http writes it as latin1.
      const reason = Buffer.from(statusMessage ?? '').toString('latin1');
      handler.onHead(status, reason, readRawHeaders(controller.rawHeaders));
    },
    onResponseData: (_controller, chunk) => handler.onData(chunk),
    onResponseEnd: (controller) => handler.onEnd(readRawHeaders(controller.rawTrailers)),
    onResponseError: (_controller, error) => handler.onError(error),
  };
}

function readRawHeaders(raw: unknown): string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((item: unknown) => (Buffer.isBuffer(item) ? item.toString('latin1') : String(item)));
}

/**
 * Headers that belong to the connection between client and tap, not to the message. `expect` is answered by the
 * tap's own server before the body comes. Source: RFC 9110 section 7.6.1 (read 2026-11-21).
 */
const connectionHeaders = new Set([
  'connection',
  'proxy-connection',
  'proxy-authorization',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'expect',
  // Meant for the tap: what the cache does for the call.
  'x-llmtap-cache',
]);

/** The headers to send: those of the wire, in its order and case, but for the connection's own. */
export function pickSendableHeaders(raw: RawHeaders, proxyAuthorization: string | null = null): string[] {
  const headers: string[] = [];
  let named: Set<string> | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() === 'connection') named = addConnectionTokens(named, raw[i + 1] ?? '');
  }
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (connectionHeaders.has(lower) || named?.has(lower)) continue;
    headers.push(name, raw[i + 1] ?? '');
  }
  if (proxyAuthorization !== null) headers.push('Proxy-Authorization', proxyAuthorization);
  return headers;
}

/** `Connection: close, X-Thing` makes X-Thing a header of the connection; the usual tokens name none. */
function addConnectionTokens(named: Set<string> | null, value: string): Set<string> | null {
  for (const token of value.toLowerCase().split(',')) {
    const name = token.trim();
    if (name === '' || name === 'keep-alive' || name === 'close' || name === 'content-length' || name === 'host')
      continue;
    named ??= new Set();
    named.add(name);
  }
  return named;
}
