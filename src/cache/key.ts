import { hash } from 'node:crypto';
import type { JsonValue } from '../core/call-record.js';
import type { KeyParts } from '../core/response-cache.js';
import type { Origin, RawHeaders } from '../core/wire.js';
import { formatCanonical, isObject, type JsonObject, readExactObject } from './canonical-json.js';
import { type HeaderSources, type PathSources, pickHeaders, pickPath } from './key-sources.js';

/** Changes with whatever makes two requests of before another key. */
export const keyVersion = 1;

/** A request as it would go to its provider. */
export interface KeyedRequest {
  readonly provider: string;
  readonly api: string;
  readonly origin: Origin;
  /** Path and query, the routed model in it where the dialect keeps it there. */
  readonly path: string;
  readonly rawHeaders: RawHeaders;
  /** Without a content coding, the routed model in it. */
  readonly body: Buffer;
  /** Whether a stream is asked for, as the dialect reads it. */
  readonly stream: boolean;
  /** Whether who is asked may ask others, each with an account of its own: a gateway, a server of the user's. */
  readonly isShared: boolean;
}

export interface CacheKey {
  /** SHA-256 in hexadecimal. */
  readonly key: string;
  readonly variant: string;
  /** Whether a digest of the caller's credential is in it. */
  readonly isBound: boolean;
  /** What it is made of, a digest each; made when asked for. */
  readonly parts: () => KeyParts;
}

export type KeyReading =
  | { readonly ok: true; readonly key: CacheKey }
  | { readonly ok: false; readonly reason: string };

/**
 * The key of a request: equal for requests that ask the same of the same, whatever the order of their members and
 * whether they want a stream, which is the variant. Pure. Holds nothing of a secret but, behind a shared gateway, a digest
 * keyed with `salt`. Never throws: a request no key can be made of has a reason.
 */
export function makeCacheKey(request: KeyedRequest, salt: string): KeyReading {
  const body = readExactObject(request.body);
  if (body === undefined) return makeReason('its body is not one JSON object that can be read exactly');
  if (Object.keys(body).length === 0) return makeReason('its body is an empty object');
  const state = findState(request.api, body);
  if (state !== null) return makeReason(`its answer depends on more than the request: ${state}`);
  try {
    return { ok: true, key: makeKey(request, { body, salt }) };
  } catch {
    return makeReason('its body is nested too deeply');
  }
}

/** Names of members and parameters are the client's: one that holds a credential is told of in no part. */
export function hideNames(key: CacheKey, hasSecret: (text: string, contentType: null) => boolean): CacheKey {
  const parts = (): KeyParts =>
    Object.fromEntries(Object.entries(key.parts()).filter(([name]) => !hasSecret(name, null)));
  return { ...key, parts };
}

function makeReason(why: string): KeyReading {
  return { ok: false, reason: `The call has no key, for ${why}.` };
}

function makeKey(
  request: KeyedRequest,
  { body, salt }: { readonly body: JsonObject; readonly salt: string },
): CacheKey {
  const path = pickPath(request.path);
  const headers = pickHeaders(request.rawHeaders, request.isShared);
  const sources = makeSources(request, { path, headers, salt });
  const { stream, stream_options: options, ...rest } = body;
  const form = makeForm({ stream: request.stream, said: stream, options, framing: path.framing });
  return {
    key: hash('sha256', formatCanonical([keyVersion, ...sources.map(([name, value]) => [name, value]), rest])),
    variant: form,
    isBound: sources.some(([name]) => name === 'credential'),
    parts: () => ({
      ...Object.fromEntries(sources.map(([name, value]) => [shorten(name), digest(value)])),
      ...listBodyParts(rest),
    }),
  };
}

interface Picked {
  readonly path: PathSources;
  readonly headers: HeaderSources;
  readonly salt: string;
}

/** What a key is made of besides the body, by name. */
function makeSources(request: KeyedRequest, { path, headers, salt }: Picked): [name: string, value: string][] {
  const { scheme, host, port } = request.origin;
  const seal = (value: string): string => hash('sha256', `${salt}\n${value}`);
  const credentials = [...headers.credentials, ...path.credentials];
  return [
    ['provider', request.provider],
    ['origin', `${scheme}://${host}:${port}`],
    ['path', path.path],
    ...path.query.map(([name, value]): [string, string] => [`query.${name}`, value]),
    // Behind a gateway any header may be a secret.
    ...headers.shaping.map(([name, value]): [string, string] => [
      `header.${name}`,
      request.isShared ? seal(value) : value,
    ]),
    ...(request.isShared && credentials.length > 0
      ? ([['credential', seal(formatCanonical(credentials.map(([name, value]) => [name, value])))]] as [
          string,
          string,
        ][])
      : []),
  ];
}

