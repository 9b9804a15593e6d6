/** Held apart until they are put into one. */
const maxPieces = 1024;

/** Bytes held until somebody takes them. A million pieces take the memory of their bytes, not of so many buffers. */
export class HeldPieces {
  readonly #blocks: Buffer[] = [];
  readonly #pieces: Buffer[] = [];

  add(bytes: Buffer): void {
    this.#pieces.push(bytes);
    if (this.#pieces.length >= maxPieces) this.#blocks.push(Buffer.concat(this.#pieces.splice(0)));
  }

  /** All of them, in order, held no more. */
  take(): Buffer[] {
    return [...this.#blocks.splice(0), ...this.#pieces.splice(0)];
  }
}
