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

/** An error as data: what callers look at, and no stack. */
export function describeUpstreamError(error: unknown): UpstreamError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const facts = errorFacts.flatMap((name) => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : [];
  });
  const errors = error instanceof AggregateError ? { errors: error.errors.map(describeUpstreamError) } : {};
  return { name: error.name, message: error.message, ...Object.fromEntries(facts), ...errors };
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
