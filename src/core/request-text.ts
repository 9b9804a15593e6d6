import type { JsonValue } from './call-record.js';

/** More values than a request has; a bound on the work all the same. */
const maxValues = 200_000;

/**
 * How many characters of text a request holds: every string in it, but for media, which are long runs of base64. A measure of
 * the prompt, not a count of tokens.
 */
export function measureText(request: JsonValue): number {
  let chars = 0;
  let seen = 0;
  const left: JsonValue[] = [request];
  while (left.length > 0 && seen < maxValues) {
    const value = left.pop() ?? null;
    seen += 1;
    if (typeof value === 'string') chars += isMedia(value) ? 0 : value.length;
    else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) left.push(inner);
  }
  return chars;
}

/** What begins as a data URL, or has no word's end in its first kilobyte. */
function isMedia(text: string): boolean {
  if (text.length < 1024) return false;
  return text.startsWith('data:') || /^[A-Za-z0-9+/_=-]{1024}/.test(text.slice(0, 1024));
}
