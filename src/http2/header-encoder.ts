import type { RawHeaders } from '../core/wire.js';
import { defaults } from './codes.js';
import { measureHuffman, writeHuffman } from './huffman.js';
import { entryBytes, staticFields, staticTable } from './static-table.js';

/** Index of the first header of each name in the static table, and of those that have a value there. */
const staticNames = new Map<string, number>();
const staticValues = new Map<string, Map<string, number>>();
for (let index = staticFields; index > 0; index -= 1) {
  const [name = '', value = ''] = staticTable.slice(index * 2 - 2);
  staticNames.set(name, index);
  if (value !== '') staticValues.set(name, (staticValues.get(name) ?? new Map<string, number>()).set(value, index));
}

/**
 * Headers that hold a key: told to every hop never to be kept in a table, where a guess could be compared with them.
 * Source: RFC 7541 section 7.1.3 (read 2026-11-28).
 */
const neverKept = new Set(
  ['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-api-key', 'api-key'].concat('x-goog-api-key'),
);

/** Headers whose next value will be another: kept, they would only push others out. */
const notKept = new Set([
  ':path',
  'age',
  'content-length',
  'etag',
  'if-modified-since',
  'if-none-match',
  'location',
  'content-range',
]);

interface Entry {
  readonly name: string;
  readonly value: string;
  /** How many were kept before it. */
  readonly order: number;
}

const none: readonly Entry[] = [];
/** So many of a name are compared: more of them are no gain, and each costs. */
const maxCompared = 8;

/** Writes the header blocks of one direction of a connection (HPACK, RFC 7541). */
export class HeaderEncoder {
  /** The oldest first; those before `#first` are gone. */
  #entries: Entry[] = [];
  #first = 0;
  /** Those kept of each name, the newest last. */
  readonly #byName = new Map<string, Entry[]>();
  #kept = 0;
  #tableBytes = 0;
  #maxTableBytes: number = defaults.headerTableBytes;
  /** The sizes to tell with the next block: the least there was, and what it is now. */
  #resizes: number[] = [];
  #into: Buffer = Buffer.allocUnsafe(1024);
  #at = 0;

  /** As the other end has said, up to the usual. */
  resize(bytes: number): void {
    const size = Math.min(bytes, defaults.headerTableBytes);
    if (size === this.#maxTableBytes) return;
    this.#maxTableBytes = size;
    this.#evict();
    const least = Math.min(size, ...this.#resizes);
    this.#resizes = least < size ? [least, size] : [size];
  }

  /** @returns bytes that are valid until the next call */
  encode(raw: RawHeaders): Buffer {
    this.#at = 0;
    for (const size of this.#resizes) this.#writeInteger(0x20, 5, size);
    if (this.#resizes.length > 0) this.#resizes = [];
    for (let i = 0; i + 1 < raw.length; i += 2) this.#writeField(raw[i] ?? '', raw[i + 1] ?? '');
    return this.#into.subarray(0, this.#at);
  }

  #writeField(name: string, value: string): void {
    // No text is written longer than it is; the rest is for the numbers before it.
    this.#reserve(name.length + value.length + 32);
    const index = this.#find(name, value);
    if (index > 0) return this.#writeInteger(0x80, 7, index);
    const nameIndex = this.#findName(name);
    if (neverKept.has(name)) this.#writeInteger(0x10, 4, nameIndex);
    else if (notKept.has(name) || name.length + value.length + entryBytes > this.#maxTableBytes / 2)
      this.#writeInteger(0, 4, nameIndex);
    else {
      this.#writeInteger(0x40, 6, nameIndex);
      if (nameIndex === 0) this.#writeText(name);
      this.#writeText(value);
      return this.#keep(name, value);
    }
    if (nameIndex === 0) this.#writeText(name);
    this.#writeText(value);
  }

  /** 0 where it is in no table. */
  #find(name: string, value: string): number {
    const kept = this.#byName.get(name) ?? none;
    for (let i = kept.length - 1; i >= 0 && i >= kept.length - maxCompared; i -= 1) {
      const entry = kept[i];
      if (entry?.value === value) return staticFields + this.#kept - entry.order;
    }
    return staticValues.get(name)?.get(value) ?? 0;
  }

  #findName(name: string): number {
    const known = staticNames.get(name);
    if (known !== undefined) return known;
    const entry = this.#byName.get(name)?.at(-1);
    return entry === undefined ? 0 : staticFields + this.#kept - entry.order;
  }

  #keep(name: string, value: string): void {
    const entry = { name, value, order: this.#kept };
    this.#kept += 1;
    this.#tableBytes += name.length + value.length + entryBytes;
    this.#entries.push(entry);
    const kept = this.#byName.get(name);
    if (kept === undefined) this.#byName.set(name, [entry]);
    else kept.push(entry);
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#maxTableBytes) {
      const entry = this.#entries[this.#first++];
      if (entry === undefined) break;
      this.#tableBytes -= entry.name.length + entry.value.length + entryBytes;
      const kept = this.#byName.get(entry.name);
      kept?.shift();
      if (kept?.length === 0) this.#byName.delete(entry.name);
    }
    if (this.#first < 256) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#into.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#into.length * 2, this.#at + bytes));
    this.#into.copy(larger, 0, 0, this.#at);
    this.#into = larger;
  }

  #writeInteger(pattern: number, prefixBits: number, value: number): void {
    const most = 2 ** prefixBits - 1;
    if (value < most) {
      this.#into[this.#at++] = pattern | value;
      return;
    }
    this.#into[this.#at++] = pattern | most;
    let left = value - most;
    for (; left >= 128; left = Math.floor(left / 128)) this.#into[this.#at++] = (left % 128) | 0x80;
    this.#into[this.#at++] = left;
  }

  #writeText(text: string): void {
    const bytes = measureHuffman(text);
    if (bytes < text.length) {
      this.#writeInteger(0x80, 7, bytes);
      this.#at = writeHuffman(text, this.#into, this.#at);
    } else {
      this.#writeInteger(0, 7, text.length);
      this.#at += this.#into.write(text, this.#at, 'latin1');
    }
  }
}
