import type { RawHeaders } from '../core/wire.js';

/**
 * Headers by which a request of a provider's own API asks for another answer. Source: what the npm packages
 * `@anthropic-ai/sdk` 1.11 (`anthropic-version`, `anthropic-beta`), `openai` 6.49 (`OpenAI-Beta`, `OpenAI-Organization`,
 * `OpenAI-Project`), `@google/genai` 2.32 (`x-goog-user-project`) and `@aws-sdk/client-bedrock-runtime` 3.1164 (guardrails,
 * trace, latency and tier, all of one family) send; read 2026-11-27.
 */
const shaping: ReadonlySet<string> = new Set([
  ...['anthropic-version', 'anthropic-beta', 'openai-beta', 'openai-organization', 'openai-project'],
  'x-goog-user-project',
]);
const shapingFamily = /^x-amzn-bedrock-(?!content-type|request-metadata)/;

/** Headers that say nothing of the answer, whoever is asked: of the connection, the client, its retries and its traces. */
const indifferent: ReadonlySet<string> = new Set([
  ...[
    'host',
    'connection',
    'keep-alive',
    'proxy-connection',
    'transfer-encoding',
    'te',
    'trailer',
    'upgrade',
    'expect',
  ],
  ...['content-length', 'content-type', 'content-encoding', 'accept', 'accept-encoding', 'accept-language'],
  ...['accept-charset', 'user-agent', 'date', 'origin', 'referer', 'cache-control', 'pragma', 'priority', 'dnt'],
  ...['idempotency-key', 'traceparent', 'tracestate', 'baggage', 'x-request-id', 'x-client-request-id'],
  ...['x-correlation-id', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'b3', 'sentry-trace', 'x-goog-api-client'],
  ...['x-amz-date', 'x-amz-content-sha256', 'amz-sdk-invocation-id', 'amz-sdk-request', 'x-amz-user-agent'],
  ...['x-llmtap-cache', 'proxy-authorization', 'forwarded', 'via', 'x-forwarded-for', 'x-real-ip'],
]);
/** Of what a proxy forwards, only whence a request came: gates put in front of a server also say who asks (`x-forwarded-user`). */
const indifferentFamilies = /^(?:sec-|x-stainless-|x-forwarded-(?:for|host|port|proto|server|prefix)$|x-datadog-)/;

/** Headers that say who is asking. */
const credentials: ReadonlySet<string> = new Set([
  ...['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'ocp-apim-subscription-key', 'cookie'],
]);

/** Parameters of a URL that say who is asking, or sign it. */
const secretParameter =
  /^(?:key|api[-_]?key|access[-_]?token|auth|token|sig|signature|subscription-key|x-amz-(?!.*target).*|x-goog-(?:signature|credential|date|expires|signedheaders))$/i;
/** What Google asks of a stream's framing. */
const framingParameter = 'alt';

/** Headers of a request by name, each as one text. */
export interface HeaderSources {
  readonly shaping: readonly (readonly [name: string, value: string])[];
  readonly credentials: readonly (readonly [name: string, value: string])[];
}

/** @param isShared whether who is asked may ask others, as a gateway does: then every header may shape the answer */
export function pickHeaders(rawHeaders: RawHeaders, isShared: boolean): HeaderSources {
  const shapes = new Map<string, string[]>();
  const secrets = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const isShaping = isShared ? !isIndifferent(name) : shaping.has(name) || shapingFamily.test(name);
    const into = credentials.has(name) ? secrets : isShaping ? shapes : null;
    if (into !== null) into.set(name, [...(into.get(name) ?? []), rawHeaders[i + 1] ?? '']);
  }
  return { shaping: joinSorted(shapes), credentials: joinSorted(secrets) };
}

function isIndifferent(name: string): boolean {
  return indifferent.has(name) || indifferentFamilies.test(name) || name.startsWith(':');
}

/** A list of tokens says the same in any order: `anthropic-beta: a,b`. */
function joinSorted(values: ReadonlyMap<string, readonly string[]>): (readonly [string, string])[] {
  const joined = [...values].map(([name, list]): readonly [string, string] => {
    const tokens = list.flatMap((value) => value.split(',').map((token) => token.trim()));
    return [name, name.endsWith('-beta') ? tokens.sort().join(',') : list.join(', ')];
  });
  return joined.sort(([a], [b]) => (a < b ? -1 : 1));
}

export interface PathSources {
  /** Without the query, and named as the request of a whole reply is. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly credentials: readonly (readonly [name: string, value: string])[];
  /** What the path says of the reply's form; `null` when nothing. */
  readonly framing: string | null;
}

/**
 * Where a whole reply and a stream have paths of their own, one of them stands for both: Google's `:streamGenerateContent`,
 * Bedrock's `converse-stream` and `invoke-with-response-stream`.
 */
const streamPaths: readonly (readonly [pattern: RegExp, whole: string])[] = [
  [/:streamGenerateContent(?=\/?$)/, ':generateContent'],
  [/:streamRawPredict(?=\/?$)/, ':rawPredict'],
  [/\/converse-stream(?=\/?$)/, '/converse'],
  [/\/invoke-with-response-stream(?=\/?$)/, '/invoke'],
];

export function pickPath(pathAndQuery: string): PathSources {
  const mark = pathAndQuery.indexOf('?');
  const asked = mark === -1 ? pathAndQuery : pathAndQuery.slice(0, mark);
  const parameters = [...new URLSearchParams(mark === -1 ? '' : pathAndQuery.slice(mark + 1))];
  const path = streamPaths.reduce((text, [pattern, whole]) => text.replace(pattern, whole), asked);
  const framing = parameters.find(([name]) => name === framingParameter)?.[1] ?? null;
  const others = parameters.filter(([name]) => name !== framingParameter);
  const sorted = others.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    path,
    framing,
    query: sorted.filter(([name]) => !secretParameter.test(name)),
    credentials: sorted.filter(([name]) => secretParameter.test(name)),
  };
}
