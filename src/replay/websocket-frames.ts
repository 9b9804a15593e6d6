import { createHash } from 'node:crypto';

/** Source: https://www.rfc-editor.org/rfc/rfc6455#section-1.3 and section 5.2 (read 2026-11-27). */
const acceptGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const opcodes = { text: 1, binary: 2, close: 8 } as const;

/** The head by which a server agrees to a WebSocket. */
export function formatAgreement(key: string, protocol: string | null): string {
  const accept = createHash('sha1').update(`${key}${acceptGuid}`).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  lines.push(`Sec-WebSocket-Accept: ${accept}`);
  if (protocol !== null) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A whole message in one frame, as a server sends it: not masked. */
export function formatFrame(kind: keyof typeof opcodes, payload: Buffer): Buffer {
  const first = 0x80 | opcodes[kind];
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, payload.length]), payload]);
  if (payload.length < 65_536) {
    return Buffer.concat([Buffer.from([first, 126, payload.length >> 8, payload.length & 0xff]), payload]);
  }
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

/** The close frame; without a code where `null`. */
export function formatClose(code: number | null, reason: string): Buffer {
  if (code === null) return formatFrame('close', Buffer.alloc(0));
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return formatFrame('close', Buffer.concat([payload, Buffer.from(reason).subarray(0, 123)]));
}
