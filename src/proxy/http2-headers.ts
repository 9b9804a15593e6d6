import type { RawHeaders } from '../core/wire.js';

/** Headers as node:http2 takes them. */
export type Http2Headers = Record<string, string | string[]>;

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

/** NOTE: node:http2 gives an event the block's raw headers last, which its types leave out. */
export function findRawHeaders(eventArgs: readonly unknown[]): RawHeaders {
  const raw = eventArgs.at(-1);
  return Array.isArray(raw) ? raw.map(String) : [];
}

/** The headers of a reply's block, its status aside. */
export function dropPseudoHeaders(raw: RawHeaders): string[] {
  return raw.filter((_value, i) => !(raw[i - (i % 2)] ?? '').startsWith(':'));
}

/** Of the connection, and so none of HTTP/2's. Source: RFC 9113 section 8.2.2 (read 2026-11-27). */
const connectionHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * Headers for node:http2, in lower case and without those of the connection. Equal names are sent as often as they
 * came, but for those node:http2 sends once only: the same value said twice is said once, others are joined, as RFC 9110
 * section 5.2 lets any recipient do.
 */
export function makeHttp2Headers(rawHeaders: RawHeaders): Http2Headers {
  const headers: Http2Headers = Object.create(null) as Http2Headers;
  const named = listNamedHeaders(rawHeaders);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    if (name === '' || name.startsWith(':') || connectionHeaders.has(name) || named.has(name)) continue;
    // What else it may name is between HTTP/1.1 and its next hop.
    if (name === 'te' && value.trim().toLowerCase() !== 'trailers') continue;
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else if (!singleHeaders.has(name)) headers[name] = [...(Array.isArray(known) ? known : [known]), value];
    else if (known !== value) headers[name] = `${String(known)}, ${value}`;
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

/** Those node:http2 refuses to send twice: `kSingleValueHeaders`, lib/internal/http2/util.js (measured, Node 20.20). */
const singleHeaders = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
]);
