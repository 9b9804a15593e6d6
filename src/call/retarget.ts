import type { ApiAddress, RawHeaders, RequestHead } from '../core/wire.js';
import { isSecretHeader, isSecretParameter } from './secrets-names.js';

/** Headers that say whose account a call is of, besides those that log in. */
const accountHeaders: ReadonlySet<string> = new Set([
  ...['openai-organization', 'openai-project', 'chatgpt-account-id', 'x-goog-user-project'],
]);

/** The same in a query: https://cloud.google.com/apis/docs/system-parameters (read 2026-11-28). */
const accountParameters: ReadonlySet<string> = new Set(['userProject', '$userProject', '%24userProject', 'quotaUser']);

export interface Retargeting {
  readonly head: RequestHead;
  readonly address: ApiAddress;
  readonly apiKey: string | null;
  /** Whether the call stays with its provider. */
  readonly stays?: boolean;
}

/**
 * The head of a request as another provider gets it: its host and path, the client's credentials taken out of headers and
 * query, and those of that provider put in. All other headers stay.
 */
export function retarget({ head, address, apiKey, stays = false }: Retargeting): RequestHead {
  const { origin, path, match } = address;
  const rawHeaders: string[] = [];
  for (let i = 0; i + 1 < head.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = head.rawHeaders.slice(i, i + 2);
    const plain = name.toLowerCase();
    if (plain === 'host') rawHeaders.push(name, makeHostHeader(address));
    else if (!isSecretHeader(name) && (stays || !accountHeaders.has(plain))) rawHeaders.push(name, value);
  }
  if (apiKey !== null)
    rawHeaders.push(...makeLogin(match.provider, { api: match.dialect.api, host: origin.host, apiKey }));
  const query = keepQuery(head.path, { stays, isCrossed: address.crossing !== undefined });
  return { method: head.method, origin, path: `${path}${query}`, rawHeaders };
}

/** The same head with another key, for a call that stays where it is. */
export function relogin(head: RequestHead, match: ApiAddress['match'], apiKey: string): RequestHead {
  return retarget({ head, address: { origin: head.origin, path: barePath(head.path), match }, apiKey, stays: true });
}

function barePath(path: string): string {
  return path.split('?', 1)[0] ?? path;
}

function makeHostHeader({ origin: { scheme, host, port } }: ApiAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}

/**
 * How each API is logged in to: OpenAI's and Bedrock's by `Authorization: Bearer`, Anthropic's by `x-api-key`, Google's by
 * `x-goog-api-key`. Others that serve Anthropic's take the one or the other, and get both; Azure a key or a token, Vertex AI a
 * token. Sources: https://platform.openai.com/docs/api-reference/authentication, https://docs.claude.com/en/api/overview,
 * https://ai.google.dev/api/all-methods, https://openrouter.ai/docs,
 * https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html, the npm packages `@anthropic-ai/foundry-sdk` 1.1.1 and
 * `@anthropic-ai/vertex-sdk` 1.1.3 (read 2026-11-27).
 */
function makeLogin(
  provider: string,
  { api, host, apiKey }: { readonly api: string; readonly host: string; readonly apiKey: string },
): RawHeaders {
  const bearer = ['authorization', `Bearer ${apiKey}`];
  if (api === 'messages' || api === 'complete') {
    if (provider === 'google-vertex') return bearer;
    const isAzure = host.endsWith('.services.ai.azure.com');
    if (isAzure && isToken(apiKey)) return bearer;
    return provider === 'anthropic' || isAzure ? ['x-api-key', apiKey] : ['x-api-key', apiKey, ...bearer];
  }
  if (provider === 'azure-openai') return ['api-key', apiKey];
  if (!/(?:generate|embed)Content|batchEmbedContents/i.test(api)) return bearer;
  // Vertex AI is logged in to by a token of OAuth, in express mode by a key.
  return provider === 'google-vertex' && apiKey.startsWith('ya29.') ? bearer : ['x-goog-api-key', apiKey];
}

/** A JSON Web Token, as Microsoft's Entra gives them. */
function isToken(apiKey: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\./.test(apiKey);
}

/**
 * What the query says but for keys, for whose account it is, and for the version of Azure's API, which is nobody else's;
 * `beta=true` of Anthropic's means nothing in a form of another's.
 */
function keepQuery(
  path: string,
  { stays, isCrossed }: { readonly stays: boolean; readonly isCrossed: boolean },
): string {
  const at = path.indexOf('?');
  if (at === -1) return '';
  const kept = path
    .slice(at + 1)
    .split('&')
    .filter((pair) => {
      const name = pair.split('=', 1)[0] ?? '';
      const belongsThere = name === 'api-version' || accountParameters.has(name);
      const isOthers = (!stays && belongsThere) || (isCrossed && name === 'beta');
      return name !== '' && !isOthers && !isSecretParameter(name);
    });
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}
