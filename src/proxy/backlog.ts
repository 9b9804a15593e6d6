/** Memory a piece takes besides its bytes, roughly: a reply may come a byte at a time. */
const pieceBytes = 100;

/** What a client has still to take of a reply that goes on without it, in its order. */
export class Backlog {
  #pieces: Buffer[] = [];
  #next = 0;
  /** Memory it takes. */
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#next === this.#pieces.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(bytes: Buffer): void {
    // In memory of its own: a small piece must not hold a large buffer.
    this.#pieces.push(Buffer.from(bytes));
    this.#bytes += bytes.length + pieceBytes;
  }

  /** Gives piece by piece for as long as `give` says there is room. */
  flush(give: (bytes: Buffer) => boolean): void {
    let hasRoom = true;
    while (hasRoom && !this.isEmpty) {
      const piece = this.#pieces[this.#next++] ?? Buffer.alloc(0);
      this.#bytes -= piece.length + pieceBytes;
      hasRoom = give(piece);
    }
    if (!this.isEmpty && this.#next < this.#pieces.length / 2) return;
    // What was given is let go of now and then, so that a long list is not moved at every piece.
    this.#pieces.splice(0, this.#next);
    this.#next = 0;
  }

  clear(): void {
    this.#pieces = [];
    this.#next = 0;
    this.#bytes = 0;
  }
}
