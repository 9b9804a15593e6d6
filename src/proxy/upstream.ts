import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { buildConnector, Dispatcher } from 'undici';
// NOTE: not the package's index, which loads twice as much (fetch, WebSocket, caches, mocks: 90 ms, measured). The path
// is not promised, so the version is pinned; drop it when undici exports its parts.
import Client from 'undici/lib/dispatcher/client.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { toError } from '../core/errors.js';
import type { OnConnectStep } from '../core/in-process.js';
import type { ReplyHandler } from '../core/reply.js';
import type { RawHeaders } from '../core/wire.js';
import { formatAuthority } from './authority-form.js';
import type { Connector, Destination } from './connector.js';
import { makeDestinationKey } from './destination-key.js';
import { ReplyWire } from './reply-wire.js';
import { pickSendableHeaders } from './sendable-headers.js';
import { SpareConnections } from './spare-connections.js';
import { WireHandler } from './wire-handler.js';

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
  readonly #onLost: (key: string) => void;
  readonly #pools = new Map<string, Pool>();
  readonly #spares = new SpareConnections();

  /** @param onLost told of a destination's key when the last of its connections has ended */
  constructor(connector: Connector, onLost: (key: string) => void = () => undefined) {
    this.#connector = connector;
    this.#onLost = onLost;
  }

  /** Never throws: what fails at once comes through `onError` too. */
  send(request: UpstreamRequest, handler: ReplyHandler): void {
    const viaProxy = this.#findForwardProxy(request.destination);
    const wireHandler = new WireHandler(handler);
    const options: WatchedOptions = {
      wireHandler,
      path: viaProxy === null ? request.path : `${viaProxy.prefix}${request.path}`,
      method: request.method as Dispatcher.HttpMethod,
      headers: pickSendableHeaders(request.rawHeaders, viaProxy?.authorization ?? null),
      body: request.body,
    };
    try {
      this.#requirePool(request.destination).dispatch(options, wireHandler);
    } catch (error) {
      handler.onError(toError(error));
    }
  }

  /**
   * Resolves when the destination can be reached: a connection to it is free, or was opened and kept for the request that
   * follows. Rejects with the error its client would have met.
   */
  async reach(destination: Destination, onStep?: OnConnectStep): Promise<void> {
    const key = makeDestinationKey(destination);
    if ((this.#pools.get(key)?.stats.free ?? 0) > 0) return;
    this.#spares.put(key, await this.#connect(destination, onStep));
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
    const pool = known ?? this.#watchPool(this.#openPool(destination, key), key);
    this.#pools.set(key, pool);
    if (this.#pools.size > maxPools) this.#closeOldestPool();
    return pool;
  }

  #watchPool(pool: Pool, key: string): Pool {
    return pool.on('disconnect', () => {
      if (pool.stats.connected === 0) this.#onLost(key);
    });
  }

  #closeOldestPool(): void {
    for (const [key, pool] of this.#pools) {
      this.#pools.delete(key);
      // Graceful: what is under way on it ends first.
      pool.close().catch(() => undefined);
      return;
    }
  }

  async #connect(destination: Destination, onStep?: OnConnectStep): Promise<Socket> {
    const { origin } = destination;
    if (origin.scheme === 'https') return await this.#connector.openTls(destination, { onStep });
    const proxy = this.#connector.findProxy(origin);
    return proxy === undefined
      ? await this.#connector.openTcp(origin, onStep)
      : await this.#connector.openToProxy(proxy);
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
      factory: makeWatchedClient,
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

/** The client of one connection at a time: tells whom it serves what comes over it. */
function makeWatchedClient(
  origin: URL,
  options: Client.Options & { readonly connect: buildConnector.connector },
): Client {
  const wire = new ReplyWire();
  const connect: buildConnector.connector = (to, done) =>
    options.connect(to, (...[error, socket]) => {
      if (error !== null) return done(error, null);
      wire.watch(socket);
      done(null, socket);
    });
  const client = new Client(origin, { ...options, connect });
  const dispatch = client.dispatch.bind(client);
  client.dispatch = (asked, handler) => {
    // NOTE: undici has wrapped the handler by now; the options are still ours.
    (asked as WatchedOptions).wireHandler.wire = wire;
    return dispatch(asked, handler);
  };
  return client;
}

interface WatchedOptions extends Dispatcher.DispatchOptions {
  readonly wireHandler: WireHandler;
}
