import type { RawHeaders } from '../core/wire.js';

/**
 * Headers that belong to the connection between client and tap, not to the message. `expect` is answered by the
 * tap's own server before the body comes. Source: RFC 9110 section 7.6.1 (read 2026-11-21).
 */
const connectionHeaders = new Set([
  'connection',
  'proxy-connection',
  'proxy-authorization',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'expect',
  // Meant for the tap: what the cache does for the call.
  'x-llmtap-cache',
]);

/** The headers to send: those of the wire, in its order and case, but for the connection's own. */
export function pickSendableHeaders(raw: RawHeaders, proxyAuthorization: string | null = null): string[] {
  const headers: string[] = [];
  let named: Set<string> | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() === 'connection') named = addConnectionTokens(named, raw[i + 1] ?? '');
  }
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (connectionHeaders.has(lower) || named?.has(lower)) continue;
    headers.push(name, raw[i + 1] ?? '');
  }
  if (proxyAuthorization !== null) headers.push('Proxy-Authorization', proxyAuthorization);
  return headers;
}

/** `Connection: close, X-Thing` makes X-Thing a header of the connection; the usual tokens name none. */
function addConnectionTokens(named: Set<string> | null, value: string): Set<string> | null {
  for (const token of value.toLowerCase().split(',')) {
    const name = token.trim();
    if (name === '' || name === 'keep-alive' || name === 'close' || name === 'content-length' || name === 'host')
      continue;
    named ??= new Set();
    named.add(name);
  }
  return named;
}
