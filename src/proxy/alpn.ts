/** The protocols served to clients over TLS, as ALPN names them. Source: RFC 7301 and RFC 9113 section 3.1 (read 2026-11-27). */
export type ServedProtocol = 'h2' | 'http/1.1';

/**
 * What to speak with a client: the first of those it offers that is served here, for clients name the one they prefer
 * first; HTTP/1.1 with one that offers none. `undefined` for a client that speaks only others.
 *
 * @example
 * chooseProtocol(['h2', 'http/1.1']) // 'h2'
 */
export function chooseProtocol(offered: readonly string[] | null): ServedProtocol | undefined {
  if (offered === null || offered.length === 0) return 'http/1.1';
  return offered.find((name): name is ServedProtocol => name === 'h2' || name === 'http/1.1');
}
