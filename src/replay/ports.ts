import type { Decoder } from '../cache/recording.js';
import type { SocketMessages, SocketSink } from '../core/socket.js';

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
