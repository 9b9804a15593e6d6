// Longer than 250 lines: one port and all that is open on it.
import { createHash, timingSafeEqual } from 'node:crypto';
import net, { type Socket } from 'node:net';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import type { Session, SessionCounts } from '../core/session.js';
import { SessionTally } from '../core/session-tally.js';
import type { Origin } from '../core/wire.js';

export interface DoorOptions {
  readonly session: Session;
  /** `user:password` clients must present; `null` asks for none. */
  readonly credentials: string | null;
  /** Loopback only; another address is an explicit choice of the user's. */
  readonly bindAddress: string;
  /** Taken when it is free; any when absent or not. */
  readonly port?: number;
  /** Nothing may go out: what is no call that is answered here is refused. Off when absent. */
  readonly isSealed?: boolean;
  /** Told what is refused because nothing may go out. */
  readonly onSealed?: (door: Door, where: Origin) => void;
  /** WebSockets, which nothing here can answer, are refused. Off when absent. */
  readonly refusesSockets?: boolean;
  readonly mayAnswer?: boolean;
  /** Counts what passes; a new one when absent. */
  readonly tally?: SessionTally;
  readonly onConnection: (socket: Socket, door: Door) => void;
}

/** How long a draining door waits for the first request of a connection that has just been made, milliseconds. */
const firstRequestMs = 5000;

/** One session's port: everything behind it is shared, only the listener is its own. */
export class Door {
  readonly session: Session;
  readonly #options: DoorOptions;
  readonly #server: net.Server;
  readonly #sockets = new Set<Socket>();
  readonly #credentials: Buffer | null;
  /** The accepted connection under each decrypted one. */
  readonly #roots = new WeakMap<Socket, Socket>();
  /** How much is under way on an accepted connection; those without an entry are idle. */
  readonly #busy = new Map<Socket, number>();
  /** Accepted connections on which nothing has been asked yet. */
  readonly #fresh = new Set<Socket>();
  readonly #accepted = new WeakSet<Socket>();
  /** How a connection that carries several things at once is ended, what is under way on it first. */
  readonly #endings = new Map<Socket, () => void>();
  #isDraining = false;
  #isCut = false;
  readonly #tally: SessionTally;

  constructor(options: DoorOptions) {
    this.session = options.session;
    this.#options = options;
    this.#tally = options.tally ?? new SessionTally();
    this.#credentials = options.credentials === null ? null : hash(`Basic ${toBase64(options.credentials)}`);
    this.#server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#onConnection(socket));
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  counts(): SessionCounts {
    return this.#tally.counts();
  }

  /** @param what a call that is `recorded` was counted among the `calls` when it began */
  count(what: keyof SessionCounts | 'recorded', by = 1): void {
    this.#tally.add(what, by);
  }

  /** Rejects with `LISTEN_FAILED`. */
  async open(): Promise<void> {
    const { port = 0, bindAddress } = this.#options;
    try {
      await this.#listen(port).catch(async (error: unknown) => {
        if (port === 0) throw error;
        await this.#listen(0);
      });
    } catch (error) {
      throw new TrackerError('LISTEN_FAILED', `Could not open a port on ${bindAddress}: ${readErrorMessage(error)}.`, {
        cause: error,
        hint:
          findSystemCode(error) === 'EADDRNOTAVAIL'
            ? 'Give an address of this machine.'
            : 'Check the limit on open files (ulimit -n) and that the address is up.',
      });
    }
    // A failing accept (out of file descriptors) is the system's; the door stays open for the next.
    this.#server.on('error', () => undefined);
  }

  /** Whether nothing may go out. */
  get isSealed(): boolean {
    return this.#options.isSealed === true;
  }

  /** Says that what was to go there is refused, because nothing may go out. */
  tellSealed(where: Origin): void {
    this.#options.onSealed?.(this, where);
  }

  /** Whether a WebSocket is refused. */
  get refusesSockets(): boolean {
    return this.isSealed || this.#options.refusesSockets === true;
  }

  /** Whether its calls may be answered without their provider. */
  get mayAnswer(): boolean {
    return this.#options.mayAnswer === true;
  }

  /** Whether connections that end now were ended from here. */
  get isCut(): boolean {
    return this.#isCut;
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

  /** Says on which accepted connection a decrypted one runs. */
  adopt(inner: Socket, outer: Socket): void {
    this.#roots.set(inner, this.findRoot(outer));
  }

  /**
   * Says how to end a decrypted connection that carries several things at once, so that what is under way on it ends
   * first and nothing new is begun.
   */
  endBy(socket: Socket, end: () => void): void {
    const root = this.findRoot(socket);
    this.#endings.set(root, end);
    root.once('close', () => this.#endings.delete(root));
    if (this.#isDraining && !this.#fresh.has(root)) end();
  }

  /** The accepted connection a decrypted one runs on. */
  findRoot(socket: Socket): Socket {
    return this.#roots.get(socket) ?? socket;
  }

  /**
   * Something is under way on a connection: an exchange, a tunnel. A draining door waits until the returned function,
   * which may be called twice, is called.
   */
  begin(socket: Socket): () => void {
    const root = this.findRoot(socket);
    this.#fresh.delete(root);
    this.#busy.set(root, (this.#busy.get(root) ?? 0) + 1);
    if (this.#isDraining) this.#endings.get(root)?.();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.#busy.get(root) ?? 1) - 1;
      if (left > 0) return void this.#busy.set(root, left);
      this.#busy.delete(root);
      // One that has an ending of its own is ending already.
      if (this.#isDraining && !this.#endings.has(root)) socket.destroySoon();
    };
  }

  /** Ends an accepted connection on which nothing is under way, but for one on which nothing was asked yet. */
  endIdle(root: Socket): void {
    if (this.#busy.has(root) || this.#fresh.has(root)) return;
    const end = this.#endings.get(root);
    if (end === undefined) root.destroySoon();
    else end();
  }

  /** Stops listening, ends idle connections, and resolves when those on which something is under way have ended. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const closed = this.#whenClosed();
    for (const [root, end] of this.#endings) if (!this.#fresh.has(root)) end();
    for (const socket of this.#sockets) {
      if (this.#endings.has(socket)) continue;
      if (!this.#busy.has(socket) && !this.#fresh.has(socket) && !this.#isFar(socket)) socket.destroySoon();
    }
    const timer = setTimeout(() => {
      for (const socket of this.#fresh) socket.destroy();
    }, firstRequestMs);
    timer.unref();
    await closed;
    clearTimeout(timer);
  }

  /** Stops listening and ends every connection; resolves when the port is free. */
  async close(): Promise<void> {
    this.#isCut = true;
    const closed = this.#whenClosed();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Those that lead to the world are none of the server's: waited for, so that their bytes are counted. */
  async #whenClosed(): Promise<void> {
    const server = this.#server.listening
      ? new Promise<void>((resolve) => this.#server.close(() => resolve()))
      : Promise.resolve();
    const ended = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    await Promise.all([server, ...ended]);
  }

  #listen(port: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: this.#options.bindAddress, port, backlog: 511 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Connections to the world, which end with the client's. */
  #isFar(socket: Socket): boolean {
    return !this.#accepted.has(socket);
  }

  #onConnection(socket: Socket): void {
    this.#accepted.add(socket);
    this.#fresh.add(socket);
    this.track(socket);
    socket.once('close', () => {
      this.#busy.delete(socket);
      this.#fresh.delete(socket);
    });
    // Clients reset connections as they please; whoever serves the socket sees its 'close'.
    socket.on('error', () => undefined);
    this.#options.onConnection(socket, this);
  }
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
