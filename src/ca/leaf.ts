import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { TrackerError } from '../core/errors.js';
import { type Asn1Node, findBytes, makeTagged, readChildren, readDer } from './asn1.js';
import { makeCertificate, makeName, makeServerExtensions, maxCommonNameLength } from './certificate.js';
import { requireHostName } from './host-name.js';

const dayMs = 86_400_000;
const leafLifeMs = 30 * dayMs;
// A client whose clock is slow must not see a certificate of the future.
const backdateMs = 2 * dayMs;
// OBJECT IDENTIFIER 2.5.29.14, subjectKeyIdentifier, in DER (RFC 5280, 4.2.1.2).
const subjectKeyIdentifierDer = Buffer.from([0x55, 0x1d, 0x0e]);

/** An authority, read once so that many leaves can be made from it. */
export interface Issuer {
  readonly key: KeyObject;
  /** The subject of the root, byte for byte. */
  readonly name: Asn1Node;
  readonly keyIdentifier: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What to make a leaf from. `serial` is positive, big-endian and minimal; `nowMs` is milliseconds since the epoch. */
export interface LeafRequest {
  readonly issuer: Issuer;
  readonly host: string;
  readonly leafPublicKey: KeyObject;
  readonly nowMs: number;
  readonly serial: Uint8Array;
}

export interface Leaf {
  readonly certPem: string;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/** Reads root certificate and key, both PEM. Throws `CA_INVALID` when the certificate has no key identifier. */
export function makeIssuer(authority: { readonly certPem: string; readonly keyPem: string }): Issuer {
  const cert = new X509Certificate(authority.certPem);
  // TBSCertificate of a v3 certificate: version, serial, algorithm, issuer, validity, subject, key, extensions (RFC 5280, 4.1).
  const [toBeSigned] = readChildren(readDer(cert.raw));
  const fields = readChildren(toBeSigned);
  const name = fields[5];
  const keyIdentifier = findKeyIdentifier(fields[7]);
  if (name === undefined || keyIdentifier === undefined) {
    throw new TrackerError('CA_INVALID', 'The CA certificate has no subject key identifier.', {
      hint: 'Run `llmtap ca reset` to make a new one.',
    });
  }
  const notBeforeMs = Date.parse(cert.validFrom);
  const notAfterMs = Date.parse(cert.validTo);
  return { key: createPrivateKey(authority.keyPem), name, keyIdentifier, notBeforeMs, notAfterMs };
}

/**
 * Makes a server certificate for one host: 30 days, never beyond the root's own time. Throws `HOST_NAME_INVALID`.
 */
export function makeLeaf(request: LeafRequest): Leaf {
  const { issuer, leafPublicKey, nowMs } = request;
  const host = requireHostName(request.host);
  const hasSubject = host.length <= maxCommonNameLength;
  const notAfterMs = Math.min(nowMs + leafLifeMs, issuer.notAfterMs);
  const extensions = makeServerExtensions({
    publicKey: leafPublicKey,
    issuerKeyIdentifier: issuer.keyIdentifier,
    altName: makeAltName(host),
    hasSubject,
  });
  const certPem = makeCertificate(
    {
      serial: request.serial,
      issuer: issuer.name,
      subject: makeName(hasSubject ? { commonName: host } : {}),
      notBeforeMs: Math.max(nowMs - backdateMs, issuer.notBeforeMs),
      notAfterMs,
      publicKey: leafPublicKey,
      extensions,
    },
    issuer.key,
  );
  return { certPem, notAfterMs };
}

/** GeneralName: dNSName [2] or iPAddress [7] (RFC 5280, 4.2.1.6). */
function makeAltName(host: string): Asn1Node {
  if (isIPv4(host)) return makeTagged(7, Uint8Array.from(host.split('.'), Number));
  if (isIPv6(host)) return makeTagged(7, makeIpv6Bytes(host));
  return makeTagged(2, Buffer.from(host, 'latin1'));
}

/** @param host as `requireHostName` gives it: groups in hexadecimal, at most one `::` */
function makeIpv6Bytes(host: string): Uint8Array {
  const [head = '', tail = ''] = host.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}

function findKeyIdentifier(extensions: Asn1Node | undefined): Buffer | undefined {
  const [list] = readChildren(extensions);
  for (const extension of readChildren(list)) {
    const parts = readChildren(extension);
    if (findBytes(parts[0])?.equals(subjectKeyIdentifierDer) !== true) continue;
    const content = findBytes(parts.at(-1));
    return content === undefined ? undefined : findBytes(readDer(content));
  }
  return undefined;
}
