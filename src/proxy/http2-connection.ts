import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { formatAuthority } from './authority-form.js';
import type { Destination } from './connector.js';
import { endAtOnce, endWhenDeaf } from './http2-deaf.js';

const maxHeaderBytes = 256 * 1024;

const options = {
  settings: {
    // Nobody could be told of a pushed reply.
    enablePush: false,
    maxHeaderListSize: maxHeaderBytes,
    // What the provider may send on a stream that its client does not read; over a round trip of 100 ms, 10 MB/s.
    initialWindowSize: 1024 * 1024,
  },
  maxHeaderListPairs: 4000,
  maxSendHeaderBlockLength: maxHeaderBytes,
  // Megabytes, all streams of a connection together; above it node:http2 refuses new streams.
  maxSessionMemory: 512,
};

const connectionWindowBytes = 16 * 1024 * 1024;
/** As undici keeps an idle connection of HTTP/1.1 (upstream.ts). */
const idleMs = 30_000;

export interface ConnectionPorts {
  /** Streams its server is taken to allow until it has said how many. */
  readonly maxStreams: number;
  readonly onMaxStreams: (maxStreams: number) => void;
  /** It takes no request any more. */
  readonly onOver: () => void;
}

/** One connection of HTTP/2 to a provider: streams as many as it allows, closed when idle. */
export class Http2Connection {
  readonly #session: ClientHttp2Session;
  readonly #socket: TLSSocket;
  readonly #onOver: () => void;
  #streams = 0;
  #maxStreams: number;
  #isLeaving = false;
  /** The last stream its provider has looked at, as its goodbye says. */
  #lastStreamId = Number.POSITIVE_INFINITY;
  #idle: NodeJS.Timeout | undefined;

  constructor(socket: TLSSocket, { origin }: Destination, { maxStreams, onMaxStreams, onOver }: ConnectionPorts) {
    this.#onOver = onOver;
    this.#maxStreams = maxStreams;
    const url = `https://${formatAuthority(origin.host, origin.port)}`;
    const session = http2.connect(url, { ...options, createConnection: () => socket });
    this.#session = session;
    this.#socket = socket;
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(connectionWindowBytes);
    });
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      // None at all would be a provider that serves nobody: what is asked waits until it says otherwise.
      this.#maxStreams = Math.max(1, maxConcurrentStreams ?? Number.POSITIVE_INFINITY);
      onMaxStreams(this.#maxStreams);
    });
    // Its streams hear of it, each by itself.
    session.on('error', () => this.#leave());
    session.on('goaway', (_code, lastStreamId: number) => {
      this.#lastStreamId = lastStreamId;
      this.#leave();
    });
    session.once('close', () => this.#leave());
    endWhenDeaf({ session, socket, isBusy: () => this.#streams > 0 });
    this.#armIdle();
  }

  /** Whether another request may go by it at once. */
  get isFree(): boolean {
    return !this.isOver && this.#streams < this.#maxStreams;
  }

  /** Takes no request any more: it is closed, or its provider said goodbye. */
  get isOver(): boolean {
    return this.#isLeaving || this.#session.closed || this.#session.destroyed;
  }

  /** How many requests are under way. */
  get load(): number {
    return this.#streams;
  }

  /** Whether the connection is gone, rather than one of its streams. */
  get isLost(): boolean {
    return this.#session.destroyed;
  }

  /** Whether the provider, by its goodbye, has said that it never looked at a stream. */
  hasPassedOver({ id }: ClientHttp2Stream): boolean {
    return id !== undefined && id > this.#lastStreamId;
  }

  /** Throws what node:http2 throws of headers it cannot send, or of a session that has just ended. */
  request(
    headers: Readonly<Record<string, string | string[]>>,
    how: { readonly endStream: boolean; readonly waitForTrailers: boolean },
  ): ClientHttp2Stream {
    const stream = this.#session.request(headers, how);
    this.#streams += 1;
    clearTimeout(this.#idle);
    stream.once('close', () => {
      this.#streams -= 1;
      if (this.#streams === 0) this.#armIdle();
    });
    return stream;
  }

  /** What is under way ends first. */
  close(): void {
    this.#session.close();
    this.#leave();
  }

  /** Ends everything at once. */
  async destroy(): Promise<void> {
    if (this.#socket.closed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      endAtOnce(this.#session, this.#socket);
    });
  }

  #armIdle(): void {
    clearTimeout(this.#idle);
    if (this.#isLeaving) return;
    this.#idle = setTimeout(() => this.close(), idleMs).unref();
  }

  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    clearTimeout(this.#idle);
    this.#onOver();
  }
}
