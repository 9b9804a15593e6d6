import type { JsonValue } from '../../core/call-record.js';
import { viewBytes } from './growing-buffer.js';

/**
 * One field of a message that is read: the name it has in the document, and what it holds. Numbers of an enum become their
 * names, but for 0, which says nothing, stated or not; `present` says only that there was something, whatever it was.
 */
export type ProtoField = { readonly name: string; readonly isList?: true } & (
  | { readonly kind: 'number' | 'text' | 'present' }
  /** A number that is left out where it is 0, and of which that may be told. */
  | { readonly kind: 'place' }
  | { readonly kind: 'enum'; readonly names: Readonly<Record<number, string>> }
  | { readonly kind: 'message'; readonly fields: ProtoFields }
);

/** Fields by their numbers; all others are passed over. */
export type ProtoFields = Readonly<Record<number, ProtoField>>;

type Document = Record<string, JsonValue>;

/** Of a text; what names a thing is shorter. */
const MAX_TEXT_BYTES = 1024;
/** Of a list; what comes after is passed over. */
const MAX_ITEMS = 1000;
/** A varint is no longer. */
const MAX_VARINT_BYTES = 10;

/**
 * Reads a message of Protocol Buffers as the document `fields` makes of it; `undefined` when the bytes are no message. What
 * a message leaves out is left out: whether a count was 0 or not stated cannot be told. Reads each byte once at most, and
 * keeps no piece of `bytes`. Source: https://protobuf.dev/programming-guides/encoding/ (read 2026-11-27).
 *
 * @example
 * readProtoMessage(Buffer.from([0x08, 0x96, 0x01]), { 1: { name: 'tokens', kind: 'number' } }) // { tokens: 150 }
 */
export function readProtoMessage(bytes: Uint8Array, fields: ProtoFields): Readonly<Document> | undefined {
  const document: Document = {};
  for (const field of Object.values(fields)) if (field.kind === 'place') document[field.name] = 0;
  const cursor = { bytes: viewBytes(bytes), at: 0 };
  while (cursor.at < cursor.bytes.length) {
    const value = readValue(cursor);
    if (value === undefined) return undefined;
    const field = fields[value.number];
    if (field !== undefined && !noteValue(document, field, value)) return undefined;
  }
  return document;
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** A field's value as the wire has it: a number, or bytes. */
interface WireValue {
  readonly number: number;
  readonly held: number | Buffer;
}

function readValue(cursor: Cursor): WireValue | undefined {
  const tag = readVarint(cursor);
  if (tag === undefined) return undefined;
  const [number, type] = [Math.floor(tag / 8), tag % 8];
  if (number === 0) return undefined;
  if (type === 0) {
    const held = readVarint(cursor);
    return held === undefined ? undefined : { number, held };
  }
  // Fixed numbers hold nothing that is read. Groups (3 and 4) are of proto2.
  const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? readVarint(cursor) : undefined;
  if (length === undefined || length > cursor.bytes.length - cursor.at) return undefined;
  const held = cursor.bytes.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  return { number, held: type === 2 ? held : Number.NaN };
}

/** Beyond 2^53 it is near the number, and no safe integer: what counts is told from what does not. */
function readVarint(cursor: Cursor): number | undefined {
  let value = 0;
  for (let place = 0, factor = 1; place < MAX_VARINT_BYTES; place++, factor *= 128) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
  return undefined;
}

/** `false` when a message in the message is none. A field of another type than `field` says is passed over. */
function noteValue(document: Document, field: ProtoField, { held }: WireValue): boolean {
  if (field.kind === 'present') {
    document[field.name] = true;
    return true;
  }
  const isNumeric = field.kind === 'number' || field.kind === 'place' || field.kind === 'enum';
  if (isNumeric && field.isList === true && typeof held !== 'number') return notePacked(document, field, held);
  if (isNumeric !== (typeof held === 'number') || Number.isNaN(held)) return true;
  if (field.kind === 'enum' && held === 0) return true;
  const value = makeValue(field, held);
  if (value === undefined) return false;
  if (field.isList !== true) document[field.name] = value;
  else addTo(document, field.name, value);
  return true;
}

function makeValue(field: ProtoField, held: number | Buffer): JsonValue | undefined {
  if (typeof held === 'number') return field.kind === 'enum' ? (field.names[held] ?? String(held)) : held;
  if (field.kind === 'message') return readProtoMessage(held, field.fields);
  return held.toString('utf8', 0, MAX_TEXT_BYTES);
}

/** Numbers of a list may come in one piece, one behind the other. */
function notePacked(document: Document, field: ProtoField, bytes: Buffer): boolean {
  const cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const value = readVarint(cursor);
    if (value === undefined) return false;
    if (field.kind !== 'enum' || value !== 0) addTo(document, field.name, makeValue(field, value) ?? null);
  }
  return true;
}

function addTo(document: Document, name: string, value: JsonValue): void {
  const list = document[name];
  if (!Array.isArray(list)) document[name] = [value];
  else if (list.length < MAX_ITEMS) list.push(value);
}
