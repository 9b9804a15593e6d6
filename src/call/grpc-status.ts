import type { RawHeaders } from '../core/wire.js';
import { findHeader } from './headers.js';

/** By number. Source: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md (read 2026-11-27). */
const statusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/**
 * The failure a reply of gRPC states, in its trailers or, where it has nothing else, in its head; `null` where it states
 * none. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Responses (read 2026-11-27).
 *
 * @example
 * readGrpcError(['grpc-status', '8', 'grpc-message', 'slow%20down']) // { code: 'RESOURCE_EXHAUSTED', message: 'slow down' }
 */
export function readGrpcError(raw: RawHeaders): { readonly code: string; readonly message: string } | null {
  const status = findHeader(raw, 'grpc-status');
  if (status === null || !/^\d{1,3}$/.test(status) || Number(status) === 0) return null;
  const code = statusNames[Number(status)] ?? `STATUS_${Number(status)}`;
  const message = findHeader(raw, 'grpc-message');
  return { code, message: message === null || message === '' ? `gRPC status ${status}` : decode(message) };
}

/** Percent-encoded where a byte is none of printable ASCII. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // As it came, where it is not encoded as it should be.
    return text;
  }
}
