const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Strings up to so many bytes are walked over, which is quicker than a native search for each. */
const SHORT_BYTES = 32;

/** Finds where a JSON string ends, also when it lies over several chunks. One for each string that may be cut. */
export class StringScanner {
  #escaped = false;

  /** The index past the closing quote, or -1 when the chunk ends within the string; then go on with the next. */
  findEnd(chunk: Buffer, from: number): number {
    let floor = from;
    if (this.#escaped && floor < chunk.length) {
      this.#escaped = false;
      floor++;
    }
    const near = Math.min(chunk.length - 1, floor + SHORT_BYTES);
    while (floor < near) {
      const byte = chunk[floor];
      if (byte === QUOTE) return floor + 1;
      floor += byte === BACKSLASH ? 2 : 1;
    }
    return this.#findFar(chunk, floor);
  }

  #findFar(chunk: Buffer, from: number): number {
    let floor = from;
    for (;;) {
      const quote = chunk.indexOf(QUOTE, floor);
      const end = quote === -1 ? chunk.length : quote;
      let run = end;
      while (run > floor && chunk[run - 1] === BACKSLASH) run--;
      const escapes = (end - run) % 2 === 1;
      if (quote === -1) {
        this.#escaped = this.#escaped || escapes;
        return -1;
      }
      if (!escapes) return quote + 1;
      floor = quote + 1;
    }
  }
}
