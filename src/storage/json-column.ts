import type { JsonValue } from '../core/call-record.js';
import type { SqlValue } from './database.js';

/** A damaged column is as good as an absent one: the rest of the row still tells its story. */
export function readJson(value: SqlValue | undefined): JsonValue {
  if (typeof value !== 'string') return null;
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    return null;
  }
}
