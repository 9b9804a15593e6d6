import type { RawHeaders } from '../core/wire.js';
import { LiteralMatcher } from './secrets-matcher.js';
import { isSecretAssignment, isSecretHeader, isSecretParameter } from './secrets-names.js';

/** The secrets of one exchange, ready to be searched for in every form they may take. */
export interface SecretSet {
  readonly matchers: readonly LiteralMatcher[];
}

export interface SecretSources {
  readonly requestHeaders: RawHeaders;
  readonly responseHeaders?: RawHeaders;
  /** As sent, query and userinfo included. */
  readonly url: string;
  /** What `collectAmbientSecrets` found; the same array each time, for its search tables are kept by identity. */
  readonly ambient?: readonly string[];
}

/** Shorter values are not searched for: too much else would be taken for them. */
const minLength = 6;
const minAmbientLength = 8;
/** More than any exchange carries; a bound all the same. */
const maxSecrets = 256;

/** What people put where a key is asked for and none is needed (vLLM, ollama, LM Studio): words, not secrets. */
const placeholders = new Set([
  ...[
    'ollama',
    'lm-studio',
    'lmstudio',
    'not-needed',
    'notneeded',
    'no-key',
    'no-key-required',
    'none-needed',
    'dummy-key',
  ],
  ...[
    'placeholder',
    'unused',
    'anything',
    'bearer',
    'apikey',
    'api-key',
    'api_key',
    'username',
    'anonymous',
    'default',
  ],
  ...[
    'sk-no-key-required',
    'localhost',
    'local-model',
    'undefined',
    'vllm-key',
    'change-me',
    'openai',
    'anthropic',
    'gemini',
  ],
  ...['google', 'secret', 'password', 'token', 'string', 'required', 'disabled', 'enabled'],
]);

/** Collects what one exchange shows of secrets in its headers and URL, with those of the environment. Pure. */
export function collectSecrets(sources: SecretSources): SecretSet {
  const asked = new Set<string>();
  addHeaders(asked, sources.requestHeaders);
  addUrl(asked, sources.url);
  const answered = new Set<string>();
  addHeaders(answered, sources.responseHeaders ?? []);
  const matchers: LiteralMatcher[] = [];
  // An agent's calls carry the same key each time, while cookies come anew with each answer.
  for (const found of [asked, answered]) {
    const own = [...found].filter(isWorthSearching).slice(0, maxSecrets);
    if (own.length > 0) matchers.push(findOrMakeMatcher(own));
  }
  if (sources.ambient !== undefined && sources.ambient.length > 0) matchers.push(makeAmbientMatcher(sources.ambient));
  return { matchers };
}

function addHeaders(found: Set<string>, headers: RawHeaders): void {
  for (let i = 0; i + 1 < headers.length; i += 2) addHeader(found, headers[i] ?? '', headers[i + 1] ?? '');
}

const maxKeptMatchers = 32;
/** Search tables of the sets seen last, the oldest first: making one costs as much as searching 50 KB. */
const keptMatchers = new Map<string, LiteralMatcher>();

function findOrMakeMatcher(secrets: readonly string[]): LiteralMatcher {
  const key = secrets.join('\n');
  const known = keptMatchers.get(key);
  if (known !== undefined) return known;
  const matcher = new LiteralMatcher(secrets.flatMap(makeForms));
  const [oldest] = keptMatchers.keys();
  if (keptMatchers.size >= maxKeptMatchers && oldest !== undefined) keptMatchers.delete(oldest);
  if (key.length <= 16 * 1024) keptMatchers.set(key, matcher);
  return matcher;
}

/** The secrets of the environment alone. */
export function makeAmbientSet(ambient: readonly string[]): SecretSet {
  return { matchers: ambient.length === 0 ? [] : [makeAmbientMatcher(ambient)] };
}

/** The values of the environment variables that are named as secrets are, and the passwords in URLs among the rest. */
export function collectAmbientSecrets(env: Readonly<Record<string, string | undefined>>): string[] {
  const found = new Set<string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (isSecretAssignment(name, value)) found.add(value.trim());
    else if (value.includes('://')) addUserInfo(found, value);
  }
  return [...found].filter((value) => value.length >= minAmbientLength && isWorthSearching(value)).slice(0, maxSecrets);
}

