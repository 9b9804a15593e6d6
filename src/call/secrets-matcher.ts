/** Where a literal stands in a text. */
export interface LiteralMatch {
  readonly start: number;
  readonly end: number;
  /** Which of the literals, by its place in the list given. */
  readonly index: number;
}

/** One place for each pair of ASCII characters. */
const tableSize = 16_384;
const beginningsSize = 32_768;
/** Of a longer literal only so much is compared before it counts as found, then it is followed to its end. */
const maxCompared = 256;

/**
 * Finds any of many literals in one pass, most often without looking at every character: the two characters at the
 * end of a window tell how far the window may move (Wu and Manber, "A fast algorithm for multi-pattern searching",
 * University of Arizona TR-94-17, 1994).
 */
export class LiteralMatcher {
  readonly #literals: readonly string[];
  readonly #ignoreCase: boolean;
  /** Length of the shortest literal: the window. */
  readonly #window: number;
  readonly #shifts: Uint8Array;
  /** The literals whose window ends with the two characters. */
  readonly #buckets = new Map<number, number[]>();
  /** Which beginnings of three characters there are: most places that end as a window does begin otherwise. */
  readonly #beginnings = new Uint8Array(beginningsSize);

  /** @param literals each at least two characters; at least three and in lower case when case is ignored (ASCII only) */
  constructor(literals: readonly string[], options: { readonly ignoreCase?: boolean } = {}) {
    this.#literals = literals;
    this.#ignoreCase = options.ignoreCase === true;
    this.#window = Math.min(255, ...literals.map(({ length }) => length));
    this.#shifts = new Uint8Array(tableSize).fill(Math.max(1, this.#window - 1));
    for (const [index, literal] of literals.entries()) this.#learn(literal, index);
  }

  #learn(literal: string, index: number): void {
    const last = this.#window - 1;
    this.#beginnings[hashBeginning(literal, 0, this.#ignoreCase)] = 1;
    for (let i = 1; i <= last; i++) {
      for (const at of this.#hashes(literal.charCodeAt(i - 1), literal.charCodeAt(i))) {
        this.#shifts[at] = Math.min(this.#shifts[at] ?? 0, last - i);
        if (i === last) this.#buckets.set(at, [...(this.#buckets.get(at) ?? []), index]);
      }
    }
  }

  /** Of two characters in either case, so that the search need not fold what it reads. */
  #hashes(a: number, b: number): Set<number> {
    if (!this.#ignoreCase) return new Set([hash(a, b)]);
    return new Set([a, upper(a)].flatMap((first) => [hash(first, b), hash(first, upper(b))]));
  }

  /** The first literal at or after `from`; of several that begin there, the longest. */
  find(text: string, from: number): LiteralMatch | null {
    if (this.#literals.length === 0) return null;
    const fold = this.#ignoreCase;
    const shifts = this.#shifts;
    const beginnings = this.#beginnings;
    const last = this.#window - 1;
    for (let i = from + last; i < text.length; ) {
      const a = text.charCodeAt(i - 1);
      const b = text.charCodeAt(i);
      const at = hash(a, b);
      const shift = shifts[at] ?? 1;
      if (shift === 0) {
        const start = i - last;
        if (beginnings[hashBeginning(text, start, fold)] === 1) {
          const found = this.#check(text, start, this.#buckets.get(at));
          if (found !== null) return found;
        }
        i++;
      } else i += shift;
    }
    return null;
  }

  #check(text: string, start: number, bucket: readonly number[] | undefined): LiteralMatch | null {
    let best: LiteralMatch | null = null;
    for (const index of bucket ?? []) {
      const literal = this.#literals[index] ?? '';
      const compared = Math.min(literal.length, maxCompared);
      if (!this.#equals(text, start, literal, compared)) continue;
      let end = start + compared;
      while (end - start < literal.length && text.charCodeAt(end) === literal.charCodeAt(end - start)) end++;
      if (best === null || end > best.end) best = { start, end, index };
    }
    return best;
  }

  #equals(text: string, start: number, literal: string, length: number): boolean {
    if (start + length > text.length) return false;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(start + i);
      if ((this.#ignoreCase ? lower(code) : code) !== literal.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Where a literal begins that the end of the text cuts, if at least `min` characters of it are there. */
  findCut(text: string, min: number): number | null {
    let best: number | null = null;
    for (const literal of this.#literals) {
      for (let length = Math.min(literal.length - 1, maxCompared, text.length); length >= min; length--) {
        if (!text.endsWith(literal.slice(0, length))) continue;
        best = Math.min(best ?? text.length, text.length - length);
        break;
      }
    }
    return best;
  }
}

function hash(a: number, b: number): number {
  return ((a << 7) ^ b) & (tableSize - 1);
}

/** Of the first two characters; of three where case is ignored, for such literals are words. */
function hashBeginning(text: string, at: number, fold: boolean): number {
  const a = text.charCodeAt(at);
  const b = text.charCodeAt(at + 1);
  if (!fold) return ((a << 7) ^ b) & (beginningsSize - 1);
  const c = text.charCodeAt(at + 2);
  return ((lower(a) << 10) ^ (lower(b) << 5) ^ lower(c)) & (beginningsSize - 1);
}

function upper(code: number): number {
  return code >= 97 && code <= 122 ? code - 32 : code;
}

function lower(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}
