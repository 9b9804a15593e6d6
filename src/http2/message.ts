import type { RawHeaders } from '../core/wire.js';

/** Of a connection of HTTP/1.1, and so none of HTTP/2's. Source: RFC 9113 section 8.2.2 (read 2026-11-28). */
export const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const pseudoOfRequests: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path']);

/**
 * Whether a block of headers can be a request. What HTTP/1.1 says of its connection is none of them: read on elsewhere, it
 * could be taken for another request. Source: RFC 9113 sections 8.2.2, 8.3 and 8.3.1 (read 2026-11-28).
 */
export function isRequest(raw: RawHeaders): boolean {
  const seen = new Set<string>();
  let isPast = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.startsWith(':')) {
      if (isPast || seen.has(name) || !pseudoOfRequests.has(name)) return false;
      seen.add(name);
    } else {
      isPast = true;
      if (!isOfRequest(name, raw[i + 1] ?? '')) return false;
    }
  }
  const isConnect = readMethod(raw) === 'CONNECT';
  if (isConnect) return seen.has(':authority') && !seen.has(':scheme') && !seen.has(':path');
  return seen.has(':method') && seen.has(':scheme') && seen.has(':path') && findHeader(raw, ':path') !== '';
}

/** Whether a client may say it in a head or in trailers. */
function isOfRequest(name: string, value: string): boolean {
  if (name === 'te') return value.toLowerCase() === 'trailers';
  return !connectionHeaders.has(name);
}

export function readMethod(raw: RawHeaders): string {
  return findHeader(raw, ':method') ?? '';
}

/** The status of a reply's headers; `undefined` where they are none. */
export function readStatus(raw: RawHeaders): number | undefined {
  const [name, value = ''] = raw;
  if (name !== ':status' || !/^[1-9]\d\d$/.test(value)) return undefined;
  for (let i = 2; i < raw.length; i += 2) if (raw[i]?.startsWith(':')) return undefined;
  return Number(value);
}

/** Whether headers can follow a body. */
export function isTrailers(raw: RawHeaders): boolean {
  for (let i = 0; i < raw.length; i += 2) if (raw[i]?.startsWith(':')) return false;
  return true;
}

/** Whether they can follow the body of a request, too, where as little may be taken for another request as in its head. */
export function isRequestTrailers(raw: RawHeaders): boolean {
  return isTrailers(raw) && raw.every((name, i) => i % 2 === 1 || isOfRequest(name, raw[i + 1] ?? ''));
}

/** How long the body is by its head: `null` where that is not said, `undefined` where it is said wrongly. */
export function readBodyBytes(raw: RawHeaders): number | null | undefined {
  const value = findHeader(raw, 'content-length');
  if (value === undefined) return null;
  if (!/^\d{1,15}$/.test(value)) return undefined;
  for (let i = 0; i < raw.length; i += 2) if (raw[i] === 'content-length' && raw[i + 1] !== value) return undefined;
  return Number(value);
}

function findHeader(raw: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) if (raw[i] === name) return raw[i + 1];
  return undefined;
}
