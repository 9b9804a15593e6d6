import type { TLSSocket } from 'node:tls';
import type { RawHeaders } from '../core/wire.js';
import type { Http2Session } from '../http2/session.js';
import type { Http2Stream, StreamEvents } from '../http2/stream.js';
import { openHttp2Session } from './http2-socket.js';

const options = {
  isServer: false,
  maxHeaderBytes: 256 * 1024,
  // What the provider may send on a stream that its client does not read; over a round trip of 100 ms, 10 MB/s.
  windowBytes: 1024 * 1024,
  connectionWindowBytes: 16 * 1024 * 1024,
} as const;

/** As undici keeps an idle connection of HTTP/1.1 (upstream.ts). */
const idleMs = 30_000;

export interface ConnectionPorts {
  /** Streams its server is taken to allow until it has said how many. */
  readonly maxStreams: number;
  readonly onMaxStreams: (maxStreams: number) => void;
  /** It takes no request any more. */
  readonly onOver: () => void;
  /** A reply's handler threw; its stream was reset. */
  readonly onProblem: (error: Error) => void;
}

/** One connection of HTTP/2 to a provider: streams as many as it allows, closed when idle. */
export class Http2Connection {
  readonly #session: Http2Session;
  readonly #socket: TLSSocket;
  #maxStreams: number;
  #idle: NodeJS.Timeout | undefined;

  constructor(socket: TLSSocket, { maxStreams, onMaxStreams, onOver, onProblem }: ConnectionPorts) {
    this.#maxStreams = maxStreams;
    this.#socket = socket;
    this.#session = openHttp2Session(
      socket,
      { ...options, maxStreams },
      {
        onMaxStreams: (allowed) => {
          // None at all would be a provider that serves nobody: what is asked waits until it says otherwise.
          this.#maxStreams = Math.max(1, allowed);
          onMaxStreams(this.#maxStreams);
        },
        onStreamOver: () => {
          if (this.#session.streams === 0) this.#armIdle();
        },
        onLeaving: () => {
          clearTimeout(this.#idle);
          onOver();
        },
        onProblem,
      },
    );
    this.#armIdle();
  }

  /** Whether another request may go by it at once. */
  get isFree(): boolean {
    return !this.isOver && this.load < this.#maxStreams;
  }

  /** Takes no request any more: it is closed, or its provider said goodbye. */
  get isOver(): boolean {
    return this.#session.isLeaving;
  }

  /** How many requests are under way. */
  get load(): number {
    return this.#session.streams;
  }

  request(raw: RawHeaders, isEnd: boolean, events: StreamEvents): Http2Stream {
    clearTimeout(this.#idle);
    return this.#session.request(raw, isEnd, events);
  }

  /** What is under way ends first. */
  close(): void {
    this.#session.close();
  }

  /** Ends everything at once. */
  async destroy(): Promise<void> {
    if (this.#socket.closed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.destroy();
    });
  }

  #armIdle(): void {
    clearTimeout(this.#idle);
    if (this.isOver) return;
    this.#idle = setTimeout(() => this.close(), idleMs).unref();
  }
}
