import type { Origin } from '../core/wire.js';

/** What every session keeps direct: local model servers nobody registered, MCP servers, an agent's own daemons. */
const loopbackNames = ['localhost', '127.0.0.1', '::1'] as const;

export interface NoProxyOptions {
  /** `NO_PROXY` and `no_proxy` as they were. */
  readonly previous: readonly (string | undefined)[];
  /** Origins of the models the user registered. */
  readonly registered: readonly Origin[];
}

/**
 * The list of hosts that stay direct: what the user listed in either letter case, and loopback.
 *
 * Loopback is left out, and taken out of the user's own list, when a registered model stands there: its calls are seen
 * only if they come through the proxy, and no client can except a port that it does not use. Ports the user excepted
 * (`localhost:3000`) stay, unless it is the model's. Nothing else of the user's list is touched; `*` stays alone,
 * because curl and Python know it only as the whole value.
 */
export function makeNoProxy(options: NoProxyOptions): string {
  const entries = options.previous.flatMap((list) => (list ?? '').split(/[\s,]+/)).filter((entry) => entry !== '');
  if (entries.includes('*')) return '*';
  const ports = options.registered.filter(({ host }) => isLoopback(host)).map(({ port }) => port);
  if (ports.length === 0) return [...new Set([...entries, ...loopbackNames])].join(',');
  return [...new Set(entries.filter((entry) => !hidesLoopback(entry, ports)))].join(',');
}

/** Whether a host name or address, in any spelling an entry may have, is this machine's own. */
export function isLoopback(host: string): boolean {
  return /^(\[?::1\]?|localhost|.+\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[?::\]?)$/i.test(host.replace(/(.)\.$/, '$1'));
}

function hidesLoopback(entry: string, ports: readonly number[]): boolean {
  const [, name = '', port] = /^(\[[^\]]*\](?:\/\d+)?|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const plain = name.replace(/^\*?\./, '').replace(/\/\d+$/, '');
  const isOurs = isLoopback(plain) || /^127(\.(\d+|\*))*\.?$/.test(plain);
  return isOurs && (port === undefined || ports.includes(Number(port)));
}
