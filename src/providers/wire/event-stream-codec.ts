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
  readonly #known = new Map<string, ReadonlyMap<string, string>>();

  /**
   * The message these bytes begin with, when all of it is there, its headers are known and its checksum, which the one of
   * its prelude is part of, is right. Its payload lies in the memory given.
   */
  findKnown(bytes: Buffer, maxBytes: number): { message: EventStreamMessage; bytes: number } | undefined {
    const total = bytes.readUInt32BE(0);
    const headersEnd = PRELUDE_BYTES + bytes.readUInt32BE(4);
    const end = total - CHECKSUM_BYTES;
    if (total > bytes.length || total > maxBytes || headersEnd > end || headersEnd > MAX_KNOWN_BYTES) return undefined;
    const headers = this.#known.get(bytes.toString('latin1', PRELUDE_BYTES, headersEnd));
    if (headers === undefined || crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return undefined;
    return { message: { headers, payload: bytes.subarray(headersEnd, end) }, bytes: total };
  }

  /** Decodes one whole message, whose prelude was checked. Throws an `Error` on anything that is no message. */
  decode(bytes: Buffer): EventStreamMessage {
    const known = this.findKnown(bytes, bytes.length);
    if (known !== undefined) return known.message;
    const message = decodeWhole(bytes);
    const headersEnd = PRELUDE_BYTES + bytes.readUInt32BE(4);
    if (headersEnd <= MAX_KNOWN_BYTES && this.#known.size < MAX_KNOWN) {
      this.#known.set(bytes.toString('latin1', PRELUDE_BYTES, headersEnd), message.headers);
    }
    return message;
  }
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
