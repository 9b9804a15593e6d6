import { checkNames, checkShapes, isText, requireObject, type Shapes } from './option-checks.js';
import type { RawHeaders } from './wire.js';

/**
 * What the cache does for a call.
 *
 * - `on`: answers what it holds, keeps what it does not
 * - `off`: neither
 * - `refresh`: asks the provider, and keeps the reply in place of what it holds
 * - `only`: answers what it holds, and refuses what it does not; the provider is never asked
 */
export type CacheMode = 'on' | 'off' | 'refresh' | 'only';

export const cacheModes: readonly CacheMode[] = ['on', 'off', 'refresh', 'only'];

/** Below the working folder, where no other is named. */
export const usualCacheFolder = '.llmtap';
/** In that folder, or the one that is named. */
export const cacheFileName = 'cache.db';

/** How the calls of one session use the cache. */
export interface CacheUse {
  readonly mode: CacheMode;
  /** Entries older than so many milliseconds are not answered from, and what is kept goes after as many; no end when absent. */
  readonly ttlMs?: number;
  /**
   * How a stored stream is played: at once, each piece by itself (when absent), or by the clock, 1 as it was recorded, 2
   * twice as fast.
   */
  readonly replaySpeed?: number;
  /** Keep also replies that tell of tools the provider itself ran and whose doing is not done again: code, MCP. Off when absent. */
  readonly toolResults?: boolean;
}

/** Where the cache of a host lies, and how large it may get. */
export interface CachePlace {
  /** Absolute; `null` for memory alone. */
  readonly path: string | null;
  /** 1 GiB when absent. */
  readonly maxBytes?: number;
  /** 1,000,000 when absent. */
  readonly maxEntries?: number;
}

/** Digests of what a key is made of, by name: `origin`, `header.openai-beta`, `body.messages[2]`. */
export type KeyParts = Readonly<Record<string, string>>;

/** A piece of a stored reply: so many bytes of its body, and when they came, in milliseconds since its head. */
export type PieceTimes = readonly (readonly [bytes: number, atMs: number])[];

/** One reply as it is kept. Its body has no content coding. */
export interface CacheEntry {
  /** SHA-256 of the request, in hexadecimal. */
  readonly key: string;
  /** The form of the reply: `json`, or `stream` and what the request says of it. */
  readonly variant: string;
  readonly provider: string;
  readonly api: string;
  /** `https://api.openai.com/v1/chat/completions`, without the query. */
  readonly url: string;
  readonly model: string | null;
  readonly parts: KeyParts;
  /** Whether the key holds a digest of the caller's credential that is this cache's own. */
  readonly isBound: boolean;
  readonly status: number;
  readonly rawHeaders: RawHeaders;
  readonly pieces: PieceTimes;
  readonly body: Buffer;
  /** Of the call that was answered by the provider. */
  readonly callId: string;
  readonly latencyMs: number;
  /** Milliseconds since 1970, UTC. */
  readonly storedAtMs: number;
  /** `null` for never. */
  readonly expiresAtMs: number | null;
}

/** What the cache did for one call, kept for `llmtap cache why`. */
export interface CacheLookup {
  readonly callId: string;
  readonly atMs: number;
  /** `null` where the request has none. */
  readonly key: string | null;
  readonly variant: string | null;
  readonly url: string;
  readonly api: string;
  /** `null` for an answer from the cache, whose key says it all. */
  readonly parts: KeyParts | null;
  readonly outcome: CacheOutcome;
  /** Why the reply was not kept, or the request has no key, as a sentence; `null` where there is nothing to explain. */
  readonly reason: string | null;
}

export type CacheOutcome = 'hit' | 'shared' | 'miss' | 'expired' | 'refresh' | 'refused' | 'unkeyed';

/** Where entries are kept. No method throws; what fails is a fault, and a miss. */
export interface CacheStore {
  /** Of this file alone: what digests of credentials are keyed with, in hexadecimal. */
  readonly salt: string;
  find(key: string, variant: string): CacheEntry | null;
  /** Written within a second; answered from at once. */
  put(entry: CacheEntry): void;
  /** An entry was answered from. */
  noteUse(entry: Pick<CacheEntry, 'key' | 'variant'>, atMs: number): void;
  noteLookup(lookup: CacheLookup): void;
  /** Deletes every entry, those of other processes too; gives how many. */
  clear(): number;
  /** Writes what waits; `false` when the file could not be written. */
  flush(): boolean;
  /** Flushes and closes; may be called twice. */
  close(): void;
}

/** What a timer of Node takes, and more than any reply is worth. */
const longestMs = 100 * 365 * 86_400_000;

const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;

const useShapes: Shapes = {
  mode: { wanted: `one of ${cacheModes.join(', ')}`, isRight: (value) => cacheModes.includes(value as CacheMode) },
  ttlMs: {
    wanted: 'a number of milliseconds of 0 or more',
    isRight: (value) => typeof value === 'number' && value >= 0 && value <= longestMs,
  },
  replaySpeed: { wanted: 'a number over 0, or Infinity', isRight: isPositive },
  toolResults: { wanted: 'true or false', isRight: (value) => typeof value === 'boolean' },
};

const placeShapes: Shapes = {
  path: { wanted: 'the path of a file, or null', isRight: (value) => value === null || isText(value) },
  maxBytes: { wanted: 'a number of bytes over 0', isRight: isCount },
  maxEntries: { wanted: 'a number over 0', isRight: isCount },
};

/** Throws `OPTION_INVALID`. */
export function requireCacheUse(use: unknown): CacheUse {
  const given = requireObject(use, 'the cache');
  checkNames(given, Object.keys(useShapes), 'the cache');
  checkShapes({ mode: null, ...given }, useShapes);
  return given as unknown as CacheUse;
}

/** Throws `OPTION_INVALID`. */
export function requireCachePlace(place: unknown): CachePlace {
  const given = requireObject(place, 'the place of the cache');
  checkNames(given, Object.keys(placeShapes), 'the place of the cache');
  checkShapes({ ...given }, placeShapes);
  return given as unknown as CachePlace;
}
