import { ConnectionFault, defaults, errorCodes, flagBits, frameTypes, preface } from './codes.js';

const headBytes = 9;

export interface FrameListener {
  /** A whole frame, but for DATA without padding. Its bytes are `bytes` from `start` to `end`. */
  onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void;
  /** A piece of a frame of DATA as it comes; `isEnd` with the last of it, where the stream ends with it. */
  onData(id: number, piece: Buffer, isEnd: boolean): void;
}

/** Cuts what comes into frames. Source: RFC 9113 section 4.1 (read 2026-11-28). */
export class FrameReader {
  readonly #listener: FrameListener;
  #prefaceLeft: number;
  /** The beginning of a frame that has not all come. */
  #rest: Buffer | null = null;
  /** The frame of DATA that is under way. */
  #dataId = 0;
  #dataLeft = 0;
  #dataEnds = false;

  constructor(listener: FrameListener, isServer: boolean) {
    this.#listener = listener;
    this.#prefaceLeft = isServer ? preface.length : 0;
  }

  /** Throws a `ConnectionFault`, after which nothing may be read on. */
  read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#rest !== null) {
      bytes = Buffer.concat([this.#rest, chunk]);
      this.#rest = null;
    }
    let at = this.#prefaceLeft > 0 ? this.#readPreface(bytes) : 0;
    while (at < bytes.length) {
      const next = this.#dataLeft > 0 ? this.#readData(bytes, at) : this.#readFrame(bytes, at);
      if (next === at) break;
      at = next;
    }
    if (at < bytes.length) this.#rest = bytes.subarray(at);
  }

  #readPreface(bytes: Buffer): number {
    const read = Math.min(this.#prefaceLeft, bytes.length);
    const from = preface.length - this.#prefaceLeft;
    if (preface.compare(bytes, 0, read, from, from + read) !== 0)
      throw new ConnectionFault(errorCodes.protocolError, 'What came is not the beginning of HTTP/2.');
    this.#prefaceLeft -= read;
    return read;
  }

  #readData(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.#dataLeft, bytes.length);
    this.#dataLeft -= end - at;
    this.#listener.onData(this.#dataId, bytes.subarray(at, end), this.#dataLeft === 0 && this.#dataEnds);
    return end;
  }

  /** @returns where it ends, or `at` where it has not all come */
  #readFrame(bytes: Buffer, at: number): number {
    if (bytes.length - at < headBytes) return at;
    const length = bytes.readUIntBE(at, 3);
    if (length > defaults.frameBytes)
      throw new ConnectionFault(errorCodes.frameSizeError, `A frame of ${length} bytes is more than was allowed.`);
    const type = bytes[at + 3] ?? 0;
    const flags = bytes[at + 4] ?? 0;
    const id = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
    const start = at + headBytes;
    if (type === frameTypes.data && (flags & flagBits.padded) === 0) {
      this.#dataId = id;
      this.#dataLeft = length;
      this.#dataEnds = (flags & flagBits.endStream) !== 0;
      if (length === 0) this.#listener.onData(id, bytes.subarray(start, start), this.#dataEnds);
      return start;
    }
    if (bytes.length - start < length) return at;
    this.#listener.onFrame(type, flags, id, bytes, start, start + length);
    return start + length;
  }
}
