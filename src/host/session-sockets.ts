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

class BothWatches implements SocketWatch {
  readonly #watches: readonly SocketWatch[];

  constructor(...watches: readonly SocketWatch[]) {
    this.#watches = watches;
  }

  onOpen(rawHeaders: RawHeaders): void {
    for (const watch of this.#watches) watch.onOpen(rawHeaders);
  }

  onPassed(to: SocketSide, chunk: Buffer): void {
    for (const watch of this.#watches) watch.onPassed(to, chunk);
  }

  onData(side: SocketSide, chunk: Buffer): void {
    for (const watch of this.#watches) watch.onData(side, chunk);
  }

  onEnd(...end: Parameters<SocketWatch['onEnd']>): void {
    for (const watch of this.#watches) watch.onEnd(...end);
  }
}
