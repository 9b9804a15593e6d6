import type { RequestHead } from './wire.js';

/**
 * Whether a request is one of gRPC, by its content type. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 * (read 2026-11-27).
 */
export function isGrpc({ rawHeaders }: Pick<RequestHead, 'rawHeaders'>): boolean {
  return rawHeaders.some(
    (value, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'content-type' && isGrpcType(value),
  );
}

/** Whether a content type is gRPC's: messages one after the other, each behind its length. */
export function isGrpcType(contentType: string | null): boolean {
  return /^\s*application\/grpc(?![-\w])/i.test(contentType ?? '');
}

/** The head of a reply that is a failure and nothing else: Trailers-Only of PROTOCOL-HTTP2.md. */
export function makeGrpcFailure(status: number, message: string): string[] {
  return ['content-type', 'application/grpc', 'grpc-status', String(status), 'grpc-message', encodeMessage(message)];
}

/** Status-Message of PROTOCOL-HTTP2.md: UTF-8, percent-encoded but for printable ASCII. */
function encodeMessage(text: string): string {
  const encode = (byte: number): string =>
    byte < 0x20 || byte > 0x7e || byte === 0x25
      ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte);
  return Array.from(Buffer.from(text, 'utf8'), encode).join('');
}
