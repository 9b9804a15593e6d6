import { defaults, flagBits, frameTypes, settingIds } from './codes.js';

/** Of every frame. */
export const headBytes = 9;
const slabBytes = 64 * 1024;

/** Gathers frames, so that what is said in one turn goes out in one piece. Source: RFC 9113 section 6 (read 2026-11-28). */
export class FrameWriter {
  #slab: Buffer = Buffer.allocUnsafe(0);
  #start = 0;
  #end = 0;
  #full: Buffer[] = [];
  #bytes = 0;

  /** Gathered and not yet taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is gathered, which is no longer held here. */
  take(): Buffer[] {
    const pieces = this.#full;
    if (this.#end > this.#start) pieces.push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
    this.#full = [];
    this.#bytes = 0;
    return pieces;
  }

  /** Bytes that are no frame. */
  raw(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#copy(bytes, 0, bytes.length);
  }

  data(id: number, bytes: Buffer, range: { readonly from: number; readonly to: number }, isEnd: boolean): void {
    const { from, to } = range;
    this.#head(frameTypes.data, isEnd ? flagBits.endStream : 0, id, to - from);
    this.#copy(bytes, from, to);
  }

  /** A header block, in as many frames as it takes. */
  headers(id: number, block: Buffer, isEnd: boolean): void {
    let from = 0;
    let type: number = frameTypes.headers;
    let flags: number = isEnd ? flagBits.endStream : 0;
    do {
      const to = Math.min(from + defaults.frameBytes, block.length);
      this.#head(type, flags | (to === block.length ? flagBits.endHeaders : 0), id, to - from);
      this.#copy(block, from, to);
      from = to;
      type = frameTypes.continuation;
      flags = 0;
    } while (from < block.length);
  }

  /** RST_STREAM and WINDOW_UPDATE. */
  number(type: number, id: number, value: number): void {
    this.#head(type, 0, id, 4);
    this.#number(value);
  }

  settings(settings: Readonly<Partial<Record<keyof typeof settingIds, number>>>): void {
    const pairs = Object.entries(settings) as [keyof typeof settingIds, number][];
    this.#head(frameTypes.settings, 0, 0, pairs.length * 6);
    for (const [name, value] of pairs) {
      this.#slab.writeUInt16BE(settingIds[name], this.#end);
      this.#end += 2;
      this.#bytes += 2;
      this.#number(value);
    }
  }

  /** The answer to SETTINGS (empty) or a PING (its eight bytes). */
  acknowledge(type: number, bytes: Buffer): void {
    this.#head(type, flagBits.acknowledgement, 0, bytes.length);
    this.#copy(bytes, 0, bytes.length);
  }

  goaway(lastId: number, code: number): void {
    this.#head(frameTypes.goaway, 0, 0, 8);
    this.#number(lastId);
    this.#number(code);
  }

  #head(type: number, flags: number, id: number, length: number): void {
    this.#reserve(headBytes + length);
    const slab = this.#slab;
    const at = this.#end;
    slab[at] = length >>> 16;
    slab[at + 1] = length >>> 8;
    slab[at + 2] = length;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    this.#end = at + 5;
    this.#bytes += 5;
    this.#number(id);
  }

  #number(value: number): void {
    const slab = this.#slab;
    const at = this.#end;
    slab[at] = value >>> 24;
    slab[at + 1] = value >>> 16;
    slab[at + 2] = value >>> 8;
    slab[at + 3] = value;
    this.#end = at + 4;
    this.#bytes += 4;
  }

  #copy(bytes: Buffer, from: number, to: number): void {
    bytes.copy(this.#slab, this.#end, from, to);
    this.#end += to - from;
    this.#bytes += to - from;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#slab.length) return;
    if (this.#end > this.#start) this.#full.push(this.#slab.subarray(this.#start, this.#end));
    // NOTE: what has been taken is still in the old one until it is written, so that is never used again.
    this.#slab = Buffer.allocUnsafe(Math.max(slabBytes, bytes));
    this.#start = 0;
    this.#end = 0;
  }
}
