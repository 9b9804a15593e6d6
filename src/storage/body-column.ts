import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { JsonValue } from '../core/call-record.js';
import { giveBackMemory, takeMemory } from '../core/spare-memory.js';
import type { SqlValue } from './database.js';
import { readJson } from './json-column.js';

/** A stream this long is kept deflated: its frames are alike, and take a thirtieth of the room (measured). */
const minDeflatedChars = 16 * 1024;

/** What a value that is no text begins with: raw deflate (RFC 1951) of UTF-8 text follows. */
const deflatedText = 1;

/** No body is kept that is larger (`maxKeptBodyBytes`), by far. */
const maxInflatedBytes = 64 * 1024 * 1024;

/**
 * A body as it lies in the table: JSON text, which SQLite's own functions read, or the deflated text of a long stream;
 * `null` when not kept.
 *
 * The events of a stream repeat each other but for some letters. To write them as they are was half of what keeping
 * them cost, in time as in room: 133 KB of chat's chunks are written in 1.5 ms, deflated in 0.1 ms to 4 KB (measured,
 * Node 20.20). Texts and documents are not alike to themselves, and deflating them would cost more than it spares.
 */
export function makeBodyValue(body: JsonValue): string | Buffer | null {
  if (body === null) return null;
  // A lone surrogate has no UTF-8; JSON has an escape for it.
  if (typeof body !== 'string' || body.length < minDeflatedChars || !body.isWellFormed()) return JSON.stringify(body);
  return Buffer.concat([Buffer.of(deflatedText), deflate(body)]);
}

function deflate(text: string): Buffer {
  const bytes = takeMemory(Buffer.byteLength(text, 'utf8'));
  const packed = deflateRawSync(bytes.subarray(0, bytes.write(text, 'utf8')), { level: 1, chunkSize: 64 * 1024 });
  giveBackMemory(bytes);
  return packed;
}

/** A damaged body is as good as an absent one: the rest of the row still tells its story. */
export function readBody(value: SqlValue | undefined): JsonValue {
  if (!Buffer.isBuffer(value)) return readJson(value);
  if (value[0] !== deflatedText) return null;
  try {
    return inflateRawSync(value.subarray(1), { maxOutputLength: maxInflatedBytes }).toString('utf8');
  } catch {
    return null;
  }
}
