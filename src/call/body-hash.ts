import { createHash, type Hash, hash } from 'node:crypto';

/**
 * SHA-256 of bytes as they pass. Most bodies come in one piece, and of one piece it is taken at once, for a third of what
 * a running hash costs (measured, Node 20.20).
 */
export class BodyHash {
  #first: Buffer | null = null;
  #running: Hash | null = null;
  #isOver = false;

  /** What passes after `digest`, as the rest of an upload that was answered early, is no part of it. */
  update(bytes: Buffer): void {
    if (bytes.length === 0 || this.#isOver) return;
    if (this.#running !== null) {
      this.#running.update(bytes);
    } else if (this.#first === null) {
      this.#first = bytes;
    } else {
      this.#running = createHash('sha256').update(this.#first).update(bytes);
      this.#first = null;
    }
  }

  /** Forgets what passed: it is sent anew. */
  reset(): void {
    this.#first = null;
    this.#running = null;
  }

  /** In hexadecimal; `null` when nothing passed. May be called once. */
  digest(): string | null {
    this.#isOver = true;
    if (this.#first !== null) return hash('sha256', this.#first, 'hex');
    return this.#running?.digest('hex') ?? null;
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
