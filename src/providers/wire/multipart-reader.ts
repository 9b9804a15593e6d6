import type { JsonValue } from '../../core/call-record.js';
import { GrowingBuffer, viewBytes } from './growing-buffer.js';
import type { JsonReading } from './json-text.js';

/** The longest head of a part: two short header lines, as clients write them, have some hundred bytes. */
const MAX_HEAD_BYTES = 8 * 1024;
const MAX_VALUE_BYTES = 1024;
const MAX_FIELDS = 64;
/** RFC 2046 section 5.1.1 allows a boundary 70 characters. */
const BOUNDARY = /^multipart\/form-data\b.*?;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

const CR_LF = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');

interface Part {
  readonly name: string;
  /** Whether its value is kept: files and everything after the bound are not. */
  readonly kept: boolean;
  readonly value: GrowingBuffer;
  length: number;
}

type Place = 'outside' | 'boundary' | 'head' | 'part' | 'end';

/** Opens a reader of a form with files, when the content type says that the body is one. */
export function openFormReader(contentType: string | null): MultipartReader | undefined {
  const found = contentType === null ? null : BOUNDARY.exec(contentType.trim());
  const boundary = found?.[1] ?? found?.[2];
  return boundary === undefined ? undefined : new MultipartReader(boundary);
}

/** Whether a part's head says that it is the field of this name. */
export function isFieldHead(head: string, name: string): boolean {
  const read = readHead(head);
  return read.name === name && !read.isFile;
}

/**
 * Reads the short fields of a `multipart/form-data` body as a JSON object of texts, files left out, cut anywhere. What is
 * kept is bounded: at most 64 fields of at most 1 KiB, and of a file nothing but what may be the beginning of a boundary.
 * Never throws. Source: https://www.rfc-editor.org/rfc/rfc7578 and https://www.rfc-editor.org/rfc/rfc2046#section-5.1
 * (read 2026-11-27).
 *
 * ```ts
 * const reader = openFormReader('multipart/form-data; boundary=b');
 * reader?.write(Buffer.from('--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n'));
 * reader?.end();   // { ok: true, value: { model: 'whisper-1' }, elided: false }
 * ```
 */
export class MultipartReader {
  readonly #delimiter: Buffer;
  readonly #fields = new Map<string, string>();
  #place: Place = 'outside';
  #part: Part | null = null;
  #elided = false;
  /** What cannot be told yet. The first boundary has no line end before it, hence one is put there. */
  #rest: Buffer = CR_LF;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  write(bytes: Uint8Array): void {
    if (this.#place === 'end') return;
    const chunk = viewBytes(bytes);
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let next = this.#step(data, at); next !== null; next = this.#step(data, at)) at = next;
    const isOpen = this.#place === 'part' || this.#place === 'outside';
    const certain = isOpen ? Math.max(at, data.length - this.#delimiter.length + 1) : at;
    this.#keep(data.subarray(at, certain));
    // A copy: a few bytes must not hold on to the chunk they came in.
    this.#rest = Buffer.from(data.subarray(certain));
  }

  /** The fields read, also of a body that was cut; call once. */
  end(): JsonReading {
    if (this.#fields.size === 0) return { ok: false, problem: 'The form has no field that could be read.' };
    const value: JsonValue = Object.fromEntries(this.#fields);
    return { ok: true, value, elided: this.#elided };
  }

  /** Goes on to where the next place begins; `null` when more bytes are needed. */
  #step(data: Buffer, at: number): number | null {
    if (this.#place === 'end') return null;
    if (this.#place === 'boundary') return this.#readBoundary(data, at);
    if (this.#place === 'head') return this.#readHead(data, at);
    const found = data.indexOf(this.#delimiter, at);
    if (found === -1) return null;
    this.#keep(data.subarray(at, found));
    this.#endPart();
    this.#place = 'boundary';
    return found + this.#delimiter.length;
  }

  #readBoundary(data: Buffer, at: number): number | null {
    if (data.length - at < 2) return null;
    if (data[at] === 0x2d && data[at + 1] === 0x2d) {
      this.#place = 'end';
      return null;
    }
    const lineEnd = data.indexOf(CR_LF, at);
    if (lineEnd === -1) {
      if (data.length - at > MAX_HEAD_BYTES) this.#place = 'end';
      return null;
    }
    this.#place = 'head';
    return lineEnd;
  }

  #readHead(data: Buffer, at: number): number | null {
    const found = data.indexOf(HEAD_END, at);
    if (found === -1 || found - at > MAX_HEAD_BYTES) {
      if (data.length - at > MAX_HEAD_BYTES) this.#place = 'end';
      return null;
    }
    this.#part = this.#openPart(data.toString('utf8', at, found));
    this.#place = 'part';
    // A part without a byte ends where its head does: the boundary's line end is the head's.
    return found + CR_LF.length;
  }

  #openPart(head: string): Part {
    const { name, isFile } = readHead(head);
    const kept = name !== '' && !isFile && this.#fields.size < MAX_FIELDS && name.length <= MAX_VALUE_BYTES;
    return { name, kept, value: new GrowingBuffer(), length: 0 };
  }

  #keep(bytes: Buffer): void {
    const part = this.#part;
    if (part === null || !part.kept || bytes.length === 0) return;
    part.length += bytes.length;
    if (part.length <= MAX_VALUE_BYTES + CR_LF.length) part.value.append(bytes);
  }

  #endPart(): void {
    const part = this.#part;
    this.#part = null;
    if (part === null) return;
    if (!part.kept || part.length > MAX_VALUE_BYTES + CR_LF.length) {
      this.#elided = true;
      return;
    }
    const value = part.value.take().toString('utf8');
    this.#fields.set(part.name, value.slice(CR_LF.length));
  }
}

function readHead(head: string): { readonly name: string; readonly isFile: boolean } {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? '';
  const [, quoted, bare] = /[;\s]name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition) ?? [];
  return { name: quoted ?? bare ?? '', isFile: /[;\s]filename\*?=/i.test(disposition) };
}
