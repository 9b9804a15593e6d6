import type { Pieces } from '../core/pieces.js';
import { giveBackMemory, takeMemory } from './spare-memory.js';

/** How many bytes, and pieces, wait at most. */
const blockBytes = 16 * 1024;
const blockPieces = 128;
/** A larger piece is read at once: it fills the caches by itself. */
const largestGathered = 4 * 1024;

/** Reads what was gathered. The memory, and the pieces, are used again: they are valid until the call returns. */
export type ReadBlock = (block: Buffer, pieces: Pieces) => void;

/**
 * Keeps the small pieces of a stream, and when they came, until there are enough to be read together. What is read piece by
 * piece between two sockets finds no cache filled by the piece before, and costs twice as much (measured: 7 µs an
 * event of 130 bytes instead of 4).
 */
export class GatheredPieces {
  readonly #read: ReadBlock;
  #block: Buffer | null = null;
  readonly #ends = new Uint16Array(blockPieces);
  readonly #times = new Float64Array(blockPieces);
  #count = 0;
  #filled = 0;

  constructor(read: ReadBlock) {
    this.#read = read;
  }

  add(piece: Buffer, atMs: number): void {
    const isLarge = piece.length > largestGathered;
    if (isLarge || this.#filled + piece.length > blockBytes || this.#count === blockPieces) this.flush();
    if (isLarge) {
      this.#read(piece, { count: 1, ends: [piece.length], times: [atMs] });
      return;
    }
    this.#block ??= takeMemory(blockBytes);
    this.#block.set(piece, this.#filled);
    this.#filled += piece.length;
    this.#ends[this.#count] = this.#filled;
    this.#times[this.#count++] = atMs;
  }

  /** Has read what waits; its memory is for others. */
  end(): void {
    this.flush();
    const block = this.#block;
    this.#block = null;
    if (block !== null) giveBackMemory(block);
  }

  /** Has read what waits. */
  flush(): void {
    const count = this.#count;
    if (this.#block === null || count === 0) return;
    const block = this.#block.subarray(0, this.#filled);
    this.#count = 0;
    this.#filled = 0;
    this.#read(block, { count, ends: this.#ends, times: this.#times });
  }
}
