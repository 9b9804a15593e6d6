import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import type { Origin, RawHeaders, RequestHead } from '../core/wire.js';
import { readAuthority } from './authority-form.js';
import type { Destination } from './connector.js';

/** Where one request goes, and what it asks for there. */
export interface RequestTarget {
  readonly destination: Destination;
  /** Path and query, as sent. */
  readonly path: string;
}

/**
 * Reads a request's target: inside a tunnel the tunnel's destination holds, whatever the Host header says; on
 * the proxy port itself only an absolute URL says where to. `undefined` when nothing does.
 */
export function readTarget(request: IncomingMessage, destination: Destination | null): RequestTarget | undefined {
  const url = request.url ?? '';
  const absolute = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(url);
  if (destination !== null) {
    const path = absolute === null ? url : ensurePath(absolute[3] ?? '');
    return { destination, path };
  }
  if (absolute === null) return undefined;
  const scheme = absolute[1]?.toLowerCase() === 'https' ? 'https' : 'http';
  // Credentials in a URL are the client's business with the server; they do not say where it is.
  const authority = (absolute[2] ?? '').replace(/^.*@/, '');
  const address = readAuthority(authority, scheme === 'https' ? 443 : 80);
  if (address === undefined) return undefined;
  const origin = { scheme, ...address } as const;
  return { destination: { origin, serverName: address.host }, path: ensurePath(absolute[3] ?? '') };
}

function ensurePath(pathAndQuery: string): string {
  return pathAndQuery.startsWith('/') ? pathAndQuery : `/${pathAndQuery}`;
}

/** The head by which a request is recognised. */
export function makeRequestHead(
  request: { readonly method?: string | undefined; readonly rawHeaders: RawHeaders },
  target: RequestTarget,
): RequestHead {
  return {
    origin: findNamedOrigin(target.destination),
    method: request.method ?? 'GET',
    path: target.path,
    rawHeaders: request.rawHeaders,
  };
}

/** Whose the call is: the target's name, or for a bare address the name TLS asked for. */
function findNamedOrigin({ origin, serverName }: Destination): Origin {
  return net.isIP(origin.host) !== 0 && net.isIP(serverName) === 0 ? { ...origin, host: serverName } : origin;
}
