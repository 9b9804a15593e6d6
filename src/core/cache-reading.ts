import type { CacheEntry, CacheOutcome } from './response-cache.js';

/** What a cache's file holds. Sizes in bytes, times in milliseconds, instants UTC, ISO 8601. */
export interface CacheStats {
  readonly path: string;
  /** The file with its write-ahead log. */
  readonly bytes: number;
  readonly entries: number;
  /** As the limits count. */
  readonly entryBytes: number;
  /** Answers given from it since it was made. */
  readonly hits: number;
  /** What the answers given by entries that are still there took when they were first made. */
  readonly savedMs: number;
  /** Entries that will answer nothing any more. */
  readonly expired: number;
  readonly oldest: string | null;
  readonly newest: string | null;
  /** Most entries first. */
  readonly models: readonly CacheModel[];
}

export interface CacheModel {
  readonly provider: string;
  readonly model: string | null;
  readonly entries: number;
  readonly bytes: number;
  readonly hits: number;
}

/** One entry without its reply. */
export interface CacheRow {
  readonly key: string;
  readonly variant: string;
  readonly provider: string;
  readonly api: string;
  readonly url: string;
  readonly model: string | null;
  readonly callId: string;
  readonly isBound: boolean;
  readonly bytes: number;
  readonly hits: number;
  readonly latencyMs: number;
  readonly storedAt: string;
  readonly usedAt: string;
  readonly expiresAt: string | null;
}

/** Why a call was answered by the cache, or was not. */
export interface CacheWhy {
  readonly callId: string;
  readonly at: string;
  readonly url: string;
  readonly api: string;
  readonly outcome: CacheOutcome;
  /** As a sentence; `null` where there is nothing to explain. */
  readonly reason: string | null;
  readonly key: string | null;
  readonly variant: string | null;
  /** The entry that answered, or the one whose key differs in the fewest parts; `null` when there is none of that API. */
  readonly nearest: CacheRow | null;
  /** Parts of the key that differ from that entry's, by name; none where the key is the same. */
  readonly differing: readonly KeyDifference[];
}

export interface KeyDifference {
  /** `body.messages[2]`, `header.anthropic-beta`, `variant` … */
  readonly part: string;
  readonly how: 'differs' | 'only in the call' | 'only in the entry';
}

/** What of a cache is deleted; all of it where nothing is said. */
export interface CacheSelection {
  /** Kept before this instant, milliseconds since 1970. */
  readonly beforeMs?: number;
  readonly model?: string;
}

/** A cache's file, read also while others write. Methods throw `STORE_LOCKED` and `STORE_FAILED` besides what they name. */
export interface CacheReader {
  stats(): CacheStats;
  /** Last used first. */
  list(options?: { readonly limit?: number }): Iterable<CacheRow>;
  /** By the key or a call's id, or at least four characters of its beginning: each form that is kept. Throws `RECORD_NOT_FOUND`. */
  require(idOrPrefix: string): readonly { readonly row: CacheRow; readonly entry: CacheEntry }[];
  /** By a call's id, the beginning of it, or `latest`. Throws `RECORD_NOT_FOUND`. */
  why(idOrPrefix: string): CacheWhy;
  /** Every entry that is as it was written; lazily. */
  entries(): Iterable<CacheEntry>;
  count(selection: CacheSelection): number;
  /** Deletes; gives how many. */
  clear(selection: CacheSelection): number;
  close(): void;
}
