import { findShapes, type Span } from './redaction-shapes.js';
import type { SecretSet } from './secrets.js';

/** A beginning of a secret this long, at the very end of a cut text, is taken for the secret. */
const minCut = 6;

/** Known secrets of the exchange in the text, in any of their forms. */
export function findExact(text: string, secrets: SecretSet): Span[] {
  const spans: Span[] = [];
  for (const matcher of secrets.matchers) {
    for (let from = 0; ; ) {
      const hit = matcher.find(text, from);
      if (hit === null) break;
      spans.push({ start: hit.start, end: hit.end, kind: 'secret' });
      from = hit.end;
    }
  }
  return spans;
}

/** Everything in the text that must not be kept, in order, without overlaps. */
export function findSpans(text: string, secrets: SecretSet): Span[] {
  const exact = findExact(text, secrets);
  const shapes = findShapes(text);
  if (exact.length === 0) return shapes;
  return mergeSpans([...shapes, ...exact]);
}

/** A known secret that the end of the text cuts. */
export function findCutSecret(text: string, secrets: SecretSet): Span[] {
  const cuts = secrets.matchers.map((matcher) => matcher.findCut(text, minCut)).filter((at) => at !== null);
  return cuts.length === 0 ? [] : [{ start: Math.min(...cuts), end: text.length, kind: 'secret' }];
}

/** Joins what overlaps; the name of the more telling one stays. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last === undefined || span.start >= last.end) merged.push(span);
    else {
      const kind = last.kind === 'secret' ? span.kind : last.kind;
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, span.end), kind };
    }
  }
  return merged;
}

export function makeMask(kind: string): string {
  return `[redacted:${kind}]`;
}

/** The text with every span masked. */
export function maskSpans(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text;
  let out = '';
  let from = 0;
  for (const { start, end, kind } of spans) {
    out += text.slice(from, start) + makeMask(kind);
    from = end;
  }
  return out + text.slice(from);
}

const asciiEscape = /\\u00([2-7][0-9a-fA-F])/g;

/**
 * The text without what must not be kept. `\u0073k-…` hides a key from a search as well as `sk-…` shows it to a
 * reader: when spelling such escapes out shows more, the spelled-out text is what is kept.
 */
export function redactPlain(text: string, secrets: SecretSet): string {
  const spans = findSpans(text, secrets);
  if (text.includes('\\u00')) {
    const spelled = text.replaceAll(asciiEscape, (whole, hex: string) => spellOut(whole, hex));
    const seen = findSpans(spelled, secrets);
    if (seen.length > spans.length) return maskSpans(spelled, seen);
  }
  return maskSpans(text, spans);
}

/** A quote or a backslash must stay escaped for the text to stay what it is. */
function spellOut(whole: string, hex: string): string {
  const character = String.fromCharCode(Number.parseInt(hex, 16));
  return character === '"' || character === '\\' ? whole : character;
}
