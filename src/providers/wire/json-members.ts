import type { JsonValue } from '../../core/call-record.js';
import { StringScanner } from './json-strings.js';

/** Where a member of an object stands in its text; offsets in bytes, ends exclusive. */
export interface JsonMember {
  /** The key, its escapes resolved. */
  readonly key: string;
  /** The key's opening quote. */
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** What to cut so that the member and one comma are gone and nothing else. */
  readonly cutStart: number;
  readonly cutEnd: number;
}

/** Where an element of an array stands in its text; offsets in bytes, the end exclusive. */
export interface ElementSpan {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const MAX_DEPTH = 512;

/**
 * Finds the members with these keys of the object a JSON text is, in the order they stand, every one of a key that
 * is repeated (parsers take the last). Members of inner objects are passed over. `undefined` when the text is no
 * object. Quotes, brackets, colons and outer commas are checked; what a scalar says is not.
 *
 * ```ts
 * const json = Buffer.from('{"a":{"b":1},"b":2}');
 * findMembers(json, ['b'])?.map((m) => json.toString('utf8', m.valueStart, m.valueEnd));   // ['2']
 * ```
 */
export function findMembers(json: Buffer, keys: readonly string[]): readonly JsonMember[] | undefined {
  const found: JsonMember[] = [];
  const open = skipSpace(json, findTextStart(json));
  if (json[open] !== OPEN_OBJECT) return undefined;
  let keyStart = skipSpace(json, open + 1);
  if (json[keyStart] === CLOSE_OBJECT) return isTextEnd(json, keyStart + 1) ? found : undefined;
  for (let before = -1; ; ) {
    const keyEnd = json[keyStart] === QUOTE ? skipString(json, keyStart) : -1;
    if (keyEnd === -1) return undefined;
    const colon = skipSpace(json, keyEnd);
    const valueStart = skipSpace(json, colon + 1);
    const valueEnd = json[colon] === COLON ? skipValue(json, valueStart) : -1;
    if (valueEnd === -1) return undefined;
    const next = skipSpace(json, valueEnd);
    const isLast = json[next] !== COMMA;
    const nextKey = isLast ? next : skipSpace(json, next + 1);
    const key = readKey(json, keyStart, keyEnd);
    if (key === undefined) return undefined;
    const cutStart = before === -1 ? keyStart : before;
    const cutEnd = before === -1 && !isLast ? nextKey : valueEnd;
    if (keys.includes(key)) found.push({ key, keyStart, valueStart, valueEnd, cutStart, cutEnd });
    if (isLast) return json[next] === CLOSE_OBJECT && isTextEnd(json, next + 1) ? found : undefined;
    before = valueEnd;
    keyStart = nextKey;
  }
}

/** Where the elements of the array a JSON text is stand in it; `undefined` when it is no array. Checked as members are. */
export function findElements(json: Buffer): readonly ElementSpan[] | undefined {
  const found: ElementSpan[] = [];
  const open = skipSpace(json, findTextStart(json));
  if (json[open] !== OPEN_ARRAY) return undefined;
  let start = skipSpace(json, open + 1);
  if (json[start] === CLOSE_ARRAY) return isTextEnd(json, start + 1) ? found : undefined;
  for (;;) {
    const end = skipValue(json, start);
    if (end === -1) return undefined;
    found.push({ start, end });
    const next = skipSpace(json, end);
    if (json[next] !== COMMA) return json[next] === CLOSE_ARRAY && isTextEnd(json, next + 1) ? found : undefined;
    start = skipSpace(json, next + 1);
  }
}

/** Where the text begins: past a byte order mark. */
export function findTextStart(json: Buffer): number {
  return json[0] === 0xef && json[1] === 0xbb && json[2] === 0xbf ? 3 : 0;
}

/**
 * The same text with another value for a top-level key, every other byte kept; of a repeated key every value is
 * replaced, so that all parsers agree. `undefined` when the text is no JSON object or has no such member.
 */
export function replaceMember(json: Buffer, key: string, value: JsonValue): Buffer | undefined {
  const members = findMembers(json, [key]);
  if (members === undefined || members.length === 0) return undefined;
  const text = Buffer.from(JSON.stringify(value));
  return spliceBytes(
    json,
    members.map(({ valueStart, valueEnd }) => ({ start: valueStart, end: valueEnd, text })),
  );
}

export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: Buffer;
}

/** The bytes with each range, in order and not overlapping, replaced by its text. */
export function spliceBytes(bytes: Buffer, splices: readonly Splice[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of splices) {
    parts.push(bytes.subarray(at, start), text);
    at = end;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}

export function skipSpace(json: Buffer, from: number): number {
  let at = from;
  while (isSpace(json[at])) at++;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isTextEnd(json: Buffer, from: number): boolean {
  return skipSpace(json, from) === json.length;
}

/** Past the closing quote of the string whose opening quote is at `from`; -1 when it does not end. */
function skipString(json: Buffer, from: number): number {
  return new StringScanner().findEnd(json, from + 1);
}

/** Past the value that begins at `from`; -1 when there is none or it does not end. */
function skipValue(json: Buffer, from: number): number {
  const first = json[from];
  if (first === QUOTE) return skipString(json, from);
  if (first === OPEN_ARRAY || first === OPEN_OBJECT) return skipContainer(json, from);
  let at = from;
  while (at < json.length && !isStructure(json[at] ?? 0) && !isSpace(json[at])) at++;
  return at === from ? -1 : at;
}

function skipContainer(json: Buffer, from: number): number {
  const closers: number[] = [];
  for (let at = from; at < json.length; ) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = skipString(json, at);
      if (at === -1) return -1;
      continue;
    }
    at++;
    if (byte === OPEN_ARRAY) closers.push(CLOSE_ARRAY);
    else if (byte === OPEN_OBJECT) closers.push(CLOSE_OBJECT);
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      if (closers.pop() !== byte) return -1;
      if (closers.length === 0) return at;
    }
    if (closers.length > MAX_DEPTH) return -1;
  }
  return -1;
}

function isStructure(byte: number): boolean {
  if (byte === OPEN_ARRAY || byte === OPEN_OBJECT || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) return true;
  return byte === COMMA || byte === COLON || byte === QUOTE;
}

/** A key's text; `undefined` when its escapes are invalid. */
function readKey(json: Buffer, start: number, end: number): string | undefined {
  const raw = json.toString('utf8', start + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return undefined; // an escape JSON does not know: the text is no JSON
  }
}
