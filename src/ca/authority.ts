import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import { writeFileAtomically } from './atomic-file.js';
import {
  type AuthorityPair,
  installGeneration,
  makeGenerationPaths,
  makeWriteError,
  readGeneration,
  readNewestGeneration,
  requireCaFolder,
  retireGenerations,
} from './authority-folder.js';
import { makeCertificate, makeName, makeRootExtensions, makeSerial, maxCommonNameLength } from './certificate.js';
import { makeCaPaths, requireHome } from './paths.js';

const dayMs = 86_400_000;
const backdateMs = 2 * dayMs;
const renewBeforeMs = 30 * dayMs;
const rootLifeYears = 10;
const maxAttempts = 10;

/** The root everything is signed with. Frozen. */
export interface Authority {
  /** PEM of the root alone. */
  readonly certPem: string;
  /** A file with it that never changes: a renewed root is another file. */
  readonly certPath: string;
  /** Mode 0600, in a folder of mode 0700. */
  readonly keyPath: string;
  /** In memory only, and not enumerable, so that printing or copying an authority never shows it. */
  readonly keyPem: string;
  /** SHA-256 in upper-case hexadecimal with colons, as `openssl x509 -fingerprint` prints it. */
  readonly fingerprint256: string;
  /** The distinguished name in one line. */
  readonly subject: string;
  /** UTC, ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/**
 * Opens the authority of a home, creating it when there is none and renewing it from 30 days before its end. Whoever
 * created it, what is returned was read from disk. Safe in several processes at once. Synchronous: about 1 ms when it
 * exists.
 *
 * Throws `HOME_UNUSABLE`, `CA_UNWRITABLE`, `CA_UNREADABLE`, or `CA_INVALID` when what is there is no authority.
 */
export function openAuthority(home: string, options: { readonly nowMs?: number } = {}): Authority {
  const nowMs = options.nowMs ?? Date.now();
  const { folder, cert } = makeCaPaths(requireHome(home));
  requireCaFolder(folder);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const generation = readNewestGeneration(folder);
    const authority = generation === 0 ? undefined : findUsable(folder, generation, nowMs);
    if (authority !== undefined) {
      savePublicCopy(cert, authority.certPem);
      return authority;
    }
    if (generation === readNewestGeneration(folder)) installNext(folder, generation, nowMs);
  }
  throw new TrackerError('CA_INVALID', `Could not settle on a CA in ${folder}: it changed ${maxAttempts} times.`, {
    hint: 'Run the command again.',
  });
}

/**
 * Makes a new authority whatever state the old one is in, and deletes the old key. Trust given to the old root does
 * not carry over. Throws as `openAuthority` does.
 */
export function resetAuthority(home: string, options: { readonly nowMs?: number } = {}): Authority {
  const { folder } = makeCaPaths(requireHome(home));
  requireCaFolder(folder);
  installNext(folder, readNewestGeneration(folder), options.nowMs ?? Date.now());
  return openAuthority(home, options);
}

/** Another process that was first has done what was wanted: its root is as new. */
function installNext(folder: string, generation: number, nowMs: number): void {
  installGeneration(folder, generation + 1, makeAuthorityPair(nowMs));
  retireGenerations(folder, generation + 1);
}

/** `undefined` when the root is at its end, or when it was replaced while it was read. */
function findUsable(folder: string, generation: number, nowMs: number): Authority | undefined {
  try {
    const authority = readAuthority(folder, generation);
    const isTimely = nowMs >= Date.parse(authority.notBefore) && nowMs < Date.parse(authority.notAfter) - renewBeforeMs;
    return isTimely ? authority : undefined;
  } catch (error) {
    if (readNewestGeneration(folder) !== generation) return undefined;
    throw error;
  }
}

function readAuthority(folder: string, generation: number): Authority {
  const pair = readGeneration(folder, generation);
  const paths = makeGenerationPaths(folder, generation);
  const cert = requireMatchingPair(pair, paths.folder);
  const authority = {
    certPem: pair.certPem,
    certPath: paths.cert,
    keyPath: paths.key,
    keyPem: pair.keyPem,
    fingerprint256: cert.fingerprint256,
    subject: cert.subject.replaceAll('\n', ', '),
    notBefore: new Date(cert.validFrom).toISOString(),
    notAfter: new Date(cert.validTo).toISOString(),
  };
  Object.defineProperty(authority, 'keyPem', { enumerable: false });
  return Object.freeze(authority);
}

/** The certificate of a pair; throws `CA_INVALID` when the two are no authority's. `folder` is named in the error. */
export function requireMatchingPair(pair: AuthorityPair, folder: string): X509Certificate {
  const invalid = (found: string, cause?: unknown): TrackerError =>
    new TrackerError('CA_INVALID', `Could not use the CA in ${folder}: ${found}.`, {
      hint: 'Run `llmtap ca reset` to make a new one; programs that were told to trust the old one must be told again.',
      ...(cause === undefined ? {} : { cause }),
    });
  let cert: X509Certificate;
  try {
    cert = new X509Certificate(pair.certPem);
  } catch (error) {
    throw invalid(`cert.pem is no certificate (${readErrorMessage(error)})`, error);
  }
  let isPair: boolean;
  try {
    isPair = cert.checkPrivateKey(createPrivateKey(pair.keyPem));
  } catch (error) {
    throw invalid(`key.pem is no private key (${readErrorMessage(error)})`, error);
  }
  if (!isPair) throw invalid('key.pem and cert.pem do not belong together');
  if (!cert.ca) throw invalid('cert.pem is not the certificate of an authority');
  return cert;
}

function makeAuthorityPair(nowMs: number): AuthorityPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = makeSerial();
  const subject = makeName({ organization: 'llmtap', commonName: makeCommonName(serial) });
  const notAfter = new Date(nowMs);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + rootLifeYears);
  const certPem = makeCertificate(
    {
      serial,
      issuer: subject,
      subject,
      notBeforeMs: nowMs - backdateMs,
      notAfterMs: notAfter.getTime(),
      publicKey,
      extensions: makeRootExtensions(publicKey),
    },
    privateKey,
  );
  return { certPem, keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/**
 * Names user and machine, so that a stray root can be traced, and ends in digits of its own: two roots of one name
 * would make verifiers try the wrong one.
 */
function makeCommonName(serial: Uint8Array): string {
  const own = Buffer.from(serial).toString('hex').slice(0, 8);
  const owner = Array.from(`llmtap ${readUserName()}@${hostname()}`.replaceAll(/\p{Cc}/gu, '?'));
  return `${owner.slice(0, maxCommonNameLength - own.length - 1).join('')} ${own}`;
}

function readUserName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user id may have no entry in the user database.
    return `uid${process.getuid?.() ?? ''}`;
  }
}

/** The copy under a stable name follows the newest root. */
function savePublicCopy(path: string, certPem: string): void {
  try {
    if (readFileSync(path, 'utf8') === certPem) return;
  } catch (error) {
    if (findSystemCode(error) !== 'ENOENT') throw makeWriteError('read the public CA certificate', path, error);
  }
  try {
    writeFileAtomically(path, certPem, 0o644);
  } catch (error) {
    throw makeWriteError('write the public CA certificate', path, error);
  }
}
