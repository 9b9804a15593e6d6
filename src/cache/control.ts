import { type CacheMode, type CacheUse, cacheModes } from '../core/response-cache.js';
import type { RawHeaders } from '../core/wire.js';

export const cacheHeader = 'x-llmtap-cache';

export type ControlReading =
  | { readonly ok: true; readonly mode?: CacheMode; readonly ttlMs?: number }
  | { readonly ok: false; readonly problem: string };

const unitMs: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads what a call's own header wants of the cache: a mode, a time to live, or both, in any order.
 *
 * `refresh`, `on, ttl=90`, `ttl=12h` (`s` when no unit is given, `m`, `h`, `d`).
 */
export function readCacheControl(value: string): ControlReading {
  let read: { mode?: CacheMode; ttlMs?: number } = {};
  for (const token of value
    .toLowerCase()
    .split(/[,;]/)
    .map((part) => part.trim())) {
    if (token === '') continue;
    const mode = cacheModes.find((candidate) => candidate === token);
    const ttl = /^ttl\s*=\s*(\d{1,9})([smhd]?)$/.exec(token);
    if (mode !== undefined) read = { ...read, mode };
    else if (ttl !== null) read = { ...read, ttlMs: Number(ttl[1]) * (unitMs[ttl[2] ?? ''] ?? 1000) };
    else return { ok: false, problem: `${JSON.stringify(token.slice(0, 40))} is neither a mode nor a ttl` };
  }
  return { ok: true, ...read };
}

/** What a call wants of the cache: its own word, then its session's; `null` for nothing. */
export function readCacheUse(
  rawHeaders: RawHeaders,
  session: CacheUse | null,
  onProblem: (problem: string) => void,
): CacheUse | null {
  const at = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.length === 14 && text.toLowerCase() === cacheHeader);
  let use = session;
  if (at !== -1) {
    const reading = readCacheControl(rawHeaders[at + 1] ?? '');
    if (!reading.ok) onProblem(reading.problem);
    else {
      const { ok: _, ...own } = reading;
      use = { mode: 'on', ...session, ...own };
      // Nothing goes out where the session says so, whatever a program of it asks for.
      if (session?.mode === 'only' && use.mode !== 'only') {
        onProblem(`it asks for "${use.mode}" in a session whose calls the cache alone may answer`);
        use = { ...use, mode: 'only' };
      }
    }
  }
  return use === null || use.mode === 'off' ? null : use;
}
