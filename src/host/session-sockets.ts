import { maskRequest } from '../call/call-caching.js';
import { handleSocket, type SocketOptions } from '../call/handle-socket.js';
import type { CallPorts } from '../call/ports.js';
import type { SocketSide, SocketWatch } from '../core/socket.js';
import type { RawHeaders } from '../core/wire.js';
import type { CassetteSockets } from '../replay/sockets.js';

/** Reads a WebSocket's calls, and records it where its session has a cassette that is being made. */
export function watchSocket(ports: CallPorts, options: SocketOptions, sockets: CassetteSockets | null): SocketWatch {
  const watch = handleSocket(ports, options);
  if (options.isReplayed === true || sockets?.hear === undefined) return watch;
  const { head, match } = options;
  return new BothWatches(watch, sockets.hear({ head, match, ...maskRequest(ports, head) }));
}

/** The second hears what the provider does: where the first lets the client's messages pass, not as they came. */
class BothWatches implements SocketWatch {
  readonly #first: SocketWatch;
  readonly #second: SocketWatch;
  readonly gate: SocketWatch['gate'];

  constructor(first: SocketWatch, second: SocketWatch) {
    this.#first = first;
    this.#second = second;
    this.gate = first.gate;
  }

  findPath(): Promise<string | null> | string | null {
    return this.#first.findPath?.() ?? null;
  }

  onOpen(rawHeaders: RawHeaders): void {
    this.#first.onOpen(rawHeaders);
    this.#second.onOpen(rawHeaders);
  }

  onPassed(to: SocketSide, chunk: Buffer): void {
    this.#first.onPassed(to, chunk);
    if (this.gate !== undefined && to === 'server') this.#second.onData('client', chunk);
  }

  onData(side: SocketSide, chunk: Buffer): void {
    this.#first.onData(side, chunk);
    this.#second.onData(side, chunk);
  }

  onEnd(...end: Parameters<SocketWatch['onEnd']>): void {
    this.#first.onEnd(...end);
    this.#second.onEnd(...end);
  }
}
