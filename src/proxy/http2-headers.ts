import type { RawHeaders } from '../core/wire.js';
import { connectionHeaders } from '../http2/message.js';

/** What a request of HTTP/2 says of itself beside its headers. */
export interface Http2RequestHead {
  readonly method: string;
  /** Path and query; empty for a CONNECT, which has none. */
  readonly path: string;
  /** As HTTP/1.1 writes them: the authority as `host`, cookies in one line. */
  readonly rawHeaders: string[];
}

/**
 * Reads a request's header block. Pseudo-headers leave no trace but `host`. Source: RFC 9113 sections 8.2.3 (cookies are
 * joined by `; `) and 8.3.1 (the authority is the Host of HTTP/1.1; read 2026-11-27).
 *
 * @example
 * readRequestHead([':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/'])
 * // { method: 'GET', path: '/', rawHeaders: ['host', 'a.test'] }
 */
export function readRequestHead(raw: RawHeaders): Http2RequestHead {
  const pseudo = new Map<string, string>();
  const rawHeaders: string[] = [];
  let cookieAt = -1;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    if (name.startsWith(':')) pseudo.set(name, value);
    else if (name === 'cookie' && cookieAt !== -1) rawHeaders[cookieAt] += `; ${value}`;
    else if (name !== 'host' || !pseudo.has(':authority')) {
      if (name === 'cookie') cookieAt = rawHeaders.length + 1;
      rawHeaders.push(name, value);
    }
  }
  const authority = pseudo.get(':authority');
  return {
    method: pseudo.get(':method') ?? 'GET',
    path: pseudo.get(':path') ?? '',
    rawHeaders: authority === undefined ? rawHeaders : ['host', authority, ...rawHeaders],
  };
}

/** The headers of a reply's block, its status aside. */
export function dropPseudoHeaders(raw: RawHeaders): string[] {
  return raw.filter((_value, i) => !(raw[i - (i % 2)] ?? '').startsWith(':'));
}

/** HTTP/2 has none of them; the last asks for it. Source: RFC 9113 section 3.1 (read 2026-11-28). */
const droppedHeaders = new Set([...connectionHeaders, 'http2-settings']);

/** Headers as HTTP/2 has them: in lower case, without those of the connection, otherwise in the order they came. */
export function listHttp2Headers(rawHeaders: RawHeaders): string[] {
  const headers: string[] = [];
  const named = listNamedHeaders(rawHeaders);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    if (name === '' || name.startsWith(':') || droppedHeaders.has(name) || named.has(name)) continue;
    // What else it may name is between HTTP/1.1 and its next hop.
    if (name === 'te' && value.trim().toLowerCase() !== 'trailers') continue;
    headers.push(name, value);
  }
  return headers;
}

const none: ReadonlySet<string> = new Set();

/** `Connection: X-Thing` makes X-Thing a header of the connection. */
function listNamedHeaders(rawHeaders: RawHeaders): ReadonlySet<string> {
  const values = rawHeaders.filter((_value, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'connection');
  if (values.length === 0) return none;
  const names = values.flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase()));
  return new Set(names.filter((name) => name !== 'content-length' && name !== 'host'));
}
