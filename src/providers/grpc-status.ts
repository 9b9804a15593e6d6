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

/** What a reply of gRPC says of its end. */
export interface GrpcStatus {
  /** The failure it states; `null` for status 0. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/**
 * The status of a reply of gRPC, which stands in its trailers or, where it has nothing else, in its head; `null` where it
 * stands in neither: such a reply has not come to its end. Source:
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Responses (read 2026-11-27).
 *
 * @param findHeader the first header of that name, in lower case
 * @example
 * readGrpcStatus((name) => ({ 'grpc-status': '8', 'grpc-message': 'slow%20down' })[name] ?? null)
 * // { error: { code: 'RESOURCE_EXHAUSTED', message: 'slow down' } }
 */
export function readGrpcStatus(findHeader: (name: string) => string | null): GrpcStatus | null {
  const status = findHeader('grpc-status');
  if (status === null || !/^\d{1,3}$/.test(status)) return null;
  if (Number(status) === 0) return { error: null };
  const code = statusNames[Number(status)] ?? `STATUS_${Number(status)}`;
  const message = findHeader('grpc-message');
  return { error: { code, message: message === null || message === '' ? `gRPC status ${status}` : decode(message) } };
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
