import type { Framing } from './usage-problem.js';

const BOM = [0xef, 0xbb, 0xbf];
/** The longest field name of an event stream with its colon: `event:`, `retry:`. */
const LONGEST_FIELD = 6;
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

/**
 * How a reply is framed. The first byte decides where it can (`{` and `[` begin no line of an event stream, and no message
 * of AWS's, which begins with zero); then
 * the content type; then, for `text/plain`, none, or a JSON type on an event stream, the first field name.
 * `undefined` while more bytes are needed. `bytes` begin at the body's first byte that is no white space.
 */
export function findFraming(bytes: Buffer, contentType: string | null, isWhole: boolean): Framing | undefined {
  if (bytes[0] === 0x7b) return 'json';
  if (bytes[0] === 0x5b) return 'array';
  // The length of a message, 32 bits: no text begins so.
  if (bytes[0] === 0x00 || isAwsEventStream(contentType)) return 'aws-events';
  if (contentType?.trim().toLowerCase().startsWith('text/event-stream')) return 'sse';
  if (bytes.length < LONGEST_FIELD && !isWhole) return undefined;
  return SSE_FIELD.test(bytes.toString('latin1', 0, LONGEST_FIELD)) ? 'sse' : 'json';
}

/** Whether a body of this content type is an AWS event stream. */
export function isAwsEventStream(contentType: string | null): boolean {
  return contentType?.trim().toLowerCase().startsWith('application/vnd.amazon.eventstream') ?? false;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
