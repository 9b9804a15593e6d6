import type { RawHeaders } from '../core/wire.js';

/** The length a head announces; `null` when it announces none. */
export function readContentLength(rawHeaders: RawHeaders): number | null {
  const at = rawHeaders.findIndex((value, i) => i % 2 === 0 && value.toLowerCase() === 'content-length');
  return at === -1 ? null : Number(rawHeaders[at + 1]);
}

/** The same headers with another length, where they announce one. */
export function replaceContentLength(rawHeaders: RawHeaders, length: number): string[] {
  return rawHeaders.map((value, i) =>
    i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'content-length' ? String(length) : value,
  );
}
