import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import {
  alpnHeader,
  type ConnectStep,
  clientHeader,
  clientInProcess,
  describeConnectStep,
  describeUpstreamError,
  errorHeader,
  type InProcessRequest,
  readHeaderValue,
  requestHeader,
  stepHeader,
  tlsHeader,
  writeHeaderValue,
} from '../core/in-process.js';
import { chooseProtocol, type ServedProtocol } from './alpn.js';
import { isLoopback } from './connector.js';
import { makeTlsProfile, readInProcessTls, type TlsProfile } from './tls-profile.js';

/** What a client in the tap's own process says in its CONNECT. */
export interface InProcessClient {
  /** How it wants the provider's TLS; `null` for the usual way. */
  readonly profile: TlsProfile | null;
  /** The server's name where it is not the host's. */
  readonly serverName: string | null;
  /** For which request it connects, when it knows. */
  readonly request: InProcessRequest | null;
  /** Whether it hears of the way to the provider, by interim replies. */
  readonly wantsSteps: boolean;
  /** What is spoken with it; `undefined` where it offers nothing that is served. */
  readonly protocol: ServedProtocol | undefined;
}

/**
 * Reads a CONNECT's headers; `null` for any other client, `undefined` when they are malformed. Heeded from this machine
 * alone: they carry keys, and say how a provider is to be trusted.
 */
export function readInProcessClient(request: IncomingMessage, socket: Socket): InProcessClient | null | undefined {
  const { headers } = request;
  if (headers[clientHeader] !== clientInProcess || !isFromHere(socket)) return null;
  const tls = headers[tlsHeader] === undefined ? {} : readInProcessTls(readHeaderValue(String(headers[tlsHeader])));
  const asked = readValue(headers[requestHeader]);
  const alpn = readValue(headers[alpnHeader]);
  if (tls === undefined || !isRequest(asked) || !isAlpn(alpn)) return undefined;
  return {
    profile: makeTlsProfile(tls),
    serverName: tls.servername ?? null,
    request: asked,
    wantsSteps: headers[stepHeader] !== undefined,
    protocol: chooseProtocol(alpn),
  };
}

/** The answer to a CONNECT that such a client meets as the provider's own failure. */
export function formatUpstreamError(error: unknown): string {
  const described = writeHeaderValue(describeUpstreamError(error));
  return `HTTP/1.1 502 Bad Gateway\r\n${errorHeader}: ${described}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
}

/** What such a client hears meanwhile of the way to the provider. */
export function formatConnectStep(step: ConnectStep): string {
  return `HTTP/1.1 102 Processing\r\n${stepHeader}: ${writeHeaderValue(describeConnectStep(step))}\r\n\r\n`;
}

/** By loopback, or by another address of the machine's own, where a door listens there for containers. */
function isFromHere({ remoteAddress, localAddress }: Socket): boolean {
  if (remoteAddress === undefined) return false;
  return isLoopback(remoteAddress.replace(/^::ffff:/, '')) || remoteAddress === localAddress;
}

function readValue(text: string | string[] | undefined): unknown {
  return text === undefined ? null : readHeaderValue(String(text));
}

function isRequest(value: unknown): value is InProcessRequest | null {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const { method, path } = value as Readonly<Record<string, unknown>>;
  return typeof method === 'string' && typeof path === 'string';
}

function isAlpn(value: unknown): value is readonly string[] | null {
  return value === null || (Array.isArray(value) && value.every((name) => typeof name === 'string'));
}
