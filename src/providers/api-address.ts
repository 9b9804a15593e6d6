import type { ApiAddress, Dialect, Origin } from '../core/wire.js';
import type { ProviderApi } from './provider-apis.js';

/** A provider as far as its addresses go. */
export interface AddressableProvider {
  readonly name: string;
  /** `null` where only the client knows its host: a resource's own, a region's. */
  readonly origin: Origin | null;
  readonly routes: readonly { readonly path: string; readonly api: ProviderApi | null }[];
}

export interface AskedApi {
  readonly dialect: Dialect;
  /** The model that is to be asked there, for a path that names it. */
  readonly model: string;
  /** Of a registered provider: its base URL's path. */
  readonly prefix: string;
}

/**
 * Where a provider serves the API of a dialect: the same API, with its model in the same place. Pure.
 *
 * `problem` fills "it cannot be sent there because …".
 */
export function findApiAddress(
  provider: AddressableProvider,
  asked: AskedApi,
): ApiAddress | { readonly problem: string } {
  const { name, origin, routes } = provider;
  const { dialect, model, prefix } = asked;
  const served = routes.filter(({ api }) => api !== null && isSameApi(api.dialect, dialect));
  if (served.length === 0 && routes.some(({ api }) => api?.dialect.api === dialect.api)) {
    const only = "only from Anthropic's to Amazon Bedrock's and Vertex AI's is a call put in another";
    return { problem: `${name} takes ${dialect.api} in another form than that of the call, and ${only}` };
  }
  if (served.length === 0) {
    return { problem: `${name} does not serve ${dialect.api}, and calls are not translated into another API` };
  }
  const paths = served.map(({ path, api }) => ({ path: fillIn(path, model), api }));
  const found = paths.find(({ path }) => path !== null && isVersionedOnce(path, prefix));
  if (origin === null || found?.api == null || found.path === null) {
    return { problem: `where ${name} is depends on the account: register it as a provider of your own, by its URL` };
  }
  const { path, api } = found;
  const canAskForStreamUsage = api.canAskForStreamUsage?.(path) ?? false;
  return { origin, path, match: { provider: name, dialect: api.dialect, canAskForStreamUsage } };
}

/** The same API, its model in the same place. */
export function isSameApi(one: Dialect, other: Dialect): boolean {
  return one.api === other.api && one.api !== 'other' && one.withModel === other.withModel;
}

/** A path that names the model with it in; `null` for one that names what nobody here knows. */
function fillIn(path: string, model: string): string | null {
  if (!path.includes('*')) return path;
  const parts = path.split('*');
  return parts.length === 2 && parts[0]?.endsWith('/models/') ? parts.join(encodeURIComponent(model)) : null;
}

/** A base URL that ends with a version has it once: `/v1` and `/v1/chat/completions` are not put together. */
function isVersionedOnce(path: string, prefix: string): boolean {
  if (!/\/v\d+(?:beta|alpha)?\d*$/.test(prefix)) return true;
  return !/^\/v\d/.test(path.slice(prefix.length));
}
