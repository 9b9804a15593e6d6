import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import type { Origin } from '../core/wire.js';
import { formatAuthority } from './authority-form.js';

/** OpenSSL's and Node's codes for a certificate that does not verify. Source: Node's TLS documentation (read 2026-11-21). */
const unverifiedCodes = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_CHAIN_TOO_LONG',
  'CERT_SIGNATURE_FAILURE',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** As of the messages providers give. */
const maxDetailChars = 2000;

/** Says what went wrong between the tap and the provider, in words for a record and a client. */
export function explainUpstreamError(
  error: unknown,
  origin: Origin,
  hasBegun = false,
): { code: string; message: string } {
  if (error instanceof TrackerError) return { code: error.code, message: error.message };
  const where = formatAuthority(origin.host, origin.port);
  const systemCode = findSystemCode(error);
  const detail = describe(error);
  if (systemCode !== null && unverifiedCodes.has(systemCode)) {
    return { code: 'UPSTREAM_TLS_UNVERIFIED', message: `The certificate of ${where} does not verify: ${detail}.` };
  }
  if (systemCode === 'UND_ERR_SOCKET' || systemCode === 'ECONNRESET' || systemCode === 'EPIPE') {
    return { code: 'UPSTREAM_ABORTED', message: `${where} cut the connection: ${detail}.` };
  }
  if (hasBegun) return { code: 'UPSTREAM_ABORTED', message: `The reply of ${where} broke off: ${detail}.` };
  return { code: 'UPSTREAM_UNREACHABLE', message: `Could not get a reply from ${where}: ${detail}.` };
}

function describe(error: unknown): string {
  // Several addresses tried and failed: the first tells as much as all.
  const first = error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;
  // A certificate may have thousands of names, and all stand in the error of one that is another's.
  const message = readErrorMessage(first).slice(0, maxDetailChars).replace(/\.$/, '');
  const code = findSystemCode(first);
  return code === null || message.includes(code) ? message : `${message} (${code})`;
}

/** What a client gets that is still without a head: a 502 with the reason in it. */
export function makeFailureReply(problem: { readonly code: string; readonly message: string }): {
  readonly rawHeaders: string[];
  readonly body: Buffer;
} {
  const body = Buffer.from(`${JSON.stringify({ error: { type: 'llmtap_upstream_error', ...problem } })}\n`);
  return { rawHeaders: ['content-type', 'application/json', 'content-length', String(body.length)], body };
}
