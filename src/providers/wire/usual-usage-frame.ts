const MAX_BYTES = 64 * 1024;
const USAGE_KEY = Buffer.from('"usage"');
const MEMBER_BYTES = ',"usage":null'.length;
/** `data`, as a number. */
const DATA = 0x64617461;
const COLON = 0x3a;
const SPACE = 0x20;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LF = 0x0a;
const CR = 0x0d;
/** How OpenAI ends a chunk: https://platform.openai.com/docs/api-reference/chat-streaming/streaming (read 2026-11-27). */
const usualEnd = /^,"usage":null(?:,"obfuscation":"[\w+/=-]*")?\}$/;

/**
 * What `UsageFrameFilter` would make of a chunk that is one whole frame as OpenAI writes it, one line of data, found without
 * reading all of it: the chunk itself where it does not speak of usage, a copy without its `"usage":null` where that is
 * among its last members. `null` for any other chunk.
 *
 * NOTE: in an object that ends so the member is one of its own: a quote behind a comma opens a key, and no more than a
 * padding comes between it and the brace that closes all. That the rest of it is JSON is not looked at.
 */
export function filterUsualFrame(chunk: Buffer): Buffer | null {
  const end = chunk.length - 2;
  if (end < 8 || end > MAX_BYTES || !isOneObject(chunk, end)) return null;
  const key = chunk.indexOf(USAGE_KEY);
  if (key === -1) return chunk;
  const cut = key - 1;
  if (!usualEnd.test(chunk.toString('latin1', cut, end))) return null;
  const kept = Buffer.allocUnsafe(chunk.length - MEMBER_BYTES);
  chunk.copy(kept, 0, 0, cut);
  chunk.copy(kept, cut, cut + MEMBER_BYTES);
  return kept;
}

/** Whether it is `data: {…}` and a blank line, and nothing else. */
function isOneObject(chunk: Buffer, end: number): boolean {
  if (chunk.readUInt32BE(0) !== DATA || chunk[4] !== COLON || chunk[5] !== SPACE || chunk[6] !== OPEN_OBJECT)
    return false;
  if (chunk[end - 1] !== CLOSE_OBJECT || chunk[end] !== LF || chunk[end + 1] !== LF) return false;
  return chunk.indexOf(LF) === end && chunk.indexOf(CR) === -1;
}
