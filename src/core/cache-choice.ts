import { type CacheMode, type CacheUse, cacheModes, requireCacheUse } from './response-cache.js';

/**
 * What a tracker or a scope says of the cache: a mode by its name, `true` for `on`, `false` or `null` for none; or more of
 * it, `on` where no mode is given.
 */
export type CacheChoice = boolean | CacheMode | Partial<CacheUse> | null;

export const cacheChoiceWanted = `true, false, one of ${cacheModes.join(', ')}, or { mode, ttlMs, replaySpeed, toolResults }`;

export function isCacheChoice(value: unknown): boolean {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'string') return cacheModes.includes(value as CacheMode);
  return typeof value === 'object' && !Array.isArray(value);
}

/** `null` for none. Throws `OPTION_INVALID`. */
export function readCacheChoice(choice: CacheChoice | undefined): CacheUse | null {
  if (choice === undefined || choice === null || choice === false) return null;
  if (choice === true) return { mode: 'on' };
  return requireCacheUse(typeof choice === 'string' ? { mode: choice } : { mode: 'on', ...choice });
}
