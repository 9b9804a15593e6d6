import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SocketWatch } from '../core/socket.js';
import type { Connector, Destination } from './connector.js';
import type { Door } from './door.js';
import { explainUpstreamError } from './explain-upstream-error.js';
import { GateStages } from './gate-stages.js';
import { cutAsProvider } from './http1-client.js';
import { joinSockets } from './tunnel.js';
import { RefusalWatch } from './upgrade-refusal.js';
import { SocketCopies } from './watch-socket.js';

export interface UpgradeOptions {
  readonly request: IncomingMessage;
  readonly client: Socket;
  /** Bytes behind the request's head. */
  readonly head: Buffer;
  readonly path: string;
  readonly destination: Destination;
  readonly connector: Connector;
  /** A connection that was opened for this client already, if there is one. */
  readonly takeSpare?: () => Socket | undefined;
  readonly door: Door;
  /** Its client is this process itself, and meets a provider's failure as it would without us. */
  readonly isInProcess: boolean;
  /** Reads a copy of what passes; `null` where nobody does. */
  readonly watch: SocketWatch | null;
  /** The provider's end, where it is there already; a connection is opened when absent. */
  readonly far?: Duplex;
  /** The provider said no, the client has its answer, and the connection is open for further requests. */
  readonly onRefused: () => void;
}

/**
 * Relays a protocol upgrade untouched: the client gets 101, or the refusal, from the provider itself, byte for
 * byte, and then whatever follows. It never hears 101 before the provider said so.
 */
export async function relayUpgrade(options: UpgradeOptions): Promise<void> {
  const { request, client, destination, door } = options;
  door.count('upgrades');
  client.pause();
  const { watch } = options;
  const finding = watch?.findPath?.() ?? null;
  const path = (finding instanceof Promise ? await finding : finding) ?? options.path;
  let far: Duplex;
  try {
    far = options.far ?? (await dial(options));
  } catch (error) {
    if (options.isInProcess) return cutAsProvider(door.findRoot(client), error);
    const problem = explainUpstreamError(error, destination.origin);
    const text = `${JSON.stringify({ error: { type: 'llmtap_upstream_error', ...problem } })}\n`;
    client.end(
      `HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
    );
    return;
  }
  if (client.destroyed) {
    far.on('error', () => undefined);
    far.destroy();
    return;
  }
  const { head } = options;
  far.write(formatHead(request, path), 'latin1');
  const stages = watch?.gate === undefined ? undefined : new GateStages(watch.gate, client);
  if (head.length > 0 && stages !== undefined) client.unshift(head);
  else if (head.length > 0) far.write(head);
  let copies: SocketCopies | null = null;
  const onGiven = (to: 'client' | 'far', chunk: Buffer): void => copies?.noteGiven(to, chunk);
  const part = joinSockets(client, far, watch === null ? undefined : onGiven, stages);
  if (watch !== null) copies = new SocketCopies({ client, far, head, watch, origin: destination.origin, door });
  const refusal = new RefusalWatch(
    () => {
      copies?.stop();
      part();
      options.onRefused();
    },
    (reply, rest) => {
      copies?.open(reply, rest);
      stages?.open(rest);
    },
  );
  far.on('data', (chunk: Buffer) => {
    copies?.takeFromProvider(chunk);
    refusal.write(chunk);
  });
}

async function dial({ destination, connector, door, takeSpare }: UpgradeOptions): Promise<Socket> {
  const isSecure = destination.origin.scheme === 'https';
  const far = isSecure
    ? (takeSpare?.() ?? (await connector.openTls(destination)))
    : await connector.openTcp(destination.origin);
  door.track(far);
  return far;
}

/** The request's head as it came, but for the path of an absolute form and what was meant for the proxy. */
function formatHead(request: IncomingMessage, path: string): string {
  const lines = [`${request.method} ${path} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!name.toLowerCase().startsWith('proxy-')) lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const upgradeHeaders = new Set(['upgrade', 'http2-settings', 'connection', 'proxy-connection', 'proxy-authorization']);

/**
 * The head of a request that offers an upgrade nobody takes here (`h2c`), as the same request without the offer,
 * to be served as an ordinary one. Source: RFC 9110 section 7.8: a server may ignore it (read 2026-11-21).
 */
export function formatWithoutUpgrade(request: IncomingMessage): string {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!upgradeHeaders.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[i + 1]}`);
    // Its client waits for the end of the connection all the same.
    else if (/^connection$/i.test(name) && /(?:^|,)\s*close\s*(?:,|$)/i.test(rawHeaders[i + 1] ?? ''))
      lines.push('Connection: close');
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
