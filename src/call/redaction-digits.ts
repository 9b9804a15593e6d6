/** Finds the next digit of a text; asked from left to right, it reads each character once. */
export class DigitFinder {
  readonly #text: string;
  #from = 0;
  #found = -1;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether one of the `length` characters from `at` on is a digit. */
  isNear(at: number, length: number): boolean {
    if (at < this.#from || at > this.#found) {
      this.#from = at;
      this.#found = at;
      while (this.#found < this.#text.length && !isDigit(this.#text.charCodeAt(this.#found))) this.#found++;
    }
    return this.#found < Math.min(this.#text.length, at + length);
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
