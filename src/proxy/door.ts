import { createHash, timingSafeEqual } from 'node:crypto';
import net, { type Socket } from 'node:net';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import type { Session, SessionCounts } from '../core/session.js';
import type { Destination } from './connector.js';

export interface DoorOptions {
  readonly session: Session;
  /** `user:password` clients must present; `null` asks for none. */
  readonly credentials: string | null;
  /** Loopback only; another address is an explicit choice of the user's. */
  readonly bindAddress: string;
  readonly onConnection: (socket: Socket, door: Door) => void;
}

/** One session's port: everything behind it is shared, only the listener is its own. */
export class Door {
  readonly session: Session;
  readonly #options: DoorOptions;
  readonly #server: net.Server;
  readonly #sockets = new Set<Socket>();
  readonly #credentials: Buffer | null;
  readonly #counts = { calls: 0, passedRequests: 0, tunnels: 0, tunnelBytes: 0, upgrades: 0, faults: 0 };

  constructor(options: DoorOptions) {
    this.session = options.session;
    this.#options = options;
    this.#credentials = options.credentials === null ? null : hash(`Basic ${toBase64(options.credentials)}`);
    this.#server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#onConnection(socket));
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  counts(): SessionCounts {
    return { ...this.#counts };
  }

  count(what: keyof SessionCounts, by = 1): void {
    this.#counts[what] += by;
  }

  /** Rejects with `LISTEN_FAILED`. */
  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => {
        reject(
          new TrackerError(
            'LISTEN_FAILED',
            `Could not open a port on ${this.#options.bindAddress}: ${readErrorMessage(error)}.`,
            {
              cause: error,
              hint: 'Check the limit on open files (ulimit -n) and that loopback is up.',
            },
          ),
        );
      });
      this.#server.listen({ host: this.#options.bindAddress, port: 0, backlog: 511 }, resolve);
    });
    // A failing accept (out of file descriptors) is the system's; the door stays open for the next.
    this.#server.on('error', () => undefined);
  }

  /** Whether the client may come in, compared in constant time. */
  admits(authorization: string | undefined): boolean {
    if (this.#credentials === null) return true;
    return timingSafeEqual(hash(authorization ?? ''), this.#credentials);
  }

  /** Keeps hold of a socket made for this session, so that closing closes it. */
  track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** Stops listening and ends every connection; resolves when the port is free. */
  async close(): Promise<void> {
    const closed = this.#server.listening
      ? new Promise<void>((resolve) => this.#server.close(() => resolve()))
      : Promise.resolve();
    // Those that lead to the world are none of the server's: waited for, so that their bytes are counted.
    const ended = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, ...ended]);
  }

  #onConnection(socket: Socket): void {
    this.track(socket);
    // Clients reset connections as they please; whoever serves the socket sees its 'close'.
    socket.on('error', () => undefined);
    this.#options.onConnection(socket, this);
  }
}

/** What is known of a connection beside its bytes. */
export interface SocketFacts {
  readonly door: Door;
  /** Where a tunnel's requests go; `null` on the proxy port itself, where each request says. */
  readonly destination: Destination | null;
}

/** Facts attached to sockets, without touching them. */
export class SocketRegister {
  readonly #facts = new WeakMap<Socket, SocketFacts>();

  note(socket: Socket, facts: SocketFacts): void {
    this.#facts.set(socket, facts);
  }

  find(socket: Socket): SocketFacts | undefined {
    return this.#facts.get(socket);
  }
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
