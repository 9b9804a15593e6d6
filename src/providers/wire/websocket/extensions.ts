/** What a 101 says of compression: whether there is any, and whether a direction forgets after each message. */
export interface Compression {
  readonly clientForgets: boolean;
  readonly serverForgets: boolean;
  /** How far back, as a power of two, the client's compression may refer: 8 to 15. */
  readonly clientWindowBits: number;
}

/** What the two ends agreed on; `unknown` names an extension whose frames cannot be read. */
export type Extensions = { readonly compression: Compression | null } | { readonly unknown: string };

const DEFLATE = 'permessage-deflate';
const MAX_SHOWN_CHARS = 40;

/**
 * Reads the `Sec-WebSocket-Extensions` header of a 101, all its lines joined by commas; `null` when there was none.
 *
 * The size of the provider's window (`server_max_window_bits`) need not be known: one of 32 KiB reads them all. Sources:
 * https://www.rfc-editor.org/rfc/rfc6455#section-9.1, https://www.rfc-editor.org/rfc/rfc7692#section-7.1 (read 2026-11-27).
 *
 * ```ts
 * readExtensions('permessage-deflate; server_no_context_takeover')
 * // { compression: { clientForgets: false, serverForgets: true, clientWindowBits: 15 } }
 * ```
 */
export function readExtensions(header: string | null): Extensions {
  let compression: Compression | null = null;
  for (const extension of (header ?? '').split(',')) {
    const [name = '', ...parameters] = extension.split(';').map((part) => part.trim().toLowerCase());
    if (name === '') continue;
    if (name !== DEFLATE || compression !== null) return { unknown: name.slice(0, MAX_SHOWN_CHARS) };
    compression = {
      clientForgets: parameters.includes('client_no_context_takeover'),
      serverForgets: parameters.includes('server_no_context_takeover'),
      clientWindowBits: readWindowBits(parameters),
    };
  }
  return { compression };
}

const LARGEST_WINDOW_BITS = 15;

function readWindowBits(parameters: readonly string[]): number {
  const [, bits] =
    /^client_max_window_bits\s*=\s*"?(\d{1,2})"?$/.exec(parameters.find((one) => one.startsWith('client_max')) ?? '') ??
    [];
  return bits === undefined ? LARGEST_WINDOW_BITS : Math.min(LARGEST_WINDOW_BITS, Number(bits));
}
