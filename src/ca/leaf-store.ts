import { generateKeyPairSync } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Clock, systemClock } from '../core/clock.js';
import { TrackerError } from '../core/errors.js';
import { requireHostName } from './host-name.js';
import type { Leaf } from './leaf.js';
import { type LeafMaker, openLeafMaker } from './leaf-maker.js';

const renewBeforeMs = 7 * 86_400_000;
// 37 KB each (measured).
const defaultCapacity = 500;

/** Server certificates for the hosts the proxy answers for, ready for TLS. */
export interface LeafStore {
  /**
   * The context to answer with for one host (DNS name or IP address): leaf, root and key. Made once and kept; renewed
   * from seven days before its end. Callers that ask at once for one host share one making.
   *
   * Rejects with `HOST_NAME_INVALID`, or `HOST_CLOSED` after `close`.
   */
  contextFor(host: string): Promise<SecureContext>;
  /**
   * Makes contexts ahead, in order, one a turn of the event loop, so that nothing else waits longer than for one (1.5
   * ms). Never rejects: a host that could not be warmed is made, or refused, when it is asked for.
   */
  warm(hosts: readonly string[]): Promise<void>;
  /** Ends the worker and forgets everything; may be called twice. */
  close(): Promise<void>;
}

export interface LeafStoreOptions {
  readonly clock?: Clock;
  /** How many hosts are kept, the least recently used forgotten first. 500 when absent. */
  readonly capacity?: number;
  /** The compiled worker; the one beside this module when absent. */
  readonly workerUrl?: URL;
}

/**
 * Opens a store with a leaf key of its own, P-256, in memory only. Cheap: no thread starts and no certificate is made
 * before the first host is asked for.
 */
export function openLeafStore(
  authority: { readonly certPem: string; readonly keyPem: string },
  options: LeafStoreOptions = {},
): LeafStore {
  return new BoundedLeafStore(authority, options);
}

interface Kept {
  readonly context: SecureContext;
  readonly renewAtMs: number;
}

class BoundedLeafStore implements LeafStore {
  readonly #rootPem: string;
  readonly #keyPem: string;
  readonly #maker: LeafMaker;
  readonly #clock: Clock;
  readonly #capacity: number;
  /** In the order of use, the longest unused first. */
  readonly #kept = new Map<string, Kept>();
  readonly #making = new Map<string, Promise<SecureContext>>();
  #isClosed = false;

  constructor(authority: { readonly certPem: string; readonly keyPem: string }, options: LeafStoreOptions) {
    const pair = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const { certPem, keyPem } = authority;
    this.#rootPem = certPem;
    this.#keyPem = pair.privateKey;
    this.#clock = options.clock ?? systemClock;
    this.#capacity = options.capacity ?? defaultCapacity;
    this.#maker = openLeafMaker(
      { certPem, keyPem, leafPublicKeyPem: pair.publicKey },
      options.workerUrl ?? new URL('./leaf-worker.js', import.meta.url),
    );
  }

  async contextFor(host: string): Promise<SecureContext> {
    const name = requireHostName(host);
    if (this.#isClosed) throw makeClosedError(name);
    return this.#findKept(name) ?? (await this.#share(name));
  }

  async warm(hosts: readonly string[]): Promise<void> {
    for (const host of hosts) {
      await nextTurn();
      if (this.#isClosed) return;
      try {
        await this.contextFor(host);
      } catch {
        // Nobody waits for this one: whoever asks for the host is told why.
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#kept.clear();
    await this.#maker.close();
  }

  #findKept(name: string): SecureContext | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    this.#kept.delete(name);
    if (this.#clock.nowMs() >= kept.renewAtMs) return undefined;
    this.#kept.set(name, kept);
    return kept.context;
  }

  #share(name: string): Promise<SecureContext> {
    const running = this.#making.get(name);
    if (running !== undefined) return running;
    const making = this.#make(name).finally(() => this.#making.delete(name));
    this.#making.set(name, making);
    return making;
  }

  async #make(name: string): Promise<SecureContext> {
    const nowMs = this.#clock.nowMs();
    const leaf = await this.#maker.makeLeaf(name, nowMs);
    if (this.#isClosed) throw makeClosedError(name);
    const context = createSecureContext({ key: this.#keyPem, cert: leaf.certPem + this.#rootPem });
    this.#keep(name, { context, renewAtMs: makeRenewalTime(leaf, nowMs) });
    return context;
  }

  #keep(name: string, kept: Kept): void {
    this.#kept.set(name, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#capacity && oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** A leaf cut short by the root's end is used for half its time, not made anew for every connection. */
function makeRenewalTime(leaf: Leaf, nowMs: number): number {
  return Math.max(leaf.notAfterMs - renewBeforeMs, nowMs + (leaf.notAfterMs - nowMs) / 2);
}

function makeClosedError(name: string): TrackerError {
  return new TrackerError('HOST_CLOSED', `Could not make a certificate for ${name}: the certificate store is closed.`);
}
