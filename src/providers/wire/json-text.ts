import type { JsonValue } from '../../core/call-record.js';
import { readErrorMessage } from '../../core/errors.js';
import { GrowingBuffer, viewBytes } from './growing-buffer.js';
import { JsonElider } from './json-elider.js';

export interface JsonReaderOptions {
  /** Up to so many bytes the text is kept and parsed whole; 1 MiB when absent. */
  readonly maxWholeBytes?: number;
  /** Beyond that, longer strings are read as `""`; 1 KiB when absent. */
  readonly maxStringBytes?: number;
  /** Beyond that, what remains without long strings and arrays may have so many bytes; 4 MiB when absent. */
  readonly maxSkeletonBytes?: number;
  /** How deep arrays and objects may nest; 512 when absent. */
  readonly maxDepth?: number;
}

/** What a JSON text says: with `elided`, long strings stand as `""` and long arrays are cut. */
export type JsonReading =
  | { readonly ok: true; readonly value: JsonValue; readonly elided: boolean }
  | { readonly ok: false; readonly problem: string };

const DEFAULT_MAX_WHOLE_BYTES = 1024 * 1024;
const DEFAULT_MAX_STRING_BYTES = 1024;
const DEFAULT_MAX_SKELETON_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_DEPTH = 512;
/** What is scanned at once when a text turns out to be long. */
const SLICE_BYTES = 64 * 1024;

/**
 * Reads one JSON text of any size out of bytes cut anywhere, within bounded memory: a text over `maxWholeBytes` is
 * shortened while it passes to its structure and short values, so that its model, ids and counts are still read.
 * Never throws.
 *
 * ```ts
 * const reader = new JsonReader();
 * reader.write(Buffer.from('{"model":"m",'));
 * reader.write(Buffer.from('"n":1}'));
 * reader.end();   // { ok: true, value: { model: 'm', n: 1 }, elided: false }
 * ```
 */
export class JsonReader {
  readonly #maxWholeBytes: number;
  readonly #bounds: { maxStringBytes: number; maxSkeletonBytes: number; maxDepth: number };
  readonly #whole = new GrowingBuffer();
  #elider: JsonElider | null = null;

  constructor(options: JsonReaderOptions = {}) {
    this.#maxWholeBytes = options.maxWholeBytes ?? DEFAULT_MAX_WHOLE_BYTES;
    this.#bounds = {
      maxStringBytes: options.maxStringBytes ?? DEFAULT_MAX_STRING_BYTES,
      maxSkeletonBytes: options.maxSkeletonBytes ?? DEFAULT_MAX_SKELETON_BYTES,
      maxDepth: options.maxDepth ?? DEFAULT_MAX_DEPTH,
    };
  }

  write(bytes: Uint8Array): void {
    if (this.#elider !== null) {
      this.#elider.write(viewBytes(bytes));
      return;
    }
    if (this.#whole.length + bytes.length <= this.#maxWholeBytes) {
      this.#whole.append(bytes);
      return;
    }
    this.#elider = new JsonElider(this.#bounds);
    const kept = this.#whole.take();
    for (let at = 0; at < kept.length; at += SLICE_BYTES) this.#elider.write(kept.subarray(at, at + SLICE_BYTES));
    this.#elider.write(viewBytes(bytes));
  }

  /** What was read; call once. */
  end(): JsonReading {
    if (this.#elider === null) return this.#readText(skipBom(this.#whole.take()), false);
    const skeleton = this.#elider.end();
    if (skeleton === null) return { ok: false, problem: this.#elider.problem ?? 'The text is no JSON.' };
    return this.#readText(skeleton, this.#elider.elided);
  }

  #readText(text: Buffer, elided: boolean): JsonReading {
    if (text.length === 0) return { ok: false, problem: 'The body is empty.' };
    try {
      const value = JSON.parse(text.toString('utf8')) as JsonValue;
      if (isDeeperThan(value, this.#bounds.maxDepth)) {
        return { ok: false, problem: `The JSON nests deeper than ${this.#bounds.maxDepth} levels.` };
      }
      return { ok: true, value, elided };
    } catch (error) {
      return { ok: false, problem: `The text is no JSON: ${withoutQuote(readErrorMessage(error))}.` };
    }
  }
}

/** V8 quotes the text it could not parse (`… "sk-…" is not valid JSON`); a problem must not carry it into a record. */
function withoutQuote(message: string): string {
  const position = /at position \d+/.exec(message)?.[0];
  if (message.includes('end of JSON input') || message.startsWith('Unterminated')) return 'it ends in the middle';
  return position === undefined ? 'it has an unexpected character' : `it has an unexpected character ${position}`;
}

function skipBom(text: Buffer): Buffer {
  return text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? text.subarray(3) : text;
}

function isDeeperThan(value: JsonValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const children: readonly JsonValue[] = Array.isArray(value) ? value : Object.values(value);
  return children.some((child) => isDeeperThan(child, levels - 1));
}
