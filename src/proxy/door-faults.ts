import type { ErrorCode } from '../core/errors.js';
import type { Session } from '../core/session.js';
import type { Door } from './door.js';
import { TrustWatch } from './trust-watch.js';

type OnFault = (session: Session | null, code: ErrorCode, message: string, hint: string | null) => void;

/** Names come from the wire: bounded. */
const maxHostsNamed = 1000;

/** What is to be said of a door's clients, each thing once. */
export class DoorFaults {
  readonly #onFault: OnFault;
  readonly #trust = new WeakMap<Door, TrustWatch>();
  readonly #unserved = new WeakMap<Door, Set<string>>();
  readonly #unreached = new WeakMap<Door, Set<string>>();

  constructor(onFault: OnFault) {
    this.#onFault = onFault;
  }

  requireTrustWatch(door: Door): TrustWatch {
    let watch = this.#trust.get(door);
    if (watch === undefined) {
      watch = new TrustWatch(({ message, hint }) => {
        door.count('faults');
        this.#onFault(door.session, 'TLS_REFUSED', message, hint);
      });
      this.#trust.set(door, watch);
    }
    return watch;
  }

  /** @param what the client speaks: `HTTP/2 without TLS` */
  reportUnserved(door: Door, host: string, what: string): void {
    const said = this.#unserved.get(door) ?? new Set();
    this.#unserved.set(door, said);
    if (said.has(host) || said.size >= maxHostsNamed) return;
    said.add(host);
    door.count('faults');
    const message = `A client speaks ${what} to ${host}; its connection was relayed unread and its calls cannot be seen.`;
    this.#onFault(door.session, 'PROTOCOL_UNREAD', message, 'Let the client speak HTTP/1.1, or HTTP/2 over TLS.');
  }

  reportUnreached(door: Door, message: string): void {
    const said = this.#unreached.get(door) ?? new Set();
    this.#unreached.set(door, said);
    if (said.has(message) || said.size >= maxHostsNamed) return;
    said.add(message);
    door.count('faults');
    const hint = 'The program met the same error; its calls could not be sent and are not on record.';
    this.#onFault(door.session, 'UPSTREAM_UNREACHABLE', message, hint);
  }

  /** Tells what was still in doubt. */
  close(door: Door): void {
    this.#trust.get(door)?.close();
  }
}
