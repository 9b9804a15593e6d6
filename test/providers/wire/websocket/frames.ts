import { constants, createDeflateRaw } from 'node:zlib';
import type { SocketSide } from '../../../../src/core/socket.js';
import { type MessageBounds, SocketMessages } from '../../../../src/providers/wire/websocket/socket-messages.js';

export interface FrameParts {
  readonly opcode?: number;
  readonly final?: boolean;
  readonly compressed?: boolean;
  readonly mask?: readonly number[];
  readonly payload: Uint8Array | string;
}

/** One frame as RFC 6455, section 5.2 draws it. */
export function makeFrame({ opcode = 1, final = true, compressed = false, mask, payload }: FrameParts): Buffer {
  const bytes = Buffer.from(payload as string);
  const first = (final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode;
  const masked = mask === undefined ? 0 : 0x80;
  const long = Buffer.alloc(8);
  long.writeBigUInt64BE(BigInt(bytes.length));
  const length =
    bytes.length < 126
      ? [masked | bytes.length]
      : bytes.length < 65536
        ? [masked | 126, ...long.subarray(6)]
        : [masked | 127, ...long];
  const body = mask === undefined ? bytes : bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.from([first, ...length, ...(mask ?? [])]), body]);
}

/** Compresses messages as one end of a socket does, each building on those before it. */
export function openCompressor(options: { readonly forgets?: boolean; readonly windowBits?: number } = {}) {
  const make = () => createDeflateRaw({ windowBits: options.windowBits ?? 15 });
  let stream = make();
  return async (text: string): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    const take = (piece: Buffer): number => pieces.push(piece);
    stream.on('data', take);
    stream.write(text);
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    stream.off('data', take);
    if (options.forgets === true) stream = make();
    return Buffer.concat(pieces).subarray(0, -4);
  };
}

/** What was told of a socket, as lines: `server: text`, `server close 1000 bye`, `server! problem`. */
export async function readSocket(
  chunks: readonly { readonly side: SocketSide; readonly bytes: Buffer; readonly atMs?: number }[],
  options: { readonly extensions?: string | null; readonly bounds?: MessageBounds } = {},
): Promise<string[]> {
  const told: string[] = [];
  const messages = new SocketMessages(
    options.extensions ?? null,
    {
      onMessage: (side, { bytes }) => told.push(`${side}: ${bytes.toString()}`),
      onClose: (side, code, reason) => told.push(`${side} close ${code} ${reason}`),
      onProblem: (side, problem) => told.push(`${side}! ${problem}`),
      onBroken: (side, problem) => told.push(`${side}!! ${problem}`),
    },
    options.bounds,
  );
  for (const { side, bytes, atMs = 0 } of chunks) messages.write(side, bytes, atMs);
  await messages.end();
  return told;
}

/** The same bytes in pieces of the given sizes, over and over. */
export function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
