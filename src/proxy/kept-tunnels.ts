import type { Socket } from 'node:net';
import type { Destination } from './connector.js';
import { makeDestinationKey } from './destination-key.js';
import type { Door } from './door.js';

/**
 * The tunnels of clients in this process, which keep them for further requests. They are to hear that a provider has gone
 * as they would without us, by their connection's end: what they then ask opens a new one, and meets the failure itself.
 */
export class KeptTunnels {
  readonly #byKey = new Map<string, Map<Socket, Door>>();

  /** @param root the accepted connection */
  keep(root: Socket, door: Door, destination: Destination): void {
    const key = makeDestinationKey(destination);
    const tunnels = this.#byKey.get(key) ?? new Map<Socket, Door>();
    this.#byKey.set(key, tunnels.set(root, door));
    root.once('close', () => {
      tunnels.delete(root);
      if (tunnels.size === 0 && this.#byKey.get(key) === tunnels) this.#byKey.delete(key);
    });
  }

  /** No connection to this destination is left: ends the tunnels that wait for their next request. */
  endIdle(key: string): void {
    for (const [root, door] of this.#byKey.get(key) ?? []) door.endIdle(root);
  }
}
