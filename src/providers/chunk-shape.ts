import type { ReplyNotes } from './reply-notes.js';

/** What of a chunk differs from one to the next: texts, in order of what they are called, and what counts the chunks. */
const varying =
  /"(?:content|text|delta|thinking|reasoning|reasoning_content|partial_json|arguments|obfuscation|p)": ?"([^"]*)"|"sequence_number": ?(\d+)/g;
/** More would be a chunk of another kind than those that come by the thousand. */
const mostHoles = 8;
const digits = 10;
const zero = 0x30;

/**
 * The text of a chunk around what varies in it, which a chunk of the same kind has letter for letter.
 *
 * `{"delta":{"content":"Hel"},"n":1}` has the parts `{"delta":{"content":"` and `"},"n":1}`.
 */
export class ChunkShape {
  readonly model: string | null;
  readonly #parts: readonly string[];
  /** Whether between a part and the next there is a number. */
  readonly #isNumber: readonly boolean[];

  private constructor(model: string | null, parts: readonly string[], isNumber: readonly boolean[]) {
    this.model = model;
    this.#parts = parts;
    this.#isNumber = isNumber;
  }

  /** Of a text that is JSON; `null` where nothing in it varies, or where an escape might hide what it says. */
  static of(data: string, model: string | null): ChunkShape | null {
    if (data.includes('\\')) return null;
    const parts: string[] = [];
    const isNumber: boolean[] = [];
    let from = 0;
    for (const { 0: member, 1: text, 2: number = '', index } of data.matchAll(varying)) {
      if (parts.length === mostHoles) return null;
      const end = index + member.length - (text === undefined ? 0 : 1);
      parts.push(data.slice(from, end - (text ?? number).length));
      isNumber.push(text === undefined);
      from = end;
    }
    return parts.length === 0 ? null : new ChunkShape(model, [...parts, data.slice(from)], isNumber);
  }

  /** Whether a text is JSON of the same shape. `false` may be said of one that is. */
  fits(data: string): boolean {
    if (data.includes('\\')) return false;
    let at = 0;
    for (let i = 0; ; i++) {
      const part = this.#parts[i] ?? '';
      const end = at + part.length;
      // NOTE: `startsWith` compares letter by letter, at fifteen times the price (measured, Node 20.20).
      if (data.slice(at, end) !== part) return false;
      if (i === this.#isNumber.length) return end === data.length;
      at = this.#isNumber[i] === true ? findNumberEnd(data, end) : data.indexOf('"', end);
      if (at === -1) return false;
    }
  }
}

/**
 * Asks of a text only where it has not the shape of the last that was further output: most differ in their words alone, and
 * comparing costs a sixth of a pattern.
 *
 * @param isFurther must say the same of two texts without backslashes that differ within texts, or in numbers, that
 *   vary; and of the same text with the same model as long as the stream lasts
 */
export function rememberShape(
  isFurther: (data: string, notes: ReplyNotes) => boolean,
): (data: string, notes: ReplyNotes) => boolean {
  return (data, notes) => {
    const shape = notes.chunkShape;
    if (shape !== null && shape.model === notes.model && shape.fits(data)) return true;
    if (!isFurther(data, notes)) return false;
    notes.chunkShape = ChunkShape.of(data, notes.model) ?? notes.chunkShape;
    return true;
  };
}

/** -1 where there is none. */
function findNumberEnd(data: string, from: number): number {
  let at = from;
  for (let digit = data.charCodeAt(at) - zero; digit >= 0 && digit < digits; digit = data.charCodeAt(at) - zero) at++;
  return at === from ? -1 : at;
}
