import { isValueSecret, readKind } from '../call/redaction-named.js';
import { makeMask } from '../call/redaction-spans.js';
import { readNameStrength } from '../call/secrets-names.js';
import type { JsonValue } from '../core/call-record.js';

/** Whole events and contexts that are the same over and over, and the texts in them. */
const mostKept = 500;
const longestKept = 2000;
const maxDepth = 100;

/**
 * Redacts the texts in plain data, and leaves its shape as it is. A name that gives a secret away masks its value, as in
 * bodies; `key` is none, but who a run was for. What comes again, as ids and contexts do, is not looked at twice.
 */
export class LeafRedactor {
  readonly #redactText: (text: string) => string;
  readonly #texts = new Map<string, string>();

  constructor(redactText: (text: string) => string) {
    this.#redactText = redactText;
  }

  /** Redacts, and freezes, a value that `JSON.parse` gave and nobody else holds, in place. */
  redact(value: JsonValue): JsonValue {
    return this.#visit(value, 0);
  }

  redactText(text: string): string {
    if (text.length < 6) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const redacted = this.#redactText(text);
    if (text.length > longestKept) return redacted;
    const [oldest] = this.#texts.keys();
    if (this.#texts.size >= mostKept && oldest !== undefined) this.#texts.delete(oldest);
    this.#texts.set(text, redacted);
    return redacted;
  }

  #visit(value: JsonValue, depth: number): JsonValue {
    if (typeof value === 'string') return this.redactText(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth > maxDepth) return '[nested too deeply to be kept]';
    const holder = value as Record<string, JsonValue>;
    for (const name of Object.keys(holder)) {
      const inner = holder[name] ?? null;
      const redacted = maskNamed(name, inner) ?? this.#visit(inner, depth + 1);
      // Only what differs is set: a member named `__proto__` is none then.
      if (redacted !== inner) Object.defineProperty(holder, name, { value: redacted });
      if (!Array.isArray(holder)) this.#rename(holder, name);
    }
    return Object.freeze(value);
  }

  /** A secret may be the name of a member, too. */
  #rename(holder: Record<string, JsonValue>, name: string): void {
    const redacted = this.redactText(name);
    if (redacted === name) return;
    const value = holder[name] ?? null;
    Reflect.deleteProperty(holder, name);
    holder[redacted] = value;
  }
}

function maskNamed(name: string, value: JsonValue): string | null {
  if (typeof value !== 'string') return null;
  const strength = readNameStrength(name);
  return strength !== null && isValueSecret(value, strength) ? makeMask(readKind(name)) : null;
}
