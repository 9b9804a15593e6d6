import type { RawHeaders } from '../core/wire.js';

/** The first value of a header, whatever its case; `null` when absent. */
export function findHeader(raw: RawHeaders, name: string): string | null {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const candidate = raw[i];
    if (candidate !== undefined && candidate.length === name.length && candidate.toLowerCase() === name) {
      return raw[i + 1] ?? null;
    }
  }
  return null;
}

/** All values of a header in their order, as one list; `null` when absent. */
export function joinHeader(raw: RawHeaders, name: string): string | null {
  const values = raw.filter((_value, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);
  return values.length === 0 ? null : values.join(', ');
}

/** The headers without some of them. */
export function dropHeaders(raw: RawHeaders, names: ReadonlySet<string>): string[] {
  return raw.filter((_value, i) => !names.has((raw[i - (i % 2)] ?? '').toLowerCase()));
}
