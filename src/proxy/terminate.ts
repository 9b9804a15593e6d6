import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { findSystemCode } from '../core/errors.js';
import type { ServedProtocol } from './alpn.js';

export interface TerminateOptions {
  readonly socket: Socket;
  readonly secureContext: SecureContext;
  /** The one the client is to have of those it offers. */
  readonly protocol: ServedProtocol;
  /** The handshake is done; what the client sends next is HTTP, of the version its `alpnProtocol` says. */
  readonly onSecure: (secure: TLSSocket) => void;
  /** The client said, by an alert, that it does not accept the certificate. */
  readonly onRefused: (alert: string) => void;
  /** The client, having seen the certificate, closed without an alert and without a byte of its own. */
  readonly onSilentClose: () => void;
}

/**
 * Alerts by which a client refuses a certificate. `certificate_expired` and `unsupported_certificate` belong to
 * them. Source: RFC 8446 section 6.2; names as OpenSSL 3 gives them in `error.code` (measured).
 */
const refusals =
  /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|ACCESS_DENIED|DECRYPT_ERROR)/;

/** Ends the client's TLS here, on the socket itself: no second hop. The ClientHello must still be unread in it. */
export function terminateTls(options: TerminateOptions): TLSSocket {
  const { socket } = options;
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: options.secureContext,
    // A client that offers no ALPN at all gets none back, and speaks HTTP/1.1.
    ALPNProtocols: [options.protocol],
  });
  // A handshake that failed for a reason of TLS's own says nothing of trust.
  let failed = false;
  const onError = (error: Error): void => {
    const code = findSystemCode(error) ?? '';
    const alert = failed ? undefined : refusals.exec(code)?.[1];
    failed ||= code.startsWith('ERR_SSL_');
    if (alert !== undefined) options.onRefused(`alert ${alert.toLowerCase()}`);
  };
  // NOTE: a Node client without our CA ends here: TLS 1.3 without its last message, TLS 1.2 after it. Its half of
  // the connection is closed, and nobody would close ours.
  const onEarlyEnd = (): void => void secure.destroy();
  secure.on('_tlsError', onError);
  secure.on('error', onError);
  secure.once('close', () => {
    if (!failed && secure.bytesRead === 0) options.onSilentClose();
  });
  secure.once('end', onEarlyEnd);
  secure.once('secure', () => {
    secure.off('end', onEarlyEnd);
    options.onSecure(secure);
  });
  // Bytes below may end without TLS noticing; its socket must not stay behind.
  socket.once('close', () => secure.destroy());
  return secure;
}
