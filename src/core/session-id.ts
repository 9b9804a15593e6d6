/** `sess_` and 12 hexadecimal digits, at random. */
export function makeSessionId(): string {
  // The first 48 bits of a UUIDv4 are random ones: https://www.rfc-editor.org/rfc/rfc9562#section-5.4 (read 2026-11-26).
  return `sess_${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`;
}
