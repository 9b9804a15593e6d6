import { join } from 'node:path';
import { openResponseCache } from '../cache/response-cache.js';
import type { SessionCaching } from '../call/call-caching.js';
import type { ResponseCache } from '../core/call-cache.js';
import { requireCassetteUse } from '../core/cassette.js';
import { systemClock } from '../core/clock.js';
import type { ErrorCode } from '../core/errors.js';
import type { HostOptions, SessionOptions } from '../core/host.js';
import {
  type CacheUse,
  cacheFileName,
  requireCachePlace,
  requireCacheUse,
  usualCacheFolder,
} from '../core/response-cache.js';
import type { Session } from '../core/session.js';
import type { Origin } from '../core/wire.js';
import type { CassetteSockets } from '../replay/sockets.js';
import { openCacheStore } from '../storage/cache-store.js';
import { SessionCassettes } from './session-cassettes.js';
import { wireTools } from './wire-tools.js';

export interface SessionCachesPorts {
  readonly registered: () => readonly Origin[];
  readonly onFault: (sessionId: string | null, code: ErrorCode, message: string, hint: string | null) => void;
}

/** What is decoded of a reply at most: an entry is smaller, and what is larger is not kept. */
const maxDecodedBytes = 64 * 1024 * 1024;

/** The host's cache, and which sessions use it how. Opens no file before a call uses it. */
export class SessionCaches {
  readonly cache: ResponseCache;
  readonly #bySession = new WeakMap<Session, CacheUse>();
  readonly #cassettes: SessionCassettes;

  /** Throws `OPTION_INVALID`. */
  constructor({ cache: place }: Pick<HostOptions, 'cache'>, ports: SessionCachesPorts) {
    if (place !== undefined) requireCachePlace(place);
    this.#cassettes = new SessionCassettes(ports.onFault);
    this.cache = openResponseCache({
      openStore: () => {
        const { path = join(process.cwd(), usualCacheFolder, cacheFileName), ...limits } = place ?? {};
        const onFault = (fault: { readonly code: ErrorCode; readonly message: string; readonly hint: string | null }) =>
          ports.onFault(null, fault.code, fault.message, fault.hint);
        return openCacheStore({ path, ...limits, onFault });
      },
      openDecoder: (coding, sink) => wireTools.openDecoder(coding, sink, { maxDecodedBytes }),
      clock: systemClock,
      registered: ports.registered,
      onFault: (sessionId, message, hint) =>
        ports.onFault(sessionId, sessionId === null ? 'INTERNAL' : 'OPTION_INVALID', message, hint),
    });
  }

  /**
   * Has a session's calls use the cache, or a cassette. Rejects with `OPTION_INVALID`, and what `SessionCassettes` rejects
   * with.
   */
  async add(
    session: Session,
    { cache, cassette, restore }: Pick<SessionOptions, 'cache' | 'cassette' | 'restore'>,
  ): Promise<void> {
    if (cache !== undefined) this.#bySession.set(session, requireCacheUse(cache));
    if (cassette !== undefined) await this.#cassettes.add(session, requireCassetteUse(cassette), restore !== undefined);
  }

  find(session: Session): SessionCaching {
    return this.#cassettes.find(session) ?? { cache: this.cache, use: this.#bySession.get(session) ?? null };
  }

  /** What a session that records or plays does with all it exchanges; `null` for any other. */
  findCassette(session: Session): SessionCaching | null {
    return this.#cassettes.find(session);
  }

  /** As `findCassette`, with its WebSockets. */
  findSockets(session: Session): CassetteSockets | null {
    return this.#cassettes.findSockets(session);
  }

  /** The session has ended, and so have its calls. */
  async remove(session: Session): Promise<void> {
    await this.#cassettes.remove(session);
  }
}
