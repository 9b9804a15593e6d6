import type { TLSSocket } from 'node:tls';
import type { OnConnectStep } from '../core/in-process.js';
import { Http2Connection } from './http2-connection.js';

/** Beyond these, requests to one provider wait for a stream of the least busy. */
const maxConnections = 64;
/** Until one has said how many it allows. Source: RFC 9113 section 6.5.2 asks for no fewer (read 2026-11-27). */
const usualStreams = 100;

export interface OriginPorts {
  /** Opens a connection on which HTTP/2 and HTTP/1.1 were offered. */
  readonly openTls: (onStep: OnConnectStep | undefined) => Promise<TLSSocket>;
  /** Takes a connection whose provider has chosen HTTP/1.1. */
  readonly keepSpare: (socket: TLSSocket) => void;
  /** A reply's handler threw; its stream was reset. */
  readonly onProblem: (error: Error) => void;
}

/** The connections of HTTP/2 to one destination, or that it has none. */
export class Http2Origin {
  readonly #ports: OriginPorts;
  readonly #connections = new Set<Http2Connection>();
  /** One at a time: a provider that allows many streams needs no second for those who come together. */
  #opening: Promise<void> | null = null;
  #speaksHttp1 = false;
  /** On one connection, as the last one said. */
  #maxStreams = usualStreams;
  #isClosed = false;

  constructor(ports: OriginPorts) {
    this.#ports = ports;
  }

  /** Whether the provider has chosen HTTP/1.1 when it was offered both. */
  get speaksHttp1(): boolean {
    return this.#speaksHttp1;
  }

  /** One that takes a request now; `undefined` where one has to be opened first. */
  find(): Http2Connection | undefined {
    let leastBusy: Http2Connection | undefined;
    for (const connection of this.#connections) {
      if (connection.isFree) return connection;
      if (!connection.isOver && connection.load < (leastBusy?.load ?? Number.POSITIVE_INFINITY)) leastBusy = connection;
    }
    return this.#connections.size >= maxConnections ? leastBusy : undefined;
  }

  /**
   * Resolves when there is another connection, or `speaksHttp1`. Rejects as `Connector.openTls` does.
   *
   * @param onStep hears of the way there, where it is this opening that takes it
   */
  async open(onStep?: OnConnectStep): Promise<void> {
    this.#opening ??= this.#open(onStep).finally(() => {
      this.#opening = null;
    });
    await this.#opening;
  }

  /** What is under way ends first. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close();
  }

  async destroy(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#connections].map((connection) => connection.destroy()));
  }

  async #open(onStep: OnConnectStep | undefined): Promise<void> {
    const socket = await this.#ports.openTls(onStep);
    if (socket.alpnProtocol !== 'h2') {
      this.#speaksHttp1 = true;
      this.#ports.keepSpare(socket);
      return;
    }
    const connection: Http2Connection = new Http2Connection(socket, {
      maxStreams: this.#maxStreams,
      onMaxStreams: (maxStreams) => {
        this.#maxStreams = maxStreams;
      },
      onOver: () => this.#connections.delete(connection),
      onProblem: this.#ports.onProblem,
    });
    this.#connections.add(connection);
    if (this.#isClosed) connection.close();
  }
}
