import { GrowingBuffer } from './growing-buffer.js';
import { StringScanner } from './json-strings.js';

export interface ElisionBounds {
  /** Longer strings become `""`. */
  readonly maxStringBytes: number;
  /** Text that may remain. */
  readonly maxSkeletonBytes: number;
  /** How deep arrays and objects may nest. */
  readonly maxDepth: number;
}

/** Scalars kept of one array: embeddings, token ids and audio samples are longer, lists of names are not. */
const MAX_ARRAY_SCALARS = 32;
/** Objects and arrays kept of one array that is not the outermost: token probabilities are more, messages rarely. */
const MAX_ARRAY_CONTAINERS = 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

/** By byte: 1 where a number or word ends. */
const endsScalar = new Uint8Array(256);
for (const byte of Buffer.from('",:[]{} \n\r\t')) endsScalar[byte] = 1;

interface Level {
  readonly isArray: boolean;
  scalars: number;
  containers: number;
}

/**
 * Shortens JSON of any size, chunk by chunk, to its structure and short values: long strings become `""`, long
 * arrays lose their tail, white space goes. What it leaves out is not checked beyond quotes and brackets; what it
 * leaves in is for `JSON.parse` to judge.
 */
export class JsonElider {
  readonly #bounds: ElisionBounds;
  readonly #skeleton = new GrowingBuffer();
  readonly #levels: Level[] = [];
  #string: StringScanner | null = null;
  #stringStart = 0;
  #inScalar = false;
  #commaHeld = false;
  /** Depth of the container being left out, -1 when nothing is. */
  #mutedDepth = -1;
  #scalarMuted = false;
  problem: string | null = null;
  elided = false;

  constructor(bounds: ElisionBounds) {
    this.#bounds = bounds;
  }

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && this.problem === null) {
      at = this.#string === null ? this.#readToken(chunk, at) : this.#readString(chunk, at, this.#string);
    }
  }

  /** The shortened text; `null` with `problem` set when the input was cut or over the bounds. */
  end(): Buffer | null {
    if (this.problem === null && (this.#string !== null || this.#levels.length > 0)) {
      this.problem = 'The JSON ends in the middle.';
    }
    this.#releaseComma();
    return this.problem === null ? this.#skeleton.take() : null;
  }

  #readToken(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? SPACE;
    if (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09) return this.#endScalar(at);
    switch (byte) {
      case QUOTE:
        this.#beginValue(false);
        this.#string = new StringScanner();
        this.#stringStart = this.#skeleton.length;
        if (!this.#isMuted) this.#emit(QUOTE);
        return at + 1;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        this.#open(byte);
        return at + 1;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        this.#close(byte);
        return at + 1;
      case COMMA:
        this.#comma();
        return at + 1;
      case COLON:
        this.#inScalar = false;
        if (!this.#isMuted) this.#emit(byte);
        return at + 1;
      default:
        if (isBomByte(byte) && this.#skeleton.length === 0) return at + 1;
        return this.#readScalar(chunk, at);
    }
  }

  #readScalar(chunk: Buffer, at: number): number {
    if (!this.#inScalar) this.#beginValue(false);
    this.#inScalar = true;
    let end = at + 1;
    while (end < chunk.length && endsScalar[chunk[end] ?? 0] === 0) end++;
    if (this.#isMuted) return end;
    this.#skeleton.append(chunk.subarray(at, end));
    this.#checkSize();
    return end;
  }

  get #isMuted(): boolean {
    return this.#mutedDepth !== -1 || this.#scalarMuted;
  }

  #endScalar(at: number): number {
    if (this.#inScalar && !this.#isMuted) this.#emit(SPACE);
    this.#inScalar = false;
    return at + 1;
  }

  #readString(chunk: Buffer, at: number, string: StringScanner): number {
    const end = string.findEnd(chunk, at);
    const stop = end === -1 ? chunk.length : end;
    if (!this.#isMuted) this.#emitString(chunk.subarray(at, stop));
    if (end !== -1) this.#endString();
    return stop;
  }

  /** Once a string is too long only its opening quote stays, and `#stringStart` moves past any place to cut. */
  #emitString(bytes: Buffer): void {
    const kept = this.#skeleton.length - this.#stringStart;
    if (this.#stringStart === -1) return;
    if (kept + bytes.length > this.#bounds.maxStringBytes + 2) {
      this.#skeleton.truncate(this.#stringStart + 1);
      this.#stringStart = -1;
      this.elided = true;
      return;
    }
    this.#skeleton.append(bytes);
    this.#checkSize();
  }

  #endString(): void {
    if (this.#stringStart === -1) this.#emit(QUOTE);
    this.#string = null;
  }

  /** Counts an element of an array, gives out the comma before it, and decides whether it is left out. */
  #beginValue(isContainer: boolean): void {
    this.#scalarMuted = false;
    if (this.#mutedDepth !== -1) return;
    const level = this.#levels[this.#levels.length - 1];
    if (level?.isArray) {
      const isSurplus = isContainer
        ? ++level.containers > MAX_ARRAY_CONTAINERS && this.#levels.length > 1
        : ++level.scalars > MAX_ARRAY_SCALARS;
      if (isSurplus) {
        this.#mute(isContainer);
        return;
      }
    }
    this.#releaseComma();
  }

  #mute(isContainer: boolean): void {
    this.elided = true;
    this.#commaHeld = false;
    if (isContainer) this.#mutedDepth = this.#levels.length;
    else this.#scalarMuted = true;
  }

  #open(byte: number): void {
    this.#inScalar = false;
    this.#beginValue(true);
    if (this.#levels.length >= this.#bounds.maxDepth) {
      this.problem = `The JSON nests deeper than ${this.#bounds.maxDepth} levels.`;
      return;
    }
    if (!this.#isMuted) this.#emit(byte);
    this.#levels.push({ isArray: byte === OPEN_ARRAY, scalars: 0, containers: 0 });
  }

  #close(byte: number): void {
    this.#inScalar = false;
    this.#scalarMuted = false;
    if (this.#mutedDepth === -1) this.#releaseComma();
    const level = this.#levels.pop();
    if (level === undefined || level.isArray !== (byte === CLOSE_ARRAY)) {
      this.problem = 'The text is no JSON: a bracket closes that was not opened.';
      return;
    }
    if (this.#mutedDepth === -1) this.#emit(byte);
    else if (this.#mutedDepth === this.#levels.length) this.#mutedDepth = -1;
  }

  /** A comma waits for its element, which may be left out; one too many is given out for `JSON.parse` to refuse. */
  #comma(): void {
    this.#inScalar = false;
    this.#scalarMuted = false;
    if (this.#mutedDepth !== -1) return;
    this.#releaseComma();
    this.#commaHeld = true;
  }

  #releaseComma(): void {
    if (this.#commaHeld) this.#emit(COMMA);
    this.#commaHeld = false;
  }

  #emit(byte: number): void {
    this.#skeleton.appendByte(byte);
    this.#checkSize();
  }

  #checkSize(): void {
    if (this.#skeleton.length <= this.#bounds.maxSkeletonBytes) return;
    this.problem = `The JSON is too large to read: without its long texts it is still over ${this.#bounds.maxSkeletonBytes} bytes.`;
    this.#skeleton.take();
  }
}

function isBomByte(byte: number): boolean {
  return byte === 0xef || byte === 0xbb || byte === 0xbf;
}
