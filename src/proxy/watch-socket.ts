import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SocketWatch } from '../core/socket.js';
import type { Origin } from '../core/wire.js';
import type { Door } from './door.js';
import { explainLeaving } from './explain-leaving.js';
import { explainUpstreamError } from './explain-upstream-error.js';

export interface WatchedSockets {
  readonly client: Socket;
  readonly far: Duplex;
  /** What the client sent behind its request's head. */
  readonly head: Buffer;
  readonly watch: SocketWatch;
  readonly origin: Origin;
  readonly door: Door;
}

/** What a client may send before the provider's 101 is here; no client sends anything. */
const maxEarlyBytes = 1024 * 1024;
/** What a piece costs besides its bytes. */
const pieceBytes = 256;

/** Gives a copy of both directions of a relayed upgrade to whoever reads it. Comes after the pipes: bytes first. */
export class SocketCopies {
  readonly #sockets: WatchedSockets;
  #early: Buffer[] | null;
  #earlyBytes: number;
  #isOpen = false;
  readonly #onClientData = (chunk: Buffer): void => this.#takeFromClient(chunk);

  constructor(sockets: WatchedSockets) {
    this.#sockets = sockets;
    // Where there is a gate the client is heard as it comes to that.
    const isGated = sockets.watch.gate !== undefined;
    this.#early = isGated ? [] : [sockets.head];
    this.#earlyBytes = isGated ? 0 : sockets.head.length;
    if (!isGated) sockets.client.on('data', this.#onClientData);
  }

  /** @param head the provider's 101 with its line ends, the empty line aside; `rest` is what came behind it */
  open(head: string, rest: Buffer): void {
    const { watch } = this.#sockets;
    const early = this.#early;
    this.#early = null;
    // What could not be kept cannot be told from what follows.
    if (early === null) return this.stop();
    this.#isOpen = true;
    watch.onOpen(readRawHeaders(head));
    // All of this was given to the other side before it came here.
    for (const chunk of early) {
      watch.onPassed('server', chunk);
      watch.onData('client', chunk);
    }
    this.#watchEnd();
    if (rest.length === 0) return;
    watch.onPassed('client', rest);
    watch.onData('server', rest);
  }

  /** A piece of what the provider sent behind its 101. */
  takeFromProvider(chunk: Buffer): void {
    if (this.#isOpen) this.#sockets.watch.onData('server', chunk);
  }

  /** A piece was given to one side; it comes to `watch` as taken from the other right after. */
  noteGiven(to: 'client' | 'far', chunk: Buffer): void {
    if (this.#isOpen) this.#sockets.watch.onPassed(to === 'far' ? 'server' : 'client', chunk);
  }

  /** The upgrade was refused: the client's connection is anybody's again. */
  stop(): void {
    this.#sockets.client.off('data', this.#onClientData);
  }

  #takeFromClient(chunk: Buffer): void {
    if (this.#isOpen) return this.#sockets.watch.onData('client', chunk);
    this.#early?.push(chunk);
    this.#earlyBytes += chunk.length + pieceBytes;
    if (this.#earlyBytes > maxEarlyBytes) this.#early = null;
  }

  /** Who went first is who ended it; everything is read when the provider's side is closed. */
  #watchEnd(): void {
    const { client, far, origin, door, watch } = this.#sockets;
    let isClientFirst: boolean | null = null;
    let failure: unknown = new Error('the connection was closed');
    const goFirst = (isClient: boolean): void => {
      isClientFirst ??= isClient;
    };
    client.once('end', () => goFirst(true)).once('close', () => goFirst(true));
    far.once('end', () => goFirst(false));
    far.once('error', (error) => {
      if (isClientFirst === null) failure = error;
      goFirst(false);
    });
    far.once('close', () => {
      if (isClientFirst === true || door.isCut)
        watch.onEnd('client_aborted', explainLeaving(door, 'the response ended'));
      else watch.onEnd('upstream_aborted', explainUpstreamError(failure, origin, true));
    });
  }
}

/** The headers of a reply's head, as node:http gives them. */
function readRawHeaders(head: string): string[] {
  const lines = head.split('\r\n').slice(1);
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 1 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}
