/**
 * What a client in the tap's own process says in its CONNECT beyond what any client says, and what it hears of a
 * provider that could not be reached. Such a client is to see what it would have seen without the tap, so the door
 * reaches the provider first, as this client would have, and answers only then.
 */

/** `in-process` from such a client; its absence means any other. */
export const clientHeader = 'llmtap-client';
export const clientInProcess = 'in-process';
/** `InProcessTls`, when the caller gave any such option. */
export const tlsHeader = 'llmtap-tls';
/** `InProcessRequest`, when it is known for which request the connection is opened. */
export const requestHeader = 'llmtap-request';
/** `readonly string[]`: the protocols the caller offers, when it offers any. */
export const alpnHeader = 'llmtap-alpn';
/** `UpstreamError`, in a reply of 502. */
export const errorHeader = 'llmtap-error';

/** Any value, when the caller wants to hear of the way to the provider; a `ConnectStep` in an interim reply of 102 for each. */
export const stepHeader = 'llmtap-step';

/** An event of Node's about a connection on its way, with what it is told with. */
export type ConnectStep = readonly [name: string, ...args: unknown[]];

/** Hears of a connection to where it is asked for, not of one that goes through a proxy. */
export type OnConnectStep = (step: ConnectStep) => void;

/** Source: Node's net.md, `net.Socket` (read 2026-11-27). Node 18 knows the first alone. */
export const connectSteps: readonly string[] = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
];

/** The caller's own TLS options, for the connection to the provider. */
export interface InProcessTls {
  /** PEM; absent means the usual roots. */
  readonly ca?: readonly string[];
  readonly cert?: readonly string[];
  readonly key?: readonly string[];
  /** Base64. */
  readonly pfx?: readonly string[];
  readonly passphrase?: string;
  readonly rejectUnauthorized?: boolean;
  readonly servername?: string;
  readonly minVersion?: string;
  readonly maxVersion?: string;
  readonly ciphers?: string;
}

export interface InProcessRequest {
  readonly method: string;
  readonly path: string;
}

/** An error of Node's, as data. */
export interface UpstreamError {
  /** Of the class: `Error`, `AggregateError` … */
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
  readonly reason?: string;
  readonly host?: string;
  /** Of an `AggregateError`: one for each address tried. */
  readonly errors?: readonly UpstreamError[];
}

/** JSON as a header may carry it. */
export function writeHeaderValue(value: unknown): string {
  return encodeURIComponent(JSON.stringify(value));
}

/** `undefined` for what `writeHeaderValue` has not written. */
export function readHeaderValue(text: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(text)) as unknown;
  } catch {
    // Not ours: some other proxy's header of that name.
    return undefined;
  }
}

const errorFacts = ['code', 'errno', 'syscall', 'hostname', 'address', 'port', 'reason', 'host'] as const;

/** A certificate's names all stand in the error of one that is another's; what is longer is cut. */
const maxErrorChars = 20_000;
/** More addresses than a name has; each of their errors is short. */
const maxInnerErrors = 64;
const maxInnerChars = 500;

/** An error as data: what callers look at, and no stack. Encoded at most some 400 kB, of Node's own errors a few hundred bytes. */
export function describeUpstreamError(error: unknown, maxChars = maxErrorChars): UpstreamError {
  const cut = (text: string): string => text.slice(0, maxChars);
  if (!(error instanceof Error)) return { name: 'Error', message: cut(String(error)) };
  const facts = errorFacts.flatMap((name): [string, string | number][] => {
    const value: unknown = Reflect.get(error, name);
    if (typeof value === 'number') return [[name, value]];
    return typeof value === 'string' ? [[name, cut(value)]] : [];
  });
  const inner = error instanceof AggregateError ? (error.errors as unknown[]).slice(0, maxInnerErrors) : null;
  const errors = inner && { errors: inner.map((each) => describeUpstreamError(each, maxInnerChars)) };
  return { name: cut(error.name), message: cut(error.message), ...Object.fromEntries(facts), ...errors };
}

/** The error again, as its client would have met it; `undefined` for what describes none. */
export function makeUpstreamError(described: unknown): Error | undefined {
  if (typeof described !== 'object' || described === null) return undefined;
  const { name, message, errors, ...rest } = described as Partial<UpstreamError>;
  if (typeof message !== 'string') return undefined;
  const inner = Array.isArray(errors) ? (errors as unknown[]).map(makeUpstreamError) : undefined;
  const error = inner === undefined ? new (findErrorClass(name))(message) : new AggregateError(inner, message);
  const facts = errorFacts.flatMap((fact) => (rest[fact] === undefined ? [] : [[fact, rest[fact]]]));
  return Object.assign(error, Object.fromEntries(facts));
}

function findErrorClass(name: string | undefined): new (message: string) => Error {
  return name === 'TypeError' ? TypeError : name === 'RangeError' ? RangeError : Error;
}

/** A step as data; its errors as `describeUpstreamError` has them. */
export function describeConnectStep([name, ...args]: ConnectStep): unknown {
  return [name, ...args.map((arg) => (arg instanceof Error ? { error: describeUpstreamError(arg) } : arg))];
}

/**
 * The step again, as its client would have met it; `undefined` for what describes none.
 *
 * @param host the name its client asked for, whatever name was looked up
 */
export function makeConnectStep(described: unknown, host: string): ConnectStep | undefined {
  if (!Array.isArray(described)) return undefined;
  const [name, ...rest] = described as unknown[];
  if (typeof name !== 'string' || !connectSteps.includes(name)) return undefined;
  const args = rest.map((arg) => {
    const error = typeof arg === 'object' && arg !== null ? makeUpstreamError(Reflect.get(arg, 'error')) : undefined;
    return error ?? arg;
  });
  if (name !== 'lookup') return [name, ...args];
  const [error, address, family] = args;
  return [name, error, address ?? undefined, family ?? undefined, host];
}
