import { findHeadLength, unmask } from './frame-bytes.js';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const FINAL = 0x80;
const COMPRESSED = 0x40;
const MASKED = 0x80;
const MAX_REASON_BYTES = 123;

export interface MessageFrame {
  readonly payload: Buffer;
  readonly isBinary: boolean;
  readonly isCompressed: boolean;
  /** Four bytes, as a client sends them; `null` for a server's. */
  readonly mask: Buffer | null;
}

/** A whole message in one frame. Source: https://www.rfc-editor.org/rfc/rfc6455#section-5.2 (read 2026-11-27). */
export function makeMessageFrame({ payload, isBinary, isCompressed, mask }: MessageFrame): Buffer {
  return makeFrame(FINAL | (isCompressed ? COMPRESSED : 0) | (isBinary ? BINARY : TEXT), payload, mask);
}

/** A server's close frame; the reason is cut to what fits. */
export function makeCloseFrame(code: number, reason: string): Buffer {
  const words = Buffer.from(reason);
  let to = Math.min(words.length, MAX_REASON_BYTES);
  // Not within a character.
  while (to < words.length && ((words[to] ?? 0) & 0xc0) === 0x80) to -= 1;
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), words.subarray(0, to)]);
  return makeFrame(FINAL | CLOSE, payload, null);
}

function makeFrame(first: number, payload: Buffer, mask: Buffer | null): Buffer {
  const masked = mask === null ? 0 : MASKED;
  const { length } = payload;
  const short = length < 126 ? length : length < 65_536 ? 126 : 127;
  const head = Buffer.alloc(findHeadLength(short | masked));
  head[0] = first;
  head[1] = masked | short;
  if (short === 126) head.writeUInt16BE(length, 2);
  if (short === 127) head.writeBigUInt64BE(BigInt(length), 2);
  mask?.copy(head, head.length - mask.length);
  const body = Buffer.from(payload);
  if (mask !== null) unmask(body, mask, 0);
  return Buffer.concat([head, body]);
}

/** The mask of a frame by its first bytes, of which the whole head is there; `null` where it has none. */
export function readMask(frame: Buffer): Buffer | null {
  const second = frame[1] ?? 0;
  if ((second & MASKED) === 0) return null;
  const end = findHeadLength(second);
  return Buffer.from(frame.subarray(end - 4, end));
}
