import type { Socket } from 'node:net';
import type { Destination } from './connector.js';
import type { Door } from './door.js';

/** What is known of a connection beside its bytes. */
export interface SocketFacts {
  readonly door: Door;
  /** Where a tunnel's requests go; `null` on the proxy port itself, where each request says. */
  readonly destination: Destination | null;
  /** Its client is this process itself, and is to meet a provider's failure as it would without us. */
  readonly isInProcess: boolean;
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
