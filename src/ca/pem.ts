import { createHash } from 'node:crypto';

const blockPattern = /-----BEGIN (?:X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+?)-----END (?:X509 )?CERTIFICATE-----/g;

/** DER bytes as a `CERTIFICATE` block, lines of 64 (RFC 7468), with a final newline. */
export function makeCertificatePem(der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < base64.length; at += 64) lines.push(base64.slice(at, at + 64));
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/**
 * The DER bytes of every certificate block of a PEM text, in order. Everything else in it, private keys above all,
 * is left out. The bytes are not checked to be a certificate.
 */
export function readCertificates(pem: string): readonly Buffer[] {
  return Array.from(pem.matchAll(blockPattern), (match) => Buffer.from(match[1] ?? '', 'base64'));
}

/** SHA-256, lower-case hexadecimal. */
export function makeDigest(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
