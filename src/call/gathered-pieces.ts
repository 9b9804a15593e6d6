import type { Pieces } from '../core/pieces.js';
import { giveBackMemory, takeMemory } from '../core/spare-memory.js';

/**
 * How many bytes, and pieces, wait at most: an answer of ordinary length is read in one go, when it has ended. Reading a
 * stream in blocks of 16 KiB cost a fifth more (measured, Node 20.20).
 */
const blockBytes = 64 * 1024;
const blockPieces = 1024;
/** A number of 8 bytes and one of 4 for each piece. */
const listBytes = blockPieces * 12;
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
  #lists: PieceLists | null = null;
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
    this.#lists ??= takeLists();
    this.#block.set(piece, this.#filled);
    this.#filled += piece.length;
    this.#lists.ends[this.#count] = this.#filled;
    this.#lists.times[this.#count++] = atMs;
  }

  /** Has read what waits; its memory is for others. */
  end(): void {
    this.flush();
    const [block, lists] = [this.#block, this.#lists];
    this.#block = null;
    this.#lists = null;
    if (block !== null) giveBackMemory(block);
    if (lists !== null) giveBackMemory(lists.memory);
  }

  /** Has read what waits. */
  flush(): void {
    const count = this.#count;
    if (this.#block === null || this.#lists === null || count === 0) return;
    const block = this.#block.subarray(0, this.#filled);
    this.#count = 0;
    this.#filled = 0;
    this.#read(block, { count, ends: this.#lists.ends, times: this.#lists.times });
  }
}

interface PieceLists {
  readonly times: Float64Array;
  readonly ends: Uint32Array;
  /** Where they lie. */
  readonly memory: Buffer;
}

function takeLists(): PieceLists {
  const memory = takeMemory(listBytes);
  const { buffer, byteOffset } = memory;
  const times = new Float64Array(buffer, byteOffset, blockPieces);
  return { times, ends: new Uint32Array(buffer, byteOffset + times.byteLength, blockPieces), memory };
}
