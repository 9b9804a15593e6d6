import {
  alpnHeader,
  type ConnectStep,
  clientHeader,
  clientInProcess,
  errorHeader,
  type InProcessTls,
  makeConnectStep,
  makeUpstreamError,
  readHeaderValue,
  requestHeader,
  stepHeader,
  tlsHeader,
  writeHeaderValue,
} from '../../core/in-process.js';
import type { OpeningRequest } from './marks.js';
import { readAlpn } from './trust.js';

type Options = Readonly<Record<string, unknown>>;

/** The lines of a CONNECT that let the door reach the provider as this caller would. */
export function makeConnectHeaders(
  options: Options,
  host: string,
  request: OpeningRequest | undefined,
): readonly string[] {
  const tls = readCallersTls(options, host);
  const alpn = readAlpn(options.ALPNProtocols);
  return [
    `${clientHeader}: ${clientInProcess}`,
    `${stepHeader}: wanted`,
    ...(Object.keys(tls).length > 0 ? [`${tlsHeader}: ${writeHeaderValue(tls)}`] : []),
    ...(alpn === undefined ? [] : [`${alpnHeader}: ${writeHeaderValue(alpn)}`]),
    ...(request === undefined ? [] : [`${requestHeader}: ${writeHeaderValue(request)}`]),
  ];
}

/** What a door that could not reach the provider says of it; `undefined` for any other reply. */
export function readUpstreamError(reply: string): Error | undefined {
  return makeUpstreamError(findHeader(reply, errorHeader));
}

/** What an interim reply of a door says of its way to the provider, as this caller would have heard it of its own. */
export function readConnectStep(reply: string, host: string): ConnectStep | undefined {
  return makeConnectStep(findHeader(reply, stepHeader), host);
}

function findHeader(reply: string, name: string): unknown {
  for (const line of reply.split('\r\n')) {
    const colon = line.indexOf(':');
    if (line.slice(0, colon).toLowerCase() === name) return readHeaderValue(line.slice(colon + 1).trim());
  }
  return undefined;
}

/** What the caller himself asks of TLS; agents always name the server, so its name counts only when it is another. */
function readCallersTls(options: Options, host: string): InProcessTls {
  const { servername } = options;
  const pems = (name: string): readonly string[] => listParts(options[name], 'pem').map((part) => part.toString());
  const certificates = ['ca', 'cert', 'key'].map((name) => [name, pems(name)] as const);
  const pfx = listParts(options.pfx, 'buf').map((part) => Buffer.from(part).toString('base64'));
  const words = ['minVersion', 'maxVersion', 'ciphers'].flatMap((name) => {
    const value = options[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  const passphrase = findPassphrase(options);
  return {
    ...Object.fromEntries(certificates.filter(([, parts]) => parts.length > 0)),
    ...(pfx.length > 0 && { pfx }),
    ...Object.fromEntries(words),
    ...(passphrase !== undefined && { passphrase }),
    ...(typeof servername === 'string' && servername !== '' && servername !== host && { servername }),
    ...(acceptsAnyServer(options) && { rejectUnauthorized: false }),
  };
}

/** As Node reads it when the option is absent: lib/_tls_wrap.js, `getAllowUnauthorized` (measured, Node 20.20). */
function acceptsAnyServer({ rejectUnauthorized }: Options): boolean {
  if (rejectUnauthorized !== undefined) return rejectUnauthorized === false;
  return process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0';
}

/** One part, or a list; each by itself or under a name beside its passphrase. */
function listParts(value: unknown, name: 'pem' | 'buf'): (string | Uint8Array)[] {
  return (Array.isArray(value) ? (value as unknown[]) : [value]).flatMap((part) => {
    if (typeof part === 'string') return [part];
    if (part instanceof Uint8Array) return [name === 'pem' ? Buffer.from(part).toString() : part];
    return typeof part === 'object' && part !== null ? listParts(Reflect.get(part, name), name) : [];
  });
}

function findPassphrase({ passphrase, key, pfx }: Options): string | undefined {
  const inner = [key, pfx]
    .flat()
    .map((part: unknown) =>
      typeof part === 'object' && part !== null ? (Reflect.get(part, 'passphrase') as unknown) : 0,
    );
  return [passphrase, ...inner].find((word) => typeof word === 'string');
}
