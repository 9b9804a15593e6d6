import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCachePath, planCache, readCacheMode, readReplaySpeed } from '../../src/cli/cache-flags.js';
import { readSpan } from '../../src/cli/read-flags.js';

const folder = process.cwd();

describe('the flags of the cache', () => {
  it('are off when nothing is said, with a place for calls that ask by themselves', () => {
    expect(planCache({}, {})).toEqual({ place: { path: join(folder, '.llmtap', 'cache.db') }, use: null });
  });

  it('come before their variables', () => {
    const env = { LLMTAP_CACHE: 'only', LLMTAP_CACHE_DIR: 'there' };
    expect(planCache({}, env)).toEqual({ place: { path: join(folder, 'there', 'cache.db') }, use: { mode: 'only' } });
    expect(planCache({ cache: 'refresh', cacheDir: '/here' }, env)).toEqual({
      place: { path: '/here/cache.db' },
      use: { mode: 'refresh' },
    });
    expect(planCache({ cache: true, cacheMemory: true }, env)).toEqual({ place: { path: null }, use: { mode: 'on' } });
  });

  it('say how', () => {
    const flags = {
      cacheTtl: 5000,
      replaySpeed: 2,
      cacheToolResults: true as const,
      cacheMaxSize: 10,
      cacheMaxEntries: 3,
    };
    expect(planCache({ cache: true, ...flags } as const, {})).toEqual({
      place: { path: findCachePath(undefined, {}), maxBytes: 10, maxEntries: 3 },
      use: { mode: 'on', ttlMs: 5000, replaySpeed: 2, toolResults: true },
    });
  });

  it('are refused where they contradict each other or do nothing', () => {
    const plan = (flags: Parameters<typeof planCache>[0]) => () => planCache(flags, {});
    expect(plan({ cacheMemory: true, cacheDir: 'x' })).toThrow(expect.objectContaining({ code: 'OPTION_CONFLICT' }));
    expect(plan({ cacheTtl: 1, replaySpeed: 1 })).toThrow(
      'Could not use --cache-ttl and --replay-speed: the cache is off.',
    );
    expect(plan({ cacheDir: '' })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('E10 refuse a blank folder', () => {
    expect(() => findCachePath('  ', {})).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('are read from text', () => {
    expect(readCacheMode('only')).toBe('only');
    expect(() => readCacheMode('python')).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', hint: expect.stringContaining('put -- before the program') }),
    );
    expect([readReplaySpeed('1'), readReplaySpeed('0.5'), readReplaySpeed('instant')]).toEqual([1, 0.5, Infinity]);
    for (const value of ['0', '-1', 'fast', '1e9', '']) expect(() => readReplaySpeed(value)).toThrow('--replay-speed');
    expect(['90', '90s', '5m', '12h', '7d', '0'].map((value) => readSpan('--x', value))).toEqual([
      ...[90_000, 90_000, 300_000, 43_200_000, 604_800_000, 0],
    ]);
    for (const value of ['', '5y', '-5m', '1.5h', '99999999'])
      expect(() => readSpan('--x', value)).toThrow('length of time');
  });
});
