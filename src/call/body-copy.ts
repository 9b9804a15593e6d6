import { isAscii } from 'node:buffer';
import { giveBackMemory, takeMemory } from '../core/spare-memory.js';

const nothing = Buffer.alloc(0);

/** Bytes of one body kept for the record, in memory of their own: a small piece must not hold a large buffer. */
export class BodyCopy {
  readonly #maxBytes: number;
  #bytes: Buffer = nothing;
  #length = 0;
  #seen = 0;
  #isClosed = false;

  /** @param maxBytes what is kept at most; 0 keeps nothing */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that came, kept or not. */
  get seenBytes(): number {
    return this.#seen;
  }

  write(bytes: Uint8Array): void {
    this.#seen += bytes.length;
    const room = Math.min(bytes.length, this.#maxBytes - this.#length);
    if (room <= 0 || this.#isClosed) return;
    this.#reserve(this.#length + room);
    this.#bytes.set(room === bytes.length ? bytes : bytes.subarray(0, room), this.#length);
    this.#length += room;
  }

  /** What was kept, as text, with a note at the end when it is not all; `null` when nothing was. */
  readText(): string | null {
    if (this.#length === 0) return null;
    const bytes = this.#bytes.subarray(0, this.#length);
    // Most are, and are then read at two thirds of the price (measured, Node 20.20).
    const text = isAscii(bytes) ? bytes.toString('latin1') : bytes.toString('utf8');
    return this.#seen > this.#length ? `${text}\n[cut: ${this.#length} of ${this.#seen} bytes kept]` : text;
  }

  /** Forgets what was kept: its memory is for others. */
  close(): void {
    const bytes = this.#bytes;
    this.#bytes = nothing;
    this.#length = 0;
    this.#isClosed = true;
    giveBackMemory(bytes);
  }

  #reserve(wanted: number): void {
    const small = this.#bytes;
    if (wanted <= small.length) return;
    const grown = takeMemory(wanted);
    small.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    giveBackMemory(small);
  }
}
