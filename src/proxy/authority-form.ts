/** A host and port as CONNECT and `Host` write them. */
export interface HostAndPort {
  /** Lower case, no trailing dot, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port`, `[v6]:port` or a bare host with `defaultPort`. `undefined` when it is no authority.
 *
 * @example
 * readAuthority('[::1]:443', 443) // { host: '::1', port: 443 }
 */
export function readAuthority(text: string, defaultPort: number): HostAndPort | undefined {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]@/?#\s]+))(?::(\d{1,5}))?$/i.exec(text);
  if (match === null) return undefined;
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (port < 1 || port > 65535) return undefined;
  const host = normaliseHost(match[1] ?? match[2] ?? '');
  return host === '' ? undefined : { host, port };
}

/** Lower case, without brackets and the root's trailing dot. */
export function normaliseHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}

/** Writes the authority back, IPv6 in brackets. */
export function formatAuthority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
