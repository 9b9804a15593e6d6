import type { DoorAddress } from '../core/scope.js';

/** Whether a server there listens on every address of the machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/**
 * The proxy URL of a door, with its credentials when it asks for some.
 *
 * @param host as the client knows it; the door's own when absent, and loopback for a door that listens everywhere
 */
export function makeDoorUrl(door: DoorAddress, host: string = makeReachable(door.host)): string {
  const [, login] = /^Basic (.+)$/i.exec(door.authorization ?? '') ?? [];
  const url = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${door.port}`);
  if (login !== undefined) {
    const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(Buffer.from(login, 'base64').toString('utf8')) ?? [];
    url.username = encodeURIComponent(user);
    url.password = encodeURIComponent(password);
  }
  // A URL's own text ends in a slash, which some clients do not take in a proxy's.
  const { protocol, username, password, hostname } = url;
  const userinfo = login === undefined ? '' : `${username}:${password}@`;
  return `${protocol}//${userinfo}${hostname}:${door.port}`;
}

function makeReachable(host: string): string {
  if (!isWildcard(host)) return host;
  return host === '::' ? '::1' : '127.0.0.1';
}
