import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '../core/call-record.js';

export type JsonObject = { readonly [key: string]: JsonValue };

/**
 * Reads a JSON object whose value says everything its text says; `undefined` for any other body. What a parse would lose
 * keeps two different bodies from being taken for one: bytes that are no UTF-8, numbers of more digits than a double
 * holds, and a member named twice.
 *
 * `{"b": 1, "a": [1.0]}` reads as `{ a: [1], b: 1 }`, `{"seed": 9007199254740993}` as `undefined`.
 */
export function readExactObject(body: Buffer): JsonObject | undefined {
  if (!isUtf8(body)) return undefined;
  const text = body.toString('utf8');
  try {
    const value = JSON.parse(text) as JsonValue;
    if (!isObject(value)) return undefined;
    const members = countMembers(text);
    return members !== null && members === countKeys(value) ? value : undefined;
  } catch {
    // No JSON, or nested too deeply to be looked through.
    return undefined;
  }
}

/**
 * The value as JSON with the members of every object in the order of their names, so that equal values have equal texts.
 * A lone surrogate, which model text may hold, is escaped and stays what it was. Throws `RangeError` for what is nested
 * too deeply.
 */
export function formatCanonical(value: JsonValue): string {
  return JSON.stringify(sortMembers(value));
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortMembers(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((part: JsonValue) => sortMembers(part));
  if (!isObject(value)) return value;
  // Without a prototype, so that a member named `__proto__` is one like any other.
  const sorted = Object.create(null) as Record<string, JsonValue>;
  for (const name of Object.keys(value).sort()) sorted[name] = sortMembers(value[name] ?? null);
  return sorted;
}

function countKeys(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const parts: readonly JsonValue[] = Array.isArray(value) ? value : Object.values(value);
  return parts.reduce<number>((sum, part) => sum + countKeys(part), Array.isArray(value) ? 0 : parts.length);
}

/** Members as the text writes them, a colon outside of strings each; `null` where a number is not exact. */
function countMembers(text: string): number | null {
  let members = 0;
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf('"', at);
    const end = open === -1 ? text.length : open;
    for (let i = at; i < end; i++) if (text.charCodeAt(i) === 58) members++;
    if (mayBeInexact.test(text.slice(at, end)) && !areExact(text.slice(at, end))) return null;
    if (open === -1) break;
    at = findStringEnd(text, open) + 1;
  }
  return members;
}

const mayBeInexact = /[\d.]{16}|\d[eE]/;

function areExact(between: string): boolean {
  return (between.match(/-?\d[\d.eE+-]*/g) ?? []).every(isExact);
}

/** A double holds every number of 15 digits, and those that are the shortest text of one. */
function isExact(literal: string): boolean {
  const value = Number(literal);
  const digits = literal
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  if (!Number.isFinite(value) || (value === 0 && digits !== '')) return false;
  return digits.length <= 15 || String(value) === literal;
}

function findStringEnd(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
