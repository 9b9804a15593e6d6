/** Finds the next of some characters of a text. Asked from left to right, it looks for each place once. */
export class TextAhead {
  readonly text: string;
  readonly #characters: readonly string[];
  /** Of each: from where it was looked for last, and where it is. */
  readonly #from: number[];
  readonly #at: number[];

  constructor(text: string, characters: readonly string[]) {
    this.text = text;
    this.#characters = characters;
    this.#from = characters.map(() => 0);
    this.#at = characters.map(() => -1);
  }

  /** Where the first of them is at or after `from`; the length of the text when there is none. */
  find(from: number): number {
    let first = this.text.length;
    for (let i = 0; i < this.#characters.length; i++) {
      let at = this.#at[i] ?? -1;
      if (at < from || from < (this.#from[i] ?? 0)) {
        const found = this.text.indexOf(this.#characters[i] ?? '', from);
        at = found < 0 ? this.text.length : found;
        this.#from[i] = from;
        this.#at[i] = at;
      }
      if (at < first) first = at;
    }
    return first;
  }
}
