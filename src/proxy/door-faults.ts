import type { ErrorCode } from '../core/errors.js';
import type { Session } from '../core/session.js';
import type { Origin } from '../core/wire.js';
import { formatAuthority } from './authority-form.js';
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
  readonly #sealed = new WeakSet<Door>();

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

  /** Once a session: what a program does besides its calls may be much, and is none of the recording's. */
  reportSealed(door: Door, { host, port }: Origin): void {
    if (this.#sealed.has(door)) return;
    this.#sealed.add(door);
    door.count('faults');
    const message = `What was to go to ${formatAuthority(host, port)} was refused, for nothing goes out in a replay; this is told once a session.`;
    const hint = 'Only requests to providers are recorded; --replay-or-live lets all others out.';
    this.#onFault(door.session, 'REPLAY_REFUSED', message, hint);
  }

  /** Tells what was still in doubt. */
  close(door: Door): void {
    this.#trust.get(door)?.close();
  }
}
