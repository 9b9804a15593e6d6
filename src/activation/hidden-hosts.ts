import type { Origin } from '../core/wire.js';
import { findHiddenHosts } from './no-proxy.js';

/** Those a newcomer means; what the user registered counts besides. */
const wellKnownHosts = ['api.openai.com', 'api.anthropic.com', 'generativelanguage.googleapis.com'] as const;

/**
 * An entry of the user's `NO_PROXY` is kept, but one that hides a provider is the likeliest reason for calls that are not
 * seen: what is to be said of it, `undefined` when there is none.
 */
export function explainHiddenHosts(
  noProxy: string,
  registered: readonly Origin[],
): { readonly message: string; readonly hint: string } | undefined {
  const named = registered.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  const hosts = [...new Set([...wellKnownHosts, ...named])];
  const hidden = findHiddenHosts(noProxy, hosts);
  if (hidden.length === 0) return undefined;
  const entries = noProxy.split(',').filter((entry) => findHiddenHosts(entry, hosts).length > 0);
  return {
    message: `NO_PROXY has ${entries.join(', ')}: calls to ${hidden.join(', ')} go past the tap and are not seen.`,
    hint: `Take ${entries.length === 1 ? 'that entry' : 'those entries'} out, or run with NO_PROXY= no_proxy= before the command. Your own proxy, if you have one, is then asked for these hosts too: the tap itself keeps to NO_PROXY.`,
  };
}