interface Form {
  /** As the dialect reads the request. */
  readonly stream: boolean;
  /** As the body says it. */
  readonly said: JsonValue | undefined;
  readonly options: JsonValue | undefined;
  readonly framing: string | null;
}

/** `json`, `stream`, and what else the request says of the reply's form: `stream {"options":{"include_usage":true}}`. */
function makeForm({ stream, said, options, framing }: Form): string {
  const more = {
    ...(said === undefined || said === null || said === stream ? {} : { said }),
    ...(options === undefined || options === null ? {} : { options }),
    ...(framing === null || framing === 'json' ? {} : { framing }),
  };
  const name = stream ? 'stream' : 'json';
  if (Object.keys(more).length === 0) return name;
  const text = formatCanonical(more);
  return `${name} ${text.length <= mostFormChars ? text : formatCanonical({ sha256: hash('sha256', text) })}`;
}

/** What is longer says more than any API has of a reply's form, and is kept as what it hashes to. */
const mostFormChars = 200;

/**
 * Members by which the same request may have another answer the next time. Source: the types of the npm packages `openai` 6.49
 * (`ResponseCreateParams`: `background`, `conversation`), `@anthropic-ai/sdk` 1.11 (`container`), `@google/genai` 2.32
 * (`Interaction`: `environment`, `environment_id`) and `@mistralai/mistralai` 2.7 (conversations, which the path may name and
 * which the provider keeps; each begun is another), read 2026-11-27.
 */
function findState(api: string, body: JsonObject): string | null {
  if (api === 'other') return 'its API makes jobs that are asked for later';
  if (body.background === true) return 'it is answered in the background';
  const isOpenaiConversation = api.startsWith('responses') && (body.conversation ?? null) !== null;
  if (isOpenaiConversation) return 'it goes on with a conversation the provider keeps';
  if (api === 'conversations') return 'it begins, or goes on with, a conversation the provider keeps';
  if (api === 'interactions' && (body.environment ?? body.environment_id ?? null) !== null) {
    return 'it goes on in an environment the provider keeps';
  }
  if (api === 'messages' && (body.container ?? null) !== null) return 'it goes on in a container the provider keeps';
  return null;
}

/** Lists longer than this, and objects with more members, are digested as a whole from there on. */
const mostParts = 64;
/** Members whose parts are told apart. */
const told = new Set([
  ...['messages', 'input', 'contents', 'system', 'tools', 'generationConfig', 'request', 'inferenceConfig'],
  ...['systemInstruction', 'toolConfig', 'reasoning', 'response_format', 'options', 'metadata', 'text'],
]);

function listBodyParts(body: JsonObject): Record<string, string> {
  const parts: Record<string, string> = {};
  for (const [name, value] of Object.entries(body).slice(0, mostParts)) {
    if (told.has(name) && Array.isArray(value)) addItems(parts, `body.${name}`, value);
    else if (told.has(name) && isObject(value)) addMembers(parts, `body.${name}`, value);
    else parts[`body.${shorten(name)}`] = digest(formatCanonical(value));
  }
  return parts;
}

function addItems(parts: Record<string, string>, name: string, items: readonly JsonValue[]): void {
  for (const [at, item] of items.slice(0, mostParts).entries()) parts[`${name}[${at}]`] = digest(formatCanonical(item));
  const rest = items.slice(mostParts);
  if (rest.length > 0) parts[`${name}[${mostParts}…]`] = digest(formatCanonical(rest));
}

function addMembers(parts: Record<string, string>, name: string, value: JsonObject): void {
  for (const [member, inner] of Object.entries(value).slice(0, mostParts)) {
    if (Array.isArray(inner) && told.has(member)) addItems(parts, `${name}.${member}`, inner);
    else parts[`${name}.${shorten(member)}`] = digest(formatCanonical(inner));
  }
}

/** A part is told by its name, of which nobody says how long it is. */
function shorten(name: string): string {
  return name.length <= mostNameChars ? name : `${name.slice(0, mostNameChars)}… ${digest(name)}`;
}

const mostNameChars = 100;

/** Short: it tells parts of two requests apart, and is no key. */
function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 10);
}

/** A key and its variant as one text: no key has a line break in it. */
export function makeKeyId({ key, variant }: CacheKey): string {
  return `${key}\n${variant}`;
}