function isWorthSearching(value: string): boolean {
  if (value.length < minLength || placeholders.has(value.toLowerCase())) return false;
  if (/^[\d.,:+\-TZ ]+$/.test(value)) return false;
  if (/^(?:true|false|null|undefined)$/i.test(value)) return false;
  return !/^(?:\/|\.\.?\/|~\/|[A-Za-z]:\\)[^\s=+]*$/.test(value);
}

function addHeader(found: Set<string>, name: string, value: string): void {
  const plain = name.toLowerCase();
  if (plain === 'sec-websocket-protocol') return addProtocols(found, value);
  if (!isSecretHeader(name)) return;
  if (plain === 'cookie') for (const part of value.split(';')) addPair(found, part);
  else if (plain === 'set-cookie') addPair(found, value.split(';', 1)[0] ?? '');
  else if (plain.endsWith('authorization')) addAuthorization(found, value);
  if (plain !== 'set-cookie') found.add(value.trim());
}

/** `openai-insecure-api-key.KEY`, of which browsers make a protocol: npm `openai` 6.49, `realtime/websocket.js` (read 2026-11-27). */
function addProtocols(found: Set<string>, value: string): void {
  for (const [, key = ''] of value.matchAll(/(?:key|token)\.([^\s,]+)/g)) found.add(key);
}

function addPair(found: Set<string>, pair: string): void {
  const value = pair.slice(pair.indexOf('=') + 1).trim();
  found.add(value.replace(/^"(.*)"$/, '$1'));
}

/** RFC 9110, 11.4: a scheme, then a token or parameters. */
function addAuthorization(found: Set<string>, value: string): void {
  const space = value.indexOf(' ');
  const token = value.slice(space + 1).trim();
  found.add(token);
  if (/^basic /i.test(value)) {
    const decoded = Buffer.from(token, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon >= 0) found.add(decoded.slice(0, colon)).add(decoded.slice(colon + 1));
    found.add(decoded);
  }
  // AWS signature version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html, read 2026-11-21
  for (const [, part = ''] of token.matchAll(/(?:Credential|Signature)=([^/,\s]{8,512})/g)) found.add(part);
}

function addUrl(found: Set<string>, url: string): void {
  addUserInfo(found, url);
  const query = url.indexOf('?');
  if (query < 0) return;
  for (const pair of (url.slice(query + 1).split('#', 1)[0] ?? '').split('&')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && isSecretParameter(decode(pair.slice(0, equals)))) {
      found.add(pair.slice(equals + 1)).add(decode(pair.slice(equals + 1)));
    }
  }
}

function addUserInfo(found: Set<string>, url: string): void {
  const [, userInfo = ''] = /^[a-z][a-z0-9+.-]{0,30}:\/\/([^/?#@\s]{1,1024})@/i.exec(url) ?? [];
  const colon = userInfo.indexOf(':');
  if (colon >= 0) found.add(userInfo.slice(colon + 1)).add(decode(userInfo.slice(colon + 1)));
  else if (userInfo.length >= 16) found.add(userInfo);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // Not percent-encoded after all: then it is what it says.
    return text;
  }
}

const ambientMatchers = new WeakMap<readonly string[], LiteralMatcher>();

function makeAmbientMatcher(ambient: readonly string[]): LiteralMatcher {
  const known = ambientMatchers.get(ambient);
  if (known !== undefined) return known;
  const matcher = new LiteralMatcher(ambient.filter(isWorthSearching).flatMap(makeForms));
  ambientMatchers.set(ambient, matcher);
  return matcher;
}

/** A secret as it may stand in a text: plain, in JSON, in a URL, within base64 at any of its three alignments. */
function makeForms(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const forms = new Set([secret, json, json.replaceAll('/', '\\/'), JSON.stringify(json).slice(1, -1)]);
  // A lone surrogate has no percent-encoded form.
  const url = encodeURIComponent(Buffer.from(secret, 'utf8').toString('utf8'));
  forms.add(url).add(url.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()));
  for (const offset of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret, 'utf8')]);
    const stable = Math.floor((bytes.length * 8) / 6);
    const core = bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), stable);
    if (core.length < 8) continue;
    forms.add(core).add(core.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return [...forms];
}
