import type { JsonValue } from '../core/call-record.js';

/** A JSON object as read from a wire. */
export type JsonObject = { readonly [key: string]: JsonValue };

const NO_ITEMS: readonly JsonValue[] = Object.freeze([]);

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, `undefined` where any step is missing or no object. Own keys only. */
export function findField(value: JsonValue | undefined, ...keys: readonly string[]): JsonValue | undefined {
  let current = value;
  for (const key of keys) {
    if (!isJsonObject(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

export function findObject(value: JsonValue | undefined, ...keys: readonly string[]): JsonObject | undefined {
  const found = findField(value, ...keys);
  return isJsonObject(found) ? found : undefined;
}

/** The elements of the array at a path; none where there is no array. */
export function findItems(value: JsonValue | undefined, ...keys: readonly string[]): readonly JsonValue[] {
  const found = findField(value, ...keys);
  return Array.isArray(found) ? found : NO_ITEMS;
}

/** The string at a path when it is not empty. */
export function findText(value: JsonValue | undefined, ...keys: readonly string[]): string | undefined {
  const found = findField(value, ...keys);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The place of an element: its `index`, else where it stands. */
export function readIndex(element: JsonValue, position: number): number {
  const index = findField(element, 'index');
  return typeof index === 'number' && Number.isSafeInteger(index) ? index : position;
}

/** What kind of JSON value this is, for sentences: `an array`, `a string`, `nothing` … */
export function describeKind(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'a boolean';
  if (value < 0) return 'a negative number';
  return Number.isSafeInteger(value) ? 'a number' : 'a number that is no count';
}
