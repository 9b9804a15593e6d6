const FIRST_CAPACITY = 1024;
const KEPT_CAPACITY = 64 * 1024;

/** A `Buffer` over the same memory, so that the native searches are at hand. */
export function viewBytes(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Bytes appended piece by piece into one piece of memory. Copies what it is given, so that neither the caller's
 * chunk nor thousands of small ones are kept alive. Bounds are the caller's.
 */
export class GrowingBuffer {
  #memory: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#memory.length) this.#grow(needed);
    this.#memory.set(bytes, this.#length);
    this.#length = needed;
  }

  appendByte(byte: number): void {
    if (this.#length === this.#memory.length) this.#grow(this.#length + 1);
    this.#memory[this.#length++] = byte;
  }

  /** Forgets everything from `length` on. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** What was appended; valid until the next change. */
  view(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /** What was appended, as the reader's own; starts over with fresh memory. */
  take(): Buffer {
    const taken = this.view();
    this.#memory = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }

  /** Starts over; memory beyond 64 KiB is given back. */
  clear(): void {
    this.#length = 0;
    if (this.#memory.length > KEPT_CAPACITY) this.#memory = Buffer.alloc(0);
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_CAPACITY, needed, this.#memory.length * 2));
    grown.set(this.view(), 0);
    this.#memory = grown;
  }
}
