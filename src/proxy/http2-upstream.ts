import type { OnConnectStep } from '../core/in-process.js';
import type { ReplyHandler } from '../core/reply.js';
import type { Connector, Destination } from './connector.js';
import { makeDestinationKey } from './destination-key.js';
import { Http2Origin } from './http2-origin.js';
import { sendOverHttp2 } from './http2-request.js';
import type { Upstream, UpstreamRequest } from './upstream.js';

/** Enough for every provider at once; beyond it the least recently used one's connections close when idle. */
const maxOrigins = 256;
const offered = ['h2', 'http/1.1'];

/**
 * Sends what clients of HTTP/2 ask as the provider speaks: over HTTP/2 where it does, else over the connections of
 * HTTP/1.1. One set of connections a destination, shared by all sessions.
 */
export class Http2Upstream {
  readonly #connector: Connector;
  readonly #http1: Upstream;
  readonly #onProblem: (error: Error) => void;
  readonly #origins = new Map<string, Http2Origin>();

  /** @param onProblem hears what a reply's handler threw; its stream was reset */
  constructor(connector: Connector, http1: Upstream, onProblem: (error: Error) => void) {
    this.#onProblem = onProblem;
    this.#connector = connector;
    this.#http1 = http1;
  }

  /** Never throws: what fails at once comes through `onError` too. */
  send(request: UpstreamRequest, handler: ReplyHandler): void {
    const { destination } = request;
    if (destination.origin.scheme !== 'https') return this.#http1.send(request, handler);
    this.#send(request, handler, true);
  }

  /** As `Upstream.reach`, for a client of HTTP/2. */
  async reach(destination: Destination, onStep?: OnConnectStep): Promise<void> {
    const origin = this.#requireOrigin(destination);
    if (origin.find() !== undefined) return;
    if (!origin.speaksHttp1) await origin.open(onStep);
    if (origin.speaksHttp1) await this.#http1.reach(destination, onStep);
  }

  /** Ends every connection at once. */
  async close(): Promise<void> {
    const origins = [...this.#origins.values()];
    this.#origins.clear();
    await Promise.all(origins.map((origin) => origin.destroy()));
  }

  #send(request: UpstreamRequest, handler: ReplyHandler, mayRepeat: boolean): void {
    const origin = this.#requireOrigin(request.destination);
    if (origin.speaksHttp1) return this.#http1.send(request, handler);
    const connection = origin.find();
    if (connection === undefined) {
      origin.open().then(
        () => this.#send(request, handler, mayRepeat),
        (error: Error) => handler.onError(error),
      );
      return;
    }
    const onUnprocessed = mayRepeat ? () => this.#send(request, handler, false) : null;
    sendOverHttp2(connection, { request, handler, onUnprocessed });
  }

  #requireOrigin(destination: Destination): Http2Origin {
    const key = makeDestinationKey(destination);
    const known = this.#origins.get(key);
    this.#origins.delete(key);
    const origin =
      known ??
      new Http2Origin({
        onProblem: this.#onProblem,
        openTls: async (onStep) => await this.#connector.openTls(destination, { protocols: offered, onStep }),
        keepSpare: (socket) => this.#http1.keepSpare(destination, socket),
      });
    this.#origins.set(key, origin);
    if (this.#origins.size > maxOrigins) this.#closeOldest();
    return origin;
  }

  #closeOldest(): void {
    for (const [key, origin] of this.#origins) {
      this.#origins.delete(key);
      origin.close();
      return;
    }
  }
}
