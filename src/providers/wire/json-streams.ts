import type { JsonValue } from '../../core/call-record.js';
import { viewBytes } from './growing-buffer.js';
import { StringScanner } from './json-strings.js';
import { JsonReader, type JsonReaderOptions } from './json-text.js';
import { LineScanner } from './line-scanner.js';

export interface JsonStreamOptions extends JsonReaderOptions {
  /** Told of each value that could not be read, as a sentence; reading goes on. */
  readonly onProblem?: (problem: string) => void;
}

/** How a stream of JSON values ended: `count` is how many were given out. */
export type JsonStreamReading =
  | { readonly ok: true; readonly count: number }
  | { readonly ok: false; readonly count: number; readonly problem: string };

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

type Place = 'before' | 'between' | 'within' | 'after';

/** Feeds the values of a stream, one after the other, to readers of their own, and keeps the count. */
class ValueFeed {
  readonly #onValue: (value: JsonValue) => void;
  readonly #options: JsonStreamOptions;
  #reader: JsonReader | null = null;
  count = 0;
  problem: string | null = null;

  constructor(onValue: (value: JsonValue) => void, options: JsonStreamOptions) {
    this.#onValue = onValue;
    this.#options = options;
  }

  write(bytes: Buffer): void {
    this.#reader ??= new JsonReader(this.#options);
    this.#reader.write(bytes);
  }

  endValue(): void {
    const reading = this.#reader?.end();
    this.#reader = null;
    if (reading === undefined) return;
    if (!reading.ok) {
      this.report(reading.problem);
      return;
    }
    this.count++;
    this.#onValue(reading.value);
  }

  report(problem: string): void {
    this.problem ??= problem;
    this.#options.onProblem?.(problem);
  }

  end(): JsonStreamReading {
    if (this.problem === null) return { ok: true, count: this.count };
    return { ok: false, count: this.count, problem: this.problem };
  }
}

/**
 * Reads a top-level JSON array element by element, each given out as soon as its last byte has passed; cut anywhere.
 * Gemini's `streamGenerateContent` without `alt=sse` answers so
 * (https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent, read 2026-11-21). A top-level
 * object, as errors come, is taken for the one element. Bounds are those of `JsonReader`, for each element. Never
 * throws unless `onElement` does.
 *
 * ```ts
 * const reader = new JsonArrayReader((element) => console.log(element));
 * reader.write(Buffer.from('[{"a":1},{"a"'));   // { a: 1 }
 * reader.write(Buffer.from(':2}]'));            // { a: 2 }
 * reader.end();                                 // { ok: true, count: 2 }
 * ```
 */
export class JsonArrayReader {
  readonly #feed: ValueFeed;
  #place: Place = 'before';
  #depth = 0;
  #isBare = false;
  #inScalar = false;
  #string: StringScanner | null = null;

  constructor(onElement: (value: JsonValue) => void, options: JsonStreamOptions = {}) {
    this.#feed = new ValueFeed(onElement, options);
  }

  write(bytes: Uint8Array): void {
    const chunk = viewBytes(bytes);
    for (let at = 0; at < chunk.length; ) {
      at = this.#place === 'within' ? this.#readWithin(chunk, at) : this.#readOutside(chunk, at);
    }
  }

  /** How it ended; call once. */
  end(): JsonStreamReading {
    if (this.#place === 'within' && this.#isBare && this.#inScalar) this.#endElement();
    if (this.#place === 'within') this.#feed.endValue();
    if (this.#place !== 'after') this.#feed.report('The JSON array ends in the middle.');
    return this.#feed.end();
  }

  #readOutside(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? 0;
    if (byte <= 0x20 || (this.#place === 'before' && (byte === 0xef || byte === 0xbb || byte === 0xbf))) return at + 1;
    if (this.#place === 'after') {
      if (this.#feed.problem === null) this.#feed.report('Something follows the end of the JSON array.');
      return chunk.length;
    }
    if (this.#place === 'before' && byte === OPEN_ARRAY) {
      this.#place = 'between';
      return at + 1;
    }
    if (this.#place === 'between' && byte === CLOSE_ARRAY) {
      this.#place = 'after';
      return at + 1;
    }
    if (this.#place === 'between' && byte === COMMA) return at + 1;
    this.#isBare = this.#place === 'before';
    this.#place = 'within';
    this.#depth = 0;
    return at;
  }

  /** Goes to the end of the element or of the chunk, whichever is first, and feeds what lies between. */
  #readWithin(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#string !== null) {
        const end = this.#string.findEnd(chunk, at);
        if (end === -1) break;
        this.#string = null;
        at = end;
        if (this.#depth > 0) continue;
        return this.#feedAndEnd(chunk, from, at);
      }
      const byte = chunk[at] ?? 0;
      if (this.#depth === 0 && this.#inScalar && isScalarEnd(byte)) return this.#feedAndEnd(chunk, from, at);
      at++;
      if (this.#step(byte)) return this.#feedAndEnd(chunk, from, at);
    }
    this.#feed.write(chunk.subarray(from));
    return chunk.length;
  }

  /** Whether the byte closes the element. */
  #step(byte: number): boolean {
    if (byte === QUOTE) this.#string = new StringScanner();
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) this.#depth++;
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) return --this.#depth <= 0;
    else if (this.#depth === 0) this.#inScalar = true;
    return false;
  }

  #feedAndEnd(chunk: Buffer, from: number, at: number): number {
    this.#feed.write(chunk.subarray(from, at));
    this.#endElement();
    return at;
  }

  #endElement(): void {
    this.#inScalar = false;
    this.#place = this.#isBare ? 'after' : 'between';
    this.#feed.endValue();
  }
}

function isScalarEnd(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT || byte <= 0x20;
}

/**
 * Reads JSON values one to a line (https://github.com/ndjson/ndjson-spec, read 2026-11-21), cut anywhere; the last
 * line needs no end. Empty lines are passed over. Bounds are those of `JsonReader`, for each line. Never throws
 * unless `onValue` does.
 */
export class NdjsonReader {
  readonly #feed: ValueFeed;
  readonly #lines = new LineScanner();
  #lineBegun = false;

  constructor(onValue: (value: JsonValue) => void, options: JsonStreamOptions = {}) {
    this.#feed = new ValueFeed(onValue, options);
  }

  write(bytes: Uint8Array): void {
    const chunk = viewBytes(bytes);
    this.#lines.load(chunk);
    while (this.#lines.advance()) {
      this.#add(chunk.subarray(this.#lines.start, this.#lines.end));
      this.#endLine();
    }
    this.#add(chunk.subarray(this.#lines.start));
  }

  /** How it ended; call once. */
  end(): JsonStreamReading {
    this.#endLine();
    return this.#feed.end();
  }

  #add(part: Buffer): void {
    if (part.length === 0 || (!this.#lineBegun && part.toString('latin1').trim() === '')) return;
    this.#lineBegun = true;
    this.#feed.write(part);
  }

  #endLine(): void {
    if (this.#lineBegun) this.#feed.endValue();
    this.#lineBegun = false;
  }
}
