import type { JsonValue } from '../core/call-record.js';
import { describeKind, findField, findText, type JsonObject } from './json-fields.js';

const MAX_GROUPS = 32;

/**
 * The raw token counts of one reply under the provider's own names, before they are normalised.
 *
 * Fed with one usage object after another: for each name the last stated value wins, also back to 0; a name an
 * object leaves out, or states as `null`, keeps what was known. A value that is no whole number of at least 0
 * makes the count unknown.
 */
export class TokenCounts {
  readonly #counts = new Map<string, number | null>();
  readonly #bad = new Map<string, string>();

  /** Notes the counts at the paths `names` (`prompt_tokens_details.cached_tokens`) of a usage object. */
  note(usage: JsonValue, names: readonly string[]): void {
    for (const name of names) this.#noteOne(name, findField(usage, ...name.split('.')));
  }

  /** The count, `null` when not stated or no count. */
  find(name: string): number | null {
    return this.#counts.get(name) ?? null;
  }

  /** The first of the names that was stated, `null` when none was. */
  findFirst(names: readonly string[]): number | null {
    for (const name of names) if (this.#counts.has(name)) return this.find(name);
    return null;
  }

  /** Whether the name was stated as something that is no count. */
  isBad(name: string): boolean {
    return this.#bad.has(name);
  }

  /** The sum of a count that must be known and of others that count nothing when not stated. */
  sum(required: string, optional: readonly string[]): number | null {
    let total = this.find(required);
    for (const name of optional) {
      if (total === null || this.isBad(name)) return null;
      total += this.find(name) ?? 0;
    }
    return total;
  }

  /** The first of the names stated as something that is no count, and what was found instead. */
  findBad(names: readonly string[]): { readonly name: string; readonly found: string } | undefined {
    const name = names.find((each) => this.#bad.has(each));
    return name === undefined ? undefined : { name, found: this.#bad.get(name) ?? '' };
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  #noteOne(name: string, value: JsonValue | undefined): void {
    if (value === undefined || value === null) return;
    this.#counts.set(name, isCount(value) ? value : null);
    if (isCount(value)) this.#bad.delete(name);
    else this.#bad.set(name, describeKind(value));
  }
}

/**
 * The sum of counts that stand in several places; `undefined` where none is stated, and the first value that is no count
 * where one is none, so that the sum is none either.
 */
export function sumCounts(values: Iterable<JsonValue | undefined>): JsonValue | undefined {
  let sum: number | undefined;
  for (const value of values) {
    if (value === undefined || value === null) continue;
    if (!isCount(value)) return value;
    sum = (sum ?? 0) + value;
  }
  return sum;
}

/** Counts of a list by a text of each element: `[{ modality: 'TEXT', tokenCount: 3 }]` as `{ TEXT: 3 }`; the same text adds up. */
export function groupCounts(items: readonly JsonValue[], by: string, count: string): JsonObject {
  const groups = new Map<string, JsonValue>();
  for (const item of items) {
    const name = findText(item, by);
    if (name === undefined || (groups.size >= MAX_GROUPS && !groups.has(name))) continue;
    const sum = sumCounts([groups.get(name), findField(item, count)]);
    if (sum !== undefined) groups.set(name, sum);
  }
  return Object.fromEntries(groups);
}

function isCount(value: JsonValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
