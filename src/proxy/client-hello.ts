/** What a TLS ClientHello says before any handshake: where it wants to go and which protocols it speaks. */
export interface ClientHello {
  readonly serverName: string | null;
  /** Protocols offered by ALPN, in order; `null` when the extension is absent. */
  readonly alpn: readonly string[] | null;
}

export type ClientHelloReading =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'not-tls' }
  | { readonly kind: 'hello'; readonly hello: ClientHello };

const incomplete: ClientHelloReading = { kind: 'incomplete' };
const notTls: ClientHelloReading = { kind: 'not-tls' };
const nothingSaid: ClientHelloReading = { kind: 'hello', hello: { serverName: null, alpn: null } };

const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
const handshakeRecord = 0x16;
const clientHelloMessage = 1;
const serverNameExtension = 0;
const alpnExtension = 16;
/** Larger hellos are not waited for: real ones measure 0.2–2 kB. */
const maxHelloBytes = 64 * 1024;

/**
 * Reads the server name and ALPN list out of the first bytes of a connection, without consuming them. Says
 * `incomplete` until the whole message is there: it may come in several segments and several records.
 * Bytes that begin like TLS but make no sense are a hello that says nothing; TLS itself will refuse them.
 *
 * Source: RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3, RFC 7301 section 3.1 (read 2026-11-21).
 */
export function readClientHello(bytes: Buffer): ClientHelloReading {
  if (bytes.length === 0) return incomplete;
  if (bytes[0] !== handshakeRecord) return notTls;
  const message = joinHandshakeRecords(bytes);
  if (!Buffer.isBuffer(message)) return bytes.length > maxHelloBytes ? nothingSaid : message;
  try {
    return { kind: 'hello', hello: readHelloBody(message) };
  } catch {
    // A malformed hello is the TLS stack's to refuse, with the alert a client understands.
    return nothingSaid;
  }
}

/** The first handshake message without its record headers, or why there is none. */
function joinHandshakeRecords(bytes: Buffer): Buffer | ClientHelloReading {
  const parts: Buffer[] = [];
  let collected = 0;
  let offset = 0;
  while (offset + recordHeaderBytes <= bytes.length && bytes[offset] === handshakeRecord) {
    const length = bytes.readUInt16BE(offset + 3);
    const part = bytes.subarray(offset + recordHeaderBytes, offset + recordHeaderBytes + length);
    parts.push(part);
    collected += part.length;
    offset += recordHeaderBytes + length;
  }
  const message = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  const wanted = collected < messageHeaderBytes ? messageHeaderBytes : messageHeaderBytes + message.readUIntBE(1, 3);
  if (collected >= wanted) return message.subarray(0, wanted);
  // Another kind of record in the middle of the message: it will never be whole.
  return offset < bytes.length && bytes[offset] !== handshakeRecord ? nothingSaid : incomplete;
}

function readHelloBody(message: Buffer): ClientHello {
  if (message[0] !== clientHelloMessage) return { serverName: null, alpn: null };
  let offset = 4 + 2 + 32;
  offset += 1 + message.readUInt8(offset);
  offset += 2 + message.readUInt16BE(offset);
  offset += 1 + message.readUInt8(offset);
  const end = Math.min(message.length, offset + 2 + message.readUInt16BE(offset));
  offset += 2;
  let serverName: string | null = null;
  let alpn: string[] | null = null;
  while (offset + 4 <= end) {
    const type = message.readUInt16BE(offset);
    const data = message.subarray(offset + 4, offset + 4 + message.readUInt16BE(offset + 2));
    if (type === serverNameExtension) serverName = readServerName(data);
    if (type === alpnExtension) alpn = readAlpn(data);
    offset += 4 + data.length;
  }
  return { serverName, alpn };
}

function readServerName(data: Buffer): string | null {
  if (data.length < 5 || data[2] !== 0) return null;
  return data.toString('latin1', 5, 5 + data.readUInt16BE(3)).toLowerCase();
}

function readAlpn(data: Buffer): string[] {
  const protocols: string[] = [];
  for (let offset = 2; offset < data.length; offset += 1 + data.readUInt8(offset)) {
    protocols.push(data.toString('latin1', offset + 1, offset + 1 + data.readUInt8(offset)));
  }
  return protocols;
}
