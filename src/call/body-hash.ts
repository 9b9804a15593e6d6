import { createHash, type Hash, hash } from 'node:crypto';
import { giveBackMemory, takeMemory } from '../core/spare-memory.js';

/** Small pieces are collected up to so many bytes: telling a hash of a piece costs more than hashing it (measured). */
const BLOCK_BYTES = 8 * 1024;
const nothing = Buffer.alloc(0);

/**
 * SHA-256 of bytes as they pass. Most bodies come in one piece, and of one piece it is taken at once, for a third of what
 * a running hash costs (measured, Node 20.20).
 */
export class BodyHash {
  #first: Buffer | null = null;
  #block: Buffer | null = null;
  #filled = 0;
  #running: Hash | null = null;
  #isOver = false;

  /** What passes after `digest`, as the rest of an upload that was answered early, is no part of it. */
  update(bytes: Buffer): void {
    if (bytes.length === 0 || this.#isOver) return;
    if (this.#first !== null) {
      const first = this.#first;
      this.#first = null;
      this.#add(first);
      this.#add(bytes);
    } else if (this.#filled === 0 && this.#running === null) {
      this.#first = bytes;
    } else {
      this.#add(bytes);
    }
  }

  /** Forgets what passed: it is sent anew. */
  reset(): void {
    this.#first = null;
    this.#filled = 0;
    this.#running = null;
  }

  /** Another hash of what passed until now, which goes its own way. */
  fork(): BodyHash {
    const other = new BodyHash();
    other.#first = this.#first;
    other.#running = this.#running?.copy() ?? null;
    if (this.#block !== null && this.#filled > 0) other.#add(this.#block.subarray(0, this.#filled));
    other.#isOver = this.#isOver;
    return other;
  }

  /** In hexadecimal; `null` when nothing passed. May be called once. */
  digest(): string | null {
    this.#isOver = true;
    if (this.#first !== null) return hash('sha256', this.#first, 'hex');
    const block = this.#block;
    this.#block = null;
    const rest = block?.subarray(0, this.#filled) ?? nothing;
    const digest = this.#digestAfter(rest);
    if (block !== null) giveBackMemory(block);
    return digest;
  }

  #digestAfter(rest: Buffer): string | null {
    if (this.#running !== null) return this.#running.update(rest).digest('hex');
    return rest.length === 0 ? null : hash('sha256', rest, 'hex');
  }

  #add(bytes: Buffer): void {
    if (this.#filled + bytes.length > BLOCK_BYTES) this.#flush();
    if (bytes.length > BLOCK_BYTES) {
      this.#running ??= createHash('sha256');
      this.#running.update(bytes);
      return;
    }
    this.#block ??= takeMemory(BLOCK_BYTES);
    this.#block.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  #flush(): void {
    if (this.#block === null || this.#filled === 0) return;
    this.#running ??= createHash('sha256');
    this.#running.update(this.#block.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

/** Which side of the tap: where a body's bytes are taken, or where they are given away. */
export type HashSide = 'taken' | 'given';

/**
 * The hashes of one body on both sides of the tap. As long as the very buffers that are taken are given away, one after the
 * other, whichever side is told of first, one hash is that of both; with the first that is another each side has its own.
 */
export class BothHashes {
  #both = new BodyHash();
  /** Told of by one side and not yet by the other. */
  #ahead: { readonly side: HashSide; readonly bytes: Buffer } | null = null;
  #own: Readonly<Record<HashSide, BodyHash>> | null = null;
  #isOver = false;

  /** What passes after `digest`, as the rest of an upload that was answered early, is no part of either. */
  update(side: HashSide, bytes: Buffer): void {
    if (bytes.length === 0 || this.#isOver) return;
    const ahead = this.#ahead;
    if (this.#own !== null) {
      this.#own[side].update(bytes);
    } else if (ahead === null) {
      this.#ahead = { side, bytes };
    } else if (ahead.side !== side && ahead.bytes === bytes) {
      this.#ahead = null;
      this.#both.update(bytes);
    } else {
      this.#part()[side].update(bytes);
    }
  }

  /** Forgets what one side was told of: it is sent anew. */
  reset(side: HashSide): void {
    if (this.#isOver) return;
    this.#part()[side].reset();
  }

  /** In hexadecimal, `null` for a side on which nothing passed. May be called once. */
  digest(): Readonly<Record<HashSide, string | null>> {
    this.#isOver = true;
    if (this.#own === null && this.#ahead === null) {
      const digest = this.#both.digest();
      return { taken: digest, given: digest };
    }
    const { taken, given } = this.#part();
    return { taken: taken.digest(), given: given.digest() };
  }

  #part(): Readonly<Record<HashSide, BodyHash>> {
    if (this.#own !== null) return this.#own;
    const own = { taken: this.#both, given: this.#both.fork() };
    this.#own = own;
    if (this.#ahead !== null) own[this.#ahead.side].update(this.#ahead.bytes);
    this.#ahead = null;
    return own;
  }
}

/** SHA-256 of bytes that go on passing, as it stands. */
export class RunningHash {
  readonly #hash = createHash('sha256');
  #isEmpty = true;

  update(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#isEmpty = false;
    this.#hash.update(bytes);
  }

  /** Of what has passed by now, in hexadecimal; `null` when nothing has. */
  read(): string | null {
    return this.#isEmpty ? null : this.#hash.copy().digest('hex');
  }
}
