import { TrackerError } from '../core/errors.js';
import type { Origin, ProviderRegistration } from '../core/wire.js';

/** A registration whose values were checked. */
export interface CheckedRegistration {
  readonly name: string;
  readonly origin: Origin;
  /** Path that precedes the API's own, without a trailing slash; empty when there is none. */
  readonly prefix: string;
  readonly dialect: 'openai' | 'anthropic' | 'google';
  readonly pathPatterns: readonly string[];
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
export const DIALECTS = ['openai', 'anthropic', 'google'] as const;
const MAX_PATTERNS = 64;
const MAX_SHOWN_CHARS = 100;
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Checks what a user registers; throws `PROVIDER_INVALID` saying which value is wrong. */
export function readRegistration(registration: ProviderRegistration): CheckedRegistration {
  checkTypes(registration);
  const { name, baseUrl, pathPatterns = [] } = registration;
  const dialect = registration.dialect ?? 'openai';
  if (!NAME.test(name))
    throw refuse(
      `its name is ${quote(name)}`,
      'A name has 1 to 64 of a-z, 0-9, ".", "_" and "-", and begins with a letter or digit.',
    );
  if (!DIALECTS.includes(dialect))
    throw refuseOf(name, `its dialect is ${quote(dialect)}`, `Dialects are ${DIALECTS.join(', ')}.`);
  if (pathPatterns.length > MAX_PATTERNS)
    throw refuseOf(name, `it has ${pathPatterns.length} path patterns`, `At most ${MAX_PATTERNS} are allowed.`);
  for (const pattern of pathPatterns) checkPattern(name, pattern);
  const url = readBaseUrl(name, baseUrl);
  return { name, origin: readOrigin(url), prefix: url.pathname.replace(/\/+$/, ''), dialect, pathPatterns };
}

/** What a caller without types may have got wrong. */
function checkTypes(registration: unknown): void {
  const hint = 'Give at least { name, baseUrl }, both texts; pathPatterns is a list of texts.';
  if (typeof registration !== 'object' || registration === null) throw refuse('it is no object', hint);
  const { name, baseUrl, pathPatterns = [] } = registration as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string') throw refuse(`its name is ${typeof name}`, hint);
  if (typeof baseUrl !== 'string') throw refuseOf(name, `its base URL is ${typeof baseUrl}`, hint);
  if (!Array.isArray(pathPatterns) || !pathPatterns.every((pattern) => typeof pattern === 'string'))
    throw refuseOf(name, 'its path patterns are no list of texts', hint);
}

/** A text that is equal for origins that are the same place; `localhost`, `127.0.0.1` and `::1` are. */
export function makeOriginKey(origin: Origin): string {
  const host = makeHostName(origin.host);
  return `${origin.scheme}://${LOOPBACK_HOSTS.has(host) ? 'localhost' : host}:${origin.port}`;
}

/** A host name as compared: lower case, without a trailing dot and without brackets. */
export function makeHostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

function readBaseUrl(name: string, baseUrl: string): URL {
  const hint = 'Give scheme, host and port, for example http://localhost:11434 or https://llm.example/v1.';
  if (!URL.canParse(baseUrl)) throw refuseOf(name, `its base URL ${quote(hideUserInfo(baseUrl))} is no URL`, hint);
  const url = new URL(baseUrl);
  if (url.username !== '' || url.password !== '')
    throw refuseOf(name, 'its base URL has user info', 'Leave name and password out: the client sends its own key.');
  if (DEFAULT_PORTS[url.protocol] === undefined)
    throw refuseOf(
      name,
      `its base URL has the scheme ${quote(url.protocol)}`,
      'Only http: and https: can be registered.',
    );
  if (url.hostname.includes('*'))
    throw refuseOf(
      name,
      `its base URL has the wildcard host ${quote(url.hostname)}`,
      'Register each host by its name.',
    );
  if (url.search !== '' || url.hash !== '') throw refuseOf(name, 'its base URL has a query or fragment', hint);
  return url;
}

function readOrigin(url: URL): Origin {
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port);
  return { scheme: url.protocol === 'https:' ? 'https' : 'http', host: makeHostName(url.hostname), port };
}

function checkPattern(name: string, pattern: string): void {
  if (/^\/[^?#\s]+$/.test(pattern) && pattern.split('/').every((part) => part.indexOf('*') === part.lastIndexOf('*')))
    return;
  throw refuseOf(
    name,
    `its path pattern is ${quote(pattern)}`,
    'A pattern begins with "/", has no query, and at most one "*" in a segment.',
  );
}

/** The error of a registration whose name is not known or is wrong. */
export function refuse(found: string, hint: string): TrackerError {
  return new TrackerError('PROVIDER_INVALID', `Could not register a provider: ${found}.`, { hint });
}

export function refuseOf(name: string, found: string, hint: string): TrackerError {
  return new TrackerError('PROVIDER_INVALID', `Could not register the provider ${quote(name)}: ${found}.`, { hint });
}

export function quote(text: string): string {
  return JSON.stringify(text.slice(0, MAX_SHOWN_CHARS));
}

/** What stands before an `@` may be a password. */
function hideUserInfo(text: string): string {
  return text.replace(/^([^/@]*:?\/{0,2})[^/]*@/, '$1…@');
}
