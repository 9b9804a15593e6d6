import { join, resolve } from 'node:path';
import { TrackerError } from '../core/errors.js';
import {
  type CacheMode,
  type CachePlace,
  type CacheUse,
  cacheFileName,
  cacheModes,
  usualCacheFolder,
} from '../core/response-cache.js';
import { makeInvalid } from './read-flags.js';

/** The flags of a session's cache, as commander parses them. */
export interface CacheFlags {
  readonly cache?: CacheMode | true | undefined;
  readonly cacheDir?: string | undefined;
  readonly cacheMemory?: true | undefined;
  readonly cacheTtl?: number | undefined;
  readonly cacheMaxSize?: number | undefined;
  readonly cacheMaxEntries?: number | undefined;
  readonly cacheToolResults?: true | undefined;
  readonly replaySpeed?: number | undefined;
  readonly replay?: string | undefined;
  readonly replayOrLive?: string | undefined;
}

export interface CachePlan {
  readonly place: CachePlace;
  /** `null` for none, but where a call's own header asks. */
  readonly use: CacheUse | null;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Flags and variables as one plan; a flag wins over its variable. Throws `OPTION_INVALID` and `OPTION_CONFLICT`. */
export function planCache(flags: CacheFlags, env: Env): CachePlan {
  if (flags.cacheMemory && flags.cacheDir !== undefined) {
    throw new TrackerError('OPTION_CONFLICT', 'Could not use --cache-memory together with --cache-dir.', {
      hint: 'Leave one of them out: replies are kept in a file, or in memory.',
    });
  }
  const { cacheMaxSize: maxBytes, cacheMaxEntries: maxEntries } = flags;
  return {
    place: {
      path: flags.cacheMemory ? null : findCachePath(flags.cacheDir, env),
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(maxEntries === undefined ? {} : { maxEntries }),
    },
    use: planUse(flags, env),
  };
}

/** The file of the cache a flag, a variable or the working folder names, absolute. Throws `OPTION_INVALID`. */
export function findCachePath(cacheDir: string | undefined, env: Env): string {
  const folder = cacheDir ?? (env.LLMTAP_CACHE_DIR || usualCacheFolder);
  if (folder.trim() === '') {
    throw makeInvalid('--cache-dir', folder, 'is empty', 'Give a folder, or --cache-memory.');
  }
  return join(resolve(folder), cacheFileName);
}

/** Throws `OPTION_INVALID`. */
export function readCacheMode(value: string): CacheMode {
  return readMode('--cache', value);
}

/** Times as fast as it was recorded; `Infinity` for `instant`. Throws `OPTION_INVALID`. */
export function readReplaySpeed(value: string): number {
  if (value === 'instant') return Number.POSITIVE_INFINITY;
  const speed = /^\d{1,6}(?:\.\d{1,6})?$/.test(value) ? Number(value) : 0;
  if (speed > 0) return speed;
  throw makeInvalid(
    '--replay-speed',
    value,
    'is no number over 0',
    'Write 1 for the recorded pace, 2, 0.5, or instant.',
  );
}

/** A recording has a pace of its own, whatever the cache does. */
function isReplayed({ replay, replayOrLive }: CacheFlags): boolean {
  return (replay ?? replayOrLive) !== undefined;
}

function readMode(name: string, value: string): CacheMode {
  const mode = cacheModes.find((candidate) => candidate === value);
  if (mode !== undefined) return mode;
  const hint = `Use one of ${cacheModes.join(', ')}; put -- before the program.`;
  throw makeInvalid(name, value, 'is no mode of the cache', hint);
}

function planUse(flags: CacheFlags, env: Env): CacheUse | null {
  const named = env.LLMTAP_CACHE || undefined;
  const mode = flags.cache ?? (named === undefined ? undefined : readMode('LLMTAP_CACHE', named));
  const { cacheTtl: ttlMs, replaySpeed, cacheToolResults: toolResults } = flags;
  if (mode !== undefined) {
    return {
      mode: mode === true ? 'on' : mode,
      ...(ttlMs === undefined ? {} : { ttlMs }),
      // NOTE: as none, not as Infinity, which no JSON holds: `llmtap env` hands the plan on as such.
      ...(replaySpeed === undefined || replaySpeed === Number.POSITIVE_INFINITY ? {} : { replaySpeed }),
      ...(toolResults === undefined ? {} : { toolResults }),
    };
  }
  const idle = [
    ...(ttlMs === undefined ? [] : ['--cache-ttl']),
    ...(replaySpeed === undefined || isReplayed(flags) ? [] : ['--replay-speed']),
    ...(toolResults === undefined ? [] : ['--cache-tool-results']),
  ];
  if (idle.length === 0) return null;
  throw new TrackerError('OPTION_CONFLICT', `Could not use ${idle.join(' and ')}: the cache is off.`, {
    hint: 'Add --cache, or leave it out.',
  });
}
