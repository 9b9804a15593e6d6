import type { Decoder } from '../cache/recording.js';
import type { SocketMessage, SocketSide } from '../core/socket.js';

/** What recording and playing use of the outside. */
export interface ReplayPorts {
  readonly openDecoder: (coding: string | null, sink: (bytes: Buffer) => void) => Decoder;
  readonly clockMs: () => number;
  /** Work that is to be done before the cassette is closed. */
  readonly hold: (work: Promise<void>) => void;
}

/** What recording and playing WebSockets use of the outside. */
export interface SocketPorts extends Pick<ReplayPorts, 'clockMs' | 'hold'> {
  readonly openSocketMessages: (extensions: string | null, sink: SocketSink) => SocketMessages;
}

/** Cuts both directions of a WebSocket into messages. */
export interface SocketMessages {
  write(side: SocketSide, chunk: Buffer, atMs: number): void;
  end(): Promise<void> | void;
  close(): void;
}

export interface SocketSink {
  onMessage(side: SocketSide, message: SocketMessage): void;
  onClose(side: SocketSide, code: number | null, reason: string): void;
  onProblem(side: SocketSide, problem: string): void;
  onBroken(side: SocketSide, problem: string): void;
}

/** A body without its content coding. Rejects for one that cannot be read. */
export async function readUpload(body: Buffer, coding: string | null, { openDecoder }: ReplayPorts): Promise<Buffer> {
  if (coding === null) return body;
  const pieces: Buffer[] = [];
  const decoder = openDecoder(coding, (bytes) => pieces.push(Buffer.from(bytes)));
  try {
    decoder.write(body);
    await decoder.end();
    if (decoder.problem !== null) throw new Error(decoder.problem);
    return Buffer.concat(pieces);
  } finally {
    decoder.close();
  }
}
