import net from 'node:net';
import { TrackerError } from '../core/errors.js';
import type { Origin } from '../core/wire.js';
import { formatAuthority, normaliseHost } from './authority-form.js';

/** A proxy of the user's own, between us and the world. */
export interface UpstreamProxy {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Value for `Proxy-Authorization`; never shown. */
  readonly authorization: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Chooses, per destination, the proxy the user's own environment asks for. */
export interface UpstreamProxyChoice {
  findProxy(origin: Origin): UpstreamProxy | undefined;
}

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, lower case first as curl does. Throws
 * `PROXY_UNSUPPORTED` for a proxy that cannot be chained to: going round it silently would be worse.
 */
export function readUpstreamProxies(env: Environment): UpstreamProxyChoice {
  const pick = (name: string): string | undefined => env[name.toLowerCase()] || env[name.toUpperCase()] || undefined;
  const all = pick('all_proxy');
  const https = readProxyUrl('HTTPS_PROXY', pick('https_proxy') ?? all);
  const http = readProxyUrl('HTTP_PROXY', pick('http_proxy') ?? all);
  const exceptions = readNoProxy(pick('no_proxy') ?? '');
  return {
    findProxy: (origin) => {
      const proxy = origin.scheme === 'https' ? https : http;
      if (proxy === undefined || exceptions.some((isException) => isException(origin))) return undefined;
      return proxy;
    },
  };
}

function readProxyUrl(name: string, text: string | undefined): UpstreamProxy | undefined {
  if (text === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(text.includes('://') ? text : `http://${text}`);
  } catch {
    // The value may hold a password: it is not repeated.
    throw new TrackerError('PROXY_UNSUPPORTED', `Could not read the proxy in ${name}: it is not a URL.`, {
      hint: `Set ${name} to http://host:port, or unset it.`,
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TrackerError(
      'PROXY_UNSUPPORTED',
      `${name} names a ${url.protocol.replace(':', '')} proxy, which cannot be chained to.`,
      {
        hint: `Only http:// and https:// proxies can. Point ${name} at one of those, or unset it if the network allows.`,
      },
    );
  }
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  return {
    scheme,
    host: normaliseHost(url.hostname),
    port: url.port === '' ? (scheme === 'http' ? 80 : 443) : Number(url.port),
    authorization: readAuthorization(url),
  };
}

function readAuthorization(url: URL): string | null {
  if (url.username === '' && url.password === '') return null;
  const pair = `${decodePercents(url.username)}:${decodePercents(url.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** A password with a bare `%` in it is taken as it stands, as curl does. */
function decodePercents(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Names match themselves and what is below them; `*` is everything; a port narrows; `10.0.0.0/8` is a network. */
function readNoProxy(text: string): ((origin: Origin) => boolean)[] {
  return text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      if (entry === '*') return () => true;
      const network = readNetwork(entry);
      if (network !== undefined)
        return (origin) => net.isIP(origin.host) !== 0 && network.check(origin.host, familyOf(origin.host));
      const match = /^(.*?)(?::(\d+))?$/.exec(/^[^[]*:[^\]]*:/.test(entry) ? `[${entry}]` : entry);
      const name = normaliseHost(match?.[1] ?? entry).replace(/^\*?\./, '');
      const port = match?.[2] === undefined ? null : Number(match[2]);
      return (origin) =>
        (port === null || port === origin.port) && (origin.host === name || origin.host.endsWith(`.${name}`));
    });
}

function readNetwork(entry: string): net.BlockList | undefined {
  const match = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(entry);
  const address = match?.[1] ?? '';
  const prefix = Number(match?.[2]);
  if (net.isIP(address) === 0 || prefix > (net.isIPv4(address) ? 32 : 128)) return undefined;
  const network = new net.BlockList();
  network.addSubnet(address, prefix, familyOf(address));
  return network;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return net.isIPv4(address) ? 'ipv4' : 'ipv6';
}

/** Which proxy, for a sentence a person reads. */
export function describeProxy(proxy: UpstreamProxy): string {
  return `${proxy.scheme}://${formatAuthority(proxy.host, proxy.port)}`;
}
