import { ConnectionFault, defaults, errorCodes } from './codes.js';
import { readHuffman } from './huffman.js';
import { entryBytes, staticFields, staticTable } from './static-table.js';

/** One header, and whether HTTP has it: RFC 9113 section 8.2.1 and RFC 9110 section 5.5 (read 2026-11-28). */
interface Field {
  readonly name: string;
  readonly value: string;
  readonly bytes: number;
  readonly isSound: boolean;
}

export interface HeaderBlock {
  /** Name and value in turns, as they came, but for what no field of HTTP can hold. */
  readonly raw: string[];
  /** Whether something had to be left out that no field of HTTP can hold. */
  readonly isUnsound: boolean;
  /** It was longer than allowed, and is not all here. */
  readonly isTooLong: boolean;
}

const soundName = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const unsoundValue = /[^\t\x20-\x7e\x80-\xff]/;
const outerSpace = /^[ \t]|[ \t]$/;

const staticEntries: readonly Field[] = Array.from({ length: staticFields }, (_none, i) =>
  makeField(staticTable[i * 2] ?? '', staticTable[i * 2 + 1] ?? ''),
);

/** Reads the header blocks of one direction of a connection, each of which builds on those before (HPACK, RFC 7541). */
export class HeaderDecoder {
  readonly #maxListBytes: number;
  /** The newest last; those before `#first` are gone. */
  #entries: Field[] = [];
  #first = 0;
  #tableBytes = 0;
  /** As its sender has said, up to what we allow. */
  #maxTableBytes: number = defaults.headerTableBytes;
  #at = 0;

  /** @param maxListBytes bound on one block, each header counted as by RFC 9113 section 6.5.2 */
  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /** Throws a `ConnectionFault` of what is no header block: nothing after it could be read. */
  decode(bytes: Buffer): HeaderBlock {
    const raw: string[] = [];
    let listBytes = 0;
    let isUnsound = false;
    let mayResize = true;
    this.#at = 0;
    while (this.#at < bytes.length) {
      const first = bytes[this.#at] ?? 0;
      if ((first & 0xe0) === 0x20) {
        if (!mayResize) throw fail('a table was resized within a block');
        this.#resize(this.#readInteger(bytes, 5));
        continue;
      }
      mayResize = false;
      const field = first >= 0x80 ? this.#find(this.#readInteger(bytes, 7)) : this.#readLiteral(bytes, first);
      listBytes += field.bytes;
      if (!field.isSound) isUnsound = true;
      else if (listBytes <= this.#maxListBytes) raw.push(field.name, field.value);
    }
    return { raw, isUnsound, isTooLong: listBytes > this.#maxListBytes };
  }

  #readLiteral(bytes: Buffer, first: number): Field {
    const isKept = first >= 0x40;
    const index = this.#readInteger(bytes, isKept ? 6 : 4);
    const name = index === 0 ? this.#readText(bytes) : this.#find(index).name;
    const field = makeField(name, this.#readText(bytes));
    if (isKept) this.#keep(field);
    return field;
  }

  #find(index: number): Field {
    const field =
      index <= staticFields
        ? staticEntries[index - 1]
        : index - staticFields <= this.#entries.length - this.#first
          ? this.#entries[this.#entries.length - (index - staticFields)]
          : undefined;
    if (field === undefined) throw fail(`there is no header ${index} in the table`);
    return field;
  }

  #keep(field: Field): void {
    this.#tableBytes += field.bytes;
    this.#entries.push(field);
    this.#evict();
  }

  #resize(bytes: number): void {
    if (bytes > defaults.headerTableBytes) throw fail(`a table of ${bytes} bytes is more than was allowed`);
    this.#maxTableBytes = bytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#maxTableBytes) {
      this.#tableBytes -= this.#entries[this.#first]?.bytes ?? 0;
      this.#first += 1;
    }
    // NOTE: one larger than the table empties it and is in it no more; held on to, such would grow beyond any bound.
    if (this.#first * 2 <= this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  /** Source: RFC 7541 section 5.1 (read 2026-11-28). */
  #readInteger(bytes: Buffer, prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = (bytes[this.#at++] ?? 0) & most;
    if (value < most) return value;
    for (let factor = 1; ; factor *= 128) {
      const octet = bytes[this.#at++];
      // No number here needs more, and none after it may be read wrongly.
      if (octet === undefined || factor > 128 ** 3) throw fail('a number has no end');
      value += (octet & 0x7f) * factor;
      if (octet < 0x80) return value;
    }
  }

  #readText(bytes: Buffer): string {
    const isHuffman = ((bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#readInteger(bytes, 7);
    const start = this.#at;
    const end = start + length;
    if (end > bytes.length) throw fail('a text is longer than its block');
    this.#at = end;
    const text = isHuffman ? readHuffman(bytes, start, end) : bytes.toString('latin1', start, end);
    if (text === undefined) throw fail('a text is not in the Huffman code');
    return text;
  }
}

function makeField(name: string, given: string): Field {
  const value = outerSpace.test(given) ? given.replace(/^[ \t]+|[ \t]+$/g, '') : given;
  const bytes = name.length + given.length + entryBytes;
  return { name, value, bytes, isSound: soundName.test(name) && !unsoundValue.test(value) };
}

function fail(what: string): ConnectionFault {
  return new ConnectionFault(errorCodes.compressionError, `A header block cannot be read: ${what}.`);
}
