import type { JsonValue } from '../core/call-record.js';
import { isJsonObject, type JsonObject } from './json-fields.js';
import { JsonReader } from './wire/json-reader.js';

/** Larger messages are read with long strings left out instead of parsed at once. */
const MAX_PARSED_BYTES = 64 * 1024;
const PEEKED_BYTES = 96;
const TYPE = /^\s*\{\s*"type"\s*:\s*"([\w.]+)"/;

/** The JSON object a message is; `undefined` when it is none. */
export function readMessage(bytes: Buffer): JsonObject | undefined {
  const value = bytes.length > MAX_PARSED_BYTES ? readLong(bytes) : readShort(bytes);
  return isJsonObject(value) ? value : undefined;
}

function readShort(bytes: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(bytes.toString()) as JsonValue;
  } catch {
    // No JSON is no message of an API that speaks nothing else.
    return undefined;
  }
}

function readLong(bytes: Buffer): JsonValue | undefined {
  const reader = new JsonReader({ maxWholeBytes: MAX_PARSED_BYTES });
  reader.write(bytes);
  const reading = reader.end();
  return reading.ok ? reading.value : undefined;
}

/** The type a message begins with, without parsing it; `undefined` where it begins otherwise. */
export function peekType(bytes: Buffer): string | undefined {
  return TYPE.exec(bytes.toString('latin1', 0, PEEKED_BYTES))?.[1];
}
