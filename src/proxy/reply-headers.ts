import type { IncomingMessage } from 'node:http';
import type { RawHeaders } from '../core/wire.js';

const trailer = new Set(['trailer']);
const persistence = new Set(['connection', 'keep-alive', 'proxy-connection']);
const persistenceAndFraming = new Set([...persistence, 'transfer-encoding']);

/**
 * The provider's reply headers, as they came. Only how long the connection lives is the client's to say, not the
 * provider's: one that asked for its end gets it, and one that speaks HTTP/1.0 gets no chunks, which it cannot
 * read. Source: RFC 9112 sections 6.1, 9.3 and 9.6 (read 2026-11-21).
 */
export function makeReplyHeaders(request: IncomingMessage, rawHeaders: RawHeaders): string[] {
  const isOld = request.httpVersionMajor === 1 && request.httpVersionMinor === 0;
  const asked = request.headers.connection?.toLowerCase() ?? '';
  const wantsClose = /(^|[\s,])close([\s,]|$)/.test(asked) || isOld;
  const isChunked = !isOld && rawHeaders.some((value, i) => i % 2 === 0 && value.toLowerCase() === 'transfer-encoding');
  // Announced trailers cannot follow a reply without chunks; node:http refuses the head that does.
  if (!wantsClose) return isChunked ? [...rawHeaders] : dropHeaders(rawHeaders, trailer);
  const own = isOld ? persistenceAndFraming : persistence;
  const kept = dropHeaders(rawHeaders, own);
  return [...(isChunked ? kept : dropHeaders(kept, trailer)), 'Connection', 'close'];
}

function dropHeaders(rawHeaders: RawHeaders, names: ReadonlySet<string>): string[] {
  return rawHeaders.filter((_value, i) => !names.has((rawHeaders[i - (i % 2)] ?? '').toLowerCase()));
}
