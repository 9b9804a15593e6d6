import { hash } from 'node:crypto';
import { formatCanonical, isObject } from '../cache/canonical-json.js';
import { pickHeaders, pickPath } from '../cache/key-sources.js';
import type { JsonValue } from '../core/call-record.js';
import { isGrpc } from '../core/grpc.js';
import type { ProviderMatch, RequestHead } from '../core/wire.js';
import type { FormBody, RequestForm } from './interaction.js';
import { type Normalise, normaliseValue } from './normalise.js';
import type { AskedSocket } from './sockets.js';

/** A request about to be answered. */
export interface FormedRequest {
  readonly head: RequestHead;
  readonly match: ProviderMatch;
  /** Path and query, the routed model in it where the dialect keeps it there. */
  readonly path: string;
  /** Without a content coding. */
  readonly body: Buffer;
  readonly contentType: string | null;
  readonly stream: boolean;
  /** A body with its credentials masked: its JSON, or its text. */
  readonly redact: (content: Buffer, contentType: string | null) => JsonValue;
  readonly redactText: (text: string) => string;
}

/**
 * What a request asks, without what says who asks, when, and from where. `stream_options` is left out as well: the tap asks
 * for usage there where the client did not, and a provider may refuse that. Pure.
 */
export function makeRequestForm(request: FormedRequest): RequestForm {
  const { head, match, path, redactText } = request;
  const { scheme, host, port } = head.origin;
  const asked = pickPath(path);
  const isFramed = asked.framing !== null && asked.framing !== 'json';
  return {
    provider: match.provider,
    api: match.dialect.api,
    method: head.method,
    origin: `${scheme}://${host}:${port}`,
    path: redactText(asked.path),
    query: asked.query.map(([name, value]) => [redactText(name), redactText(value)]),
    headers: pickHeaders(head.rawHeaders, false).shaping.map(([name, value]) => [name, redactText(value)]),
    variant: isGrpc(head) ? 'grpc' : `${request.stream ? 'stream' : 'json'}${isFramed ? ` ${asked.framing}` : ''}`,
    body: makeFormBody(request),
  };
}

/** What a WebSocket is asked for. */
export function makeSocketForm({ head, match, redact }: AskedSocket): RequestForm {
  const redactText = (text: string): string => {
    const masked = redact(text, null);
    return typeof masked === 'string' ? masked : JSON.stringify(masked);
  };
  const { scheme, host, port } = head.origin;
  const asked = pickPath(head.path);
  return {
    ...{ provider: match.provider, api: match.dialect.api, method: 'GET', origin: `${scheme}://${host}:${port}` },
    path: redactText(asked.path),
    query: asked.query.map(([name, value]) => [name, redactText(value)]),
    headers: pickHeaders(head.rawHeaders, false).shaping.map(([name, value]) => [name, redactText(value)]),
    variant: 'websocket',
    body: { json: null },
  };
}

function makeFormBody({ body, contentType, redact }: FormedRequest): FormBody {
  const boundary = /\bboundary="?([^";]+)/i.exec(contentType ?? '')?.[1];
  if (boundary !== undefined) {
    const text = body.toString('latin1').replaceAll(boundary, 'boundary');
    return { sha256: hash('sha256', Buffer.from(text, 'latin1')), bytes: text.length };
  }
  const redacted = /^\s*\{/.test(body.toString('latin1', 0, 64)) ? redact(body, contentType) : null;
  if (!isObject(redacted ?? undefined)) return { sha256: hash('sha256', body), bytes: body.length };
  const { stream: _, stream_options: __, ...rest } = redacted as { readonly [name: string]: JsonValue };
  return { json: rest };
}

/** Equal for requests that ask the same in the same form, once `normalise` has set aside what changes from run to run. */
export function makeFormKey(form: RequestForm, normalise: Normalise): string {
  return hash('sha256', formatCanonical(normaliseForm(form, normalise) as unknown as JsonValue), 'base64url');
}

export function normaliseForm(form: RequestForm, normalise: Normalise): RequestForm {
  const pairs = (list: RequestForm['query']) => list.map(([name, value]): [string, string] => [name, normalise(value)]);
  const body = 'json' in form.body ? { json: normaliseValue(form.body.json, normalise) } : form.body;
  return { ...form, path: normalise(form.path), query: pairs(form.query), headers: pairs(form.headers), body };
}
