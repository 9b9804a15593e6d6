import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import type { EventStreamCodec, Message } from '@smithy/core/event-streams';

/** One message of an AWS event stream. */
export interface EventStreamMessage {
  /** Headers whose value is a text; all that have a meaning are. */
  readonly headers: ReadonlyMap<string, string>;
  /** Valid until the next message is read. */
  readonly payload: Buffer;
}

const requireModule = createRequire(import.meta.url);
let codec: EventStreamCodec | null = null;

/** Kinds of events a stream has, and room for some more. */
const MAX_KNOWN = 32;
const MAX_KNOWN_BYTES = 512;
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;

/**
 * Decodes the messages of one stream: checks their checksums and reads their headers.
 *
 * The codec is AWS's own (`@smithy/core` 3.41). It takes some 20 ms of modules (measured), so that it is loaded by the
 * first message there is, not with the tap. All events of a kind have the same headers, byte for byte: those that were
 * read are known again, and zlib's checksum is enough for such a message, at a tenth of the price.
 */
export class EventStreamDecoder {
  readonly #known = new Map<string, KnownHeaders>();
  /** Those of the message before: most of a stream have the same. */
  #last: KnownHeaders | null = null;

  /**
   * The message that begins at `from`, when all of it is there, its headers are known and its checksum, which the one of
   * its prelude is part of, is right. Its payload lies in the memory given.
   */
  findKnown(bytes: Buffer, from: number, maxBytes: number): KnownMessage | undefined {
    const total = bytes.readUInt32BE(from);
    const headersStart = from + PRELUDE_BYTES;
    const headersEnd = headersStart + bytes.readUInt32BE(from + 4);
    const end = from + total - CHECKSUM_BYTES;
    if (from + total > bytes.length || total > maxBytes) return undefined;
    if (headersEnd > end || headersEnd - from > MAX_KNOWN_BYTES) return undefined;
    const last = this.#last;
    const isAsLast = last !== null && isAt(bytes, headersStart, headersEnd, last.bytes);
    const known = isAsLast ? last : this.#known.get(bytes.toString('latin1', headersStart, headersEnd));
    if (known === undefined || crc32(bytes.subarray(from, end)) !== bytes.readUInt32BE(end)) return undefined;
    this.#last = known;
    return { message: { headers: known.headers, payload: bytes.subarray(headersEnd, end) }, bytes: total };
  }

  /** Decodes one whole message, whose prelude was checked. Throws an `Error` on anything that is no message. */
  decode(bytes: Buffer): EventStreamMessage {
    const known = this.findKnown(bytes, 0, bytes.length);
    if (known !== undefined) return known.message;
    const message = decodeWhole(bytes);
    const headersEnd = PRELUDE_BYTES + bytes.readUInt32BE(4);
    if (headersEnd <= MAX_KNOWN_BYTES && this.#known.size < MAX_KNOWN) {
      const headers = Uint8Array.prototype.slice.call(bytes, PRELUDE_BYTES, headersEnd);
      const key = bytes.toString('latin1', PRELUDE_BYTES, headersEnd);
      this.#known.set(key, { bytes: headers, headers: message.headers });
    }
    return message;
  }
}

interface KnownHeaders {
  readonly bytes: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
}

interface KnownMessage {
  readonly message: EventStreamMessage;
  /** All of it. */
  readonly bytes: number;
}

function isAt(bytes: Buffer, from: number, end: number, wanted: Uint8Array): boolean {
  if (end - from !== wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[from + i] !== wanted[i]) return false;
  return true;
}

/** NOTE: the codec trusts the lengths of headers and reads on in the memory the message lies in, hence the copy. */
function decodeWhole(bytes: Buffer): EventStreamMessage {
  const { headers, body } = openCodec().decode(new Uint8Array(bytes));
  return { headers: readTexts(headers), payload: Buffer.from(body.buffer, body.byteOffset, body.byteLength) };
}

function openCodec(): EventStreamCodec {
  if (codec !== null) return codec;
  const { EventStreamCodec: Codec } = requireModule(
    '@smithy/core/event-streams',
  ) as typeof import('@smithy/core/event-streams');
  codec = new Codec(
    (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
    (text) => Buffer.from(text, 'utf8'),
  );
  return codec;
}

function readTexts(headers: Message['headers']): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [name, header] of Object.entries(headers)) if (header.type === 'string') texts.set(name, header.value);
  return texts;
}
