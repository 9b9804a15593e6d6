import { constants, deflateRaw, deflateRawSync } from 'node:zlib';

/** What is compressed at once; more goes to zlib's threads. */
const MAX_SYNC_BYTES = 16 * 1024;
/** zlib writes no raw stream with a smaller window: https://zlib.net/manual.html, deflateInit2 (read 2026-11-27). */
const SMALLEST_WINDOW_BITS = 9;
/** What is taken off the end of each message: https://www.rfc-editor.org/rfc/rfc7692#section-7.2.1 (read 2026-11-27). */
const TAIL_BYTES = 4;

/** A message compressed by itself, as permessage-deflate has it; `null` where it cannot be, and goes as it is. */
export function compressAlone(message: Buffer, windowBits: number): Promise<Buffer | null> | Buffer | null {
  if (windowBits < SMALLEST_WINDOW_BITS) return null;
  const options = { windowBits, finishFlush: constants.Z_SYNC_FLUSH };
  if (message.length <= MAX_SYNC_BYTES) return takeTailOff(deflateRawSync(message, options));
  return new Promise((resolve) => {
    deflateRaw(message, options, (error, bytes) => resolve(error === null ? takeTailOff(bytes) : null));
  });
}

function takeTailOff(bytes: Buffer): Buffer {
  return bytes.subarray(0, -TAIL_BYTES);
}
