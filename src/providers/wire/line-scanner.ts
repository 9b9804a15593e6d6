const LF = 0x0a;
const CR = 0x0d;

/**
 * Finds the line ends of a byte stream, chunk by chunk: LF, CR and CRLF, a CRLF cut between chunks included.
 * Nothing else ends a line, U+2028 neither. Keeps no bytes and allocates nothing.
 *
 * ```ts
 * const skipped = scanner.load(chunk);   // 1 when the chunk begins with the LF of a CRLF already counted
 * while (scanner.advance()) use(chunk.subarray(scanner.start, scanner.end));
 * rest = chunk.subarray(scanner.start);
 * ```
 */
export class LineScanner {
  #chunk: Buffer = Buffer.alloc(0);
  #lf = -1;
  #cr = -1;
  #afterCr = false;
  #next = 0;
  /** Where the current line begins in the chunk. */
  start = 0;
  /** Where the current line ends in the chunk, its terminator excluded. */
  end = 0;

  /** Where the line after the current one begins: past the terminator. */
  get next(): number {
    return this.#next;
  }

  /** Whether an LF at the beginning of the next chunk belongs to the last line end. */
  get isAfterCr(): boolean {
    return this.#afterCr;
  }

  /** Takes the next chunk; tells how many of its first bytes still belong to the last line end. */
  load(chunk: Buffer): 0 | 1 {
    this.#chunk = chunk;
    const skipped = this.#afterCr && chunk[0] === LF ? 1 : 0;
    if (chunk.length > 0) this.#afterCr = false;
    this.start = skipped;
    this.#next = skipped;
    this.#lf = chunk.indexOf(LF, skipped);
    this.#cr = chunk.indexOf(CR, skipped);
    return skipped;
  }

  /** Goes to the next line that ends within the chunk; `false` leaves `start` at what remains. */
  advance(): boolean {
    const chunk = this.#chunk;
    const from = this.#next;
    this.start = from;
    if (this.#lf !== -1 && this.#lf < from) this.#lf = chunk[from] === LF ? from : chunk.indexOf(LF, from);
    if (this.#cr !== -1 && this.#cr < from) this.#cr = chunk.indexOf(CR, from);
    const isCr = this.#cr !== -1 && (this.#lf === -1 || this.#cr < this.#lf);
    const end = isCr ? this.#cr : this.#lf;
    if (end === -1) return false;
    this.end = end;
    this.#next = end + 1;
    if (isCr && chunk[end + 1] === LF) this.#next = end + 2;
    else if (isCr && end + 1 === chunk.length) this.#afterCr = true;
    return true;
  }
}
