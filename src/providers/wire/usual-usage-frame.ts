const MAX_BYTES = 64 * 1024;
const BEGINNING = 'data: {';
const ENDING = '}\n\n';
const USAGE_KEY = '"usage"';
const MEMBER_CHARS = ',"usage":null'.length;
const LETTER_D = 0x64;
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
  if (chunk.length > MAX_BYTES || chunk[0] !== LETTER_D) return null;
  // One letter each byte: a search in a text costs a fifth of one in bytes (measured, Node 20.20).
  const text = chunk.toString('latin1');
  const end = text.length - 2;
  if (end < BEGINNING.length || !isOneObject(text, end)) return null;
  const key = text.indexOf(USAGE_KEY);
  if (key === -1) return chunk;
  const cut = key - 1;
  if (!usualEnd.test(text.slice(cut, end))) return null;
  return Buffer.from(text.slice(0, cut) + text.slice(cut + MEMBER_CHARS), 'latin1');
}

/** Whether it is `data: {…}` and a blank line, and nothing else. */
function isOneObject(text: string, end: number): boolean {
  if (text.slice(0, BEGINNING.length) !== BEGINNING || text.slice(end - 1) !== ENDING) return false;
  return text.indexOf('\n') === end && !text.includes('\r');
}
