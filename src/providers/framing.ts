import type { Framing } from './usage-problem.js';

const BOM = [0xef, 0xbb, 0xbf];
/** Both lengths and their checksum. */
const PRELUDE_BYTES = 12;
/** The longest field name of an event stream with its colon: `event:`, `retry:`. */
const LONGEST_FIELD = 6;
/** `application/x-ndjson`, `application/jsonl`, Cohere's `application/stream+json`. */
const LINES_TYPE = /^application\/(?:x-)?(?:ndjson|jsonl|jsonlines|stream\+json)\b/;
/** Bytes of these types are never read: their first ones may look like anything. */
const MEDIA_TYPE = /^(?:audio|image|video)\//;
const OCTETS_TYPE = /^(?:application|binary)\/octet-stream\b/;
const SSE_FIELD = /^(?:data|event|id|retry)?:/;

/**
 * Where the body begins: past a byte order mark and white space. `null` while the bytes do not yet tell, and
 * everything up to there may be forgotten.
 */
export function findBodyStart(bytes: Buffer): number | null {
  let at = 0;
  const marked = BOM.findIndex((byte, index) => bytes[index] !== byte);
  if (marked === -1) at = BOM.length;
  else if (marked > 0 && bytes.length === marked) return null;
  while (at < bytes.length && isSpace(bytes[at])) at++;
  return at < bytes.length ? at : null;
}

/** Whether the content type says that the body is JSON values, one to a line. */
export function isLinesType(contentType: string | null): boolean {
  return LINES_TYPE.test(readType(contentType));
}

/**
 * How a reply is framed. A media type decides at once; then the first byte where it can (`{` and `[` begin no line of an
 * event stream, and no message of AWS's, which begins with zero); then the content type; then, for `text/plain`, none, or a
 * JSON type on an event stream, the first field name; octets that look like neither are media. `undefined` while more bytes
 * are needed. `bytes` begin at the body's first byte that is no white space.
 * `inLines` says that several objects are meant to come one to a line, whatever the content type.
 */
export function findFraming(
  bytes: Buffer,
  contentType: string | null,
  { isWhole, inLines }: { readonly isWhole: boolean; readonly inLines: boolean },
): Framing | undefined {
  const type = readType(contentType);
  if (MEDIA_TYPE.test(type)) return 'media';
  if (bytes[0] === 0x7b) return inLines || LINES_TYPE.test(type) ? 'lines' : 'json';
  if (bytes[0] === 0x5b) return 'array';
  if (isAwsEventStream(contentType)) return 'aws-events';
  // The length of a message, 32 bits: no text begins so.
  if (bytes[0] === 0x00 && !OCTETS_TYPE.test(type)) return 'aws-events';
  if (bytes[0] === 0x00 && bytes.length < PRELUDE_BYTES && !isWhole) return undefined;
  if (bytes[0] === 0x00 && hasPrelude(bytes)) return 'aws-events';
  if (type.startsWith('text/event-stream')) return 'sse';
  if (bytes.length < LONGEST_FIELD && !isWhole) return undefined;
  if (SSE_FIELD.test(bytes.toString('latin1', 0, LONGEST_FIELD))) return 'sse';
  return OCTETS_TYPE.test(type) ? 'media' : 'json';
}

/** Whether octets begin as a message of AWS's does: with its length and, within that, the length of its headers. */
function hasPrelude(bytes: Buffer): boolean {
  if (bytes.length < PRELUDE_BYTES) return false;
  const [total, headers] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  return total > headers + PRELUDE_BYTES && headers > 0;
}

/** Whether a body of this content type is an AWS event stream. */
export function isAwsEventStream(contentType: string | null): boolean {
  return readType(contentType).startsWith('application/vnd.amazon.eventstream');
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function readType(contentType: string | null): string {
  return contentType?.trim().toLowerCase() ?? '';
}
