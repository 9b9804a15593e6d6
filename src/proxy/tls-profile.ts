import { createHash } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { InProcessTls } from '../core/in-process.js';

/** How one caller wants its provider's TLS to be, where that is not as usual. Holds keys: never to be told or stored. */
export interface TlsProfile {
  /** The same for the same options, and tells nothing of them. */
  readonly id: string;
  readonly context: SecureContextOptions;
  readonly rejectUnauthorized: boolean;
}

const listNames = ['ca', 'cert', 'key', 'pfx'] as const;
const wordNames = ['passphrase', 'servername', 'minVersion', 'maxVersion', 'ciphers'] as const;

/** Reads what a caller's CONNECT says; `undefined` when it is not of that shape. */
export function readInProcessTls(value: unknown): InProcessTls | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const given = value as Readonly<Record<string, unknown>>;
  const isList = (list: unknown): boolean => Array.isArray(list) && list.every((part) => typeof part === 'string');
  if (listNames.some((name) => given[name] !== undefined && !isList(given[name]))) return undefined;
  if (wordNames.some((name) => given[name] !== undefined && typeof given[name] !== 'string')) return undefined;
  const { rejectUnauthorized } = given;
  if (rejectUnauthorized !== undefined && typeof rejectUnauthorized !== 'boolean') return undefined;
  return given as InProcessTls;
}

/** `null` where the caller asks for nothing of its own but a name, which is not the profile's. */
export function makeTlsProfile(tls: InProcessTls): TlsProfile | null {
  const { servername: _, rejectUnauthorized = true, pfx, ca, cert, key, ...words } = tls;
  const context = {
    ...words,
    ...(ca && { ca: [...ca] }),
    ...(cert && { cert: [...cert] }),
    ...(key && { key: [...key] }),
    ...(pfx && { pfx: pfx.map((part) => Buffer.from(part, 'base64')) }),
  } as SecureContextOptions;
  if (rejectUnauthorized && Object.keys(context).length === 0) return null;
  const text = JSON.stringify([rejectUnauthorized, pfx, ca, cert, key, words]);
  return { id: createHash('sha256').update(text).digest('hex'), context, rejectUnauthorized };
}
