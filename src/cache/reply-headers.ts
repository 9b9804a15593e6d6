import type { RawHeaders } from '../core/wire.js';

/** Of the connection, of the bytes as they were sent, of that one exchange, or of whoever asked: not of the answer. */
const dropped: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'trailer', 'upgrade', 'te'],
  ...['content-length', 'content-encoding', 'content-md5', 'digest', 'content-digest', 'repr-digest', 'etag', 'vary'],
  ...['date', 'age', 'expires', 'last-modified', 'cache-control', 'pragma', 'retry-after', 'set-cookie', 'set-cookie2'],
  ...[
    'server',
    'via',
    'alt-svc',
    'nel',
    'report-to',
    'reporting-endpoints',
    'server-timing',
    'strict-transport-security',
  ],
  ...[
    'x-request-id',
    'request-id',
    'x-amzn-requestid',
    'x-amz-request-id',
    'x-amz-id-2',
    'x-amz-cf-id',
    'x-amz-cf-pop',
  ],
  ...['apim-request-id', 'x-ms-request-id', 'x-ms-client-request-id', 'x-correlation-id', 'x-generation-id', 'cf-ray'],
  ...['x-trace-id', 'traceparent', 'tracestate', 'x-cloud-trace-context', 'x-cache', 'cf-cache-status', 'x-robots-tag'],
  ...['openai-processing-ms', 'x-envoy-upstream-service-time', 'x-amzn-bedrock-invocation-latency', 'x-inference-time'],
  ...['openai-organization', 'openai-project', 'anthropic-organization-id', 'x-should-retry', 'x-served-by'],
  ...['www-authenticate', 'proxy-authenticate', 'authorization', 'authentication-info'],
]);
const droppedFamilies =
  /rate-?limit|^(?:cf|x-fastly|x-vercel|x-ms|x-amz-cf|x-envoy|x-debug|access-control|sec)-|-(?:request|trace|ray|session)-?id$/;

/**
 * The headers of a reply that are still true when it is given again: its type, and what it says of the answer. Request ids,
 * dates, cookies, rate limits, and whatever may hold a secret, are not.
 *
 * @param hasSecret whether a text holds a credential
 */
export function pickReplyHeaders(rawHeaders: RawHeaders, hasSecret: (text: string) => boolean): string[] {
  const named = listConnectionHeaders(rawHeaders);
  const picked: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]];
    const lower = name.toLowerCase();
    if (dropped.has(lower) || droppedFamilies.test(lower) || named.has(lower)) continue;
    if (hasSecret(`${name}: ${value}`)) continue;
    picked.push(name, value);
  }
  return picked;
}

/** The headers of a reply as they are sent with a body of this length; `null` where it is not known yet. */
export function frameReplyHeaders(rawHeaders: RawHeaders, length: number | null): string[] {
  const framing = length === null ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(length)];
  return [...rawHeaders, ...framing];
}

export function findHeader(rawHeaders: RawHeaders, name: string): string | null {
  const at = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name);
  return at === -1 ? null : (rawHeaders[at + 1] ?? null);
}

function listConnectionHeaders(rawHeaders: RawHeaders): ReadonlySet<string> {
  const value = findHeader(rawHeaders, 'connection') ?? '';
  return new Set(value.split(',').map((token) => token.trim().toLowerCase()));
}
