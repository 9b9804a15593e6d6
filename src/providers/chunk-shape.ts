/** What of a chunk differs from one to the next, as members are written by who writes no spaces, and by who does. */
const varying = ['"content":"', '"content": "', '"obfuscation":"', '"obfuscation": "'];

/**
 * The text of a chunk around its varying strings, which a chunk of the same kind has letter for letter.
 *
 * `{"delta":{"content":"Hel"},"n":1}` has the parts `{"delta":{"content":"` and `"},"n":1}`.
 */
export class ChunkShape {
  readonly model: string;
  readonly #parts: readonly string[];

  private constructor(model: string, parts: readonly string[]) {
    this.model = model;
    this.#parts = parts;
  }

  /** Of a text that is JSON; `null` where nothing in it varies, or where an escape might hide what it says. */
  static of(data: string, model: string): ChunkShape | null {
    if (data.includes('\\')) return null;
    const parts: string[] = [];
    let from = 0;
    for (const member of varying) {
      const at = data.indexOf(member, from);
      if (at === -1) continue;
      const start = at + member.length;
      parts.push(data.slice(from, start));
      from = data.indexOf('"', start);
    }
    return parts.length === 0 ? null : new ChunkShape(model, [...parts, data.slice(from)]);
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
      if (i === this.#parts.length - 1) return end === data.length;
      at = data.indexOf('"', end);
      if (at === -1) return false;
    }
  }
}
