import tls from 'node:tls';

const usualIdentityCheck = tls.checkServerIdentity;
const contexts = new Map<string, tls.SecureContext>();
/** Sessions of one host share a root; this many hosts at once keep theirs ready. */
const maxContexts = 8;

/**
 * What a client trusts on the way to the door: our root alone. The caller's versions, ciphers and curves are for the
 * provider and go there in the CONNECT; on loopback they could only break the handshake, for our leaf is P-256 and a
 * list of RSA suites refuses it.
 */
export function requireDoorContext(caPem: string): tls.SecureContext {
  const known = contexts.get(caPem);
  if (known !== undefined) return known;
  const [oldest] = contexts.keys();
  if (contexts.size >= maxContexts && oldest !== undefined) contexts.delete(oldest);
  const context = tls.createSecureContext({ ca: caPem });
  contexts.set(caPem, context);
  return context;
}

/** Why a connection must not pass the door: what the caller checks the server by would fail, or check the wrong one. */
export function findPin(options: Readonly<Record<string, unknown>>): string | undefined {
  if (options.secureContext) return 'a secureContext of its own';
  if (typeof options.pskCallback === 'function') return 'a pre-shared key (pskCallback)';
  const kept = ['crl', 'privateKeyEngine', 'privateKeyIdentifier', 'clientCertEngine'].find((name) => options[name]);
  if (kept !== undefined) return `the option ${kept}`;
  const check = options.checkServerIdentity ?? tls.checkServerIdentity;
  return check === usualIdentityCheck ? undefined : 'a checkServerIdentity of its own';
}

/** The offered protocols, from a list or from wire format; `undefined` when none are offered. */
export function readAlpn(protocols: unknown): readonly string[] | undefined {
  if (Array.isArray(protocols)) return protocols.map(String);
  if (!ArrayBuffer.isView(protocols)) return undefined;
  const bytes = Buffer.from(protocols.buffer, protocols.byteOffset, protocols.byteLength);
  const names: string[] = [];
  for (let at = 0; at < bytes.length; at += (bytes[at] ?? 0) + 1) {
    names.push(bytes.toString('latin1', at + 1, at + 1 + (bytes[at] ?? 0)));
  }
  return names;
}
