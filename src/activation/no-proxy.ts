import { BlockList, isIP } from 'node:net';
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

/**
 * Finds which hosts a `NO_PROXY` keeps direct, so that their calls are never seen. As the clients read it that read most
 * into it: a name means itself and what is below it, `*` at its beginning any beginning, a prefix length a subnet.
 *
 * @param hosts each with `:port` behind it unless that is 443; IPv6 with a port in brackets
 *
 * @example
 * findHiddenHosts('.openai.com,localhost', ['api.openai.com', 'gpu.corp:8080']) // ['api.openai.com']
 */
export function findHiddenHosts(noProxy: string, hosts: readonly string[]): readonly string[] {
  const entries = noProxy.split(/[\s,]+/).filter((entry) => entry !== '');
  return hosts.filter((host) => {
    const [name, port] = splitPort(host);
    return entries.some((entry) => isHiddenBy(entry, makePlain(name), port ?? '443'));
  });
}

function isHiddenBy(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [name, entryPort] = splitPort(entry);
  if (entryPort !== undefined && entryPort !== port) return false;
  const [address = '', prefix] = name.split('/');
  const plain = makePlain(address);
  if (prefix !== undefined) return isInSubnet(host, plain, Number(prefix));
  if (/^\*[^.]/.test(plain)) return host.endsWith(plain.slice(1));
  const above = plain.replace(/^\*?\./, '');
  return above !== '' && (host === above || (isIP(host) === 0 && host.endsWith(`.${above}`)));
}

function isInSubnet(host: string, network: string, prefix: number): boolean {
  const family = isIP(host);
  if (family === 0 || family !== isIP(network) || !(prefix >= 0 && prefix <= (family === 4 ? 32 : 128))) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(network, prefix, type);
  return list.check(host, type);
}

/** A name, an address or a subnet, and the port behind it; an IPv6 address with a port stands in brackets. */
function splitPort(entry: string): readonly [name: string, port: string | undefined] {
  const [, name = '', port] = /^(\[[^\]]*\](?:\/\d+)?|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
  return [name, port];
}

/** As it is compared: lower case, no brackets, no trailing dot. */
function makePlain(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/(.)\.$/, '$1');
}

/** Whether a host name or address, in any spelling an entry may have, is this machine's own. */
export function isLoopback(host: string): boolean {
  return /^(\[?::1\]?|localhost|.+\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[?::\]?)$/i.test(host.replace(/(.)\.$/, '$1'));
}

function hidesLoopback(entry: string, ports: readonly number[]): boolean {
  const [name, port] = splitPort(entry);
  const plain = name.replace(/^\*?\./, '').replace(/\/\d+$/, '');
  const isOurs = isLoopback(plain) || /^127(\.(\d+|\*))*\.?$/.test(plain);
  return isOurs && (port === undefined || ports.includes(Number(port)));
}
