import type { Http2Stream } from 'node:http2';

/** Names of the codes by which a stream is reset. Source: RFC 9113 section 7 (read 2026-11-27). */
const codeNames = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

export const resetCodes = { noError: 0, internalError: 2, refusedStream: 7, cancel: 8 } as const;

/** A stream of HTTP/2 that one end has reset, by the code it gave. */
export class StreamReset extends Error {
  readonly resetCode: number;

  constructor(resetCode: number, who: string) {
    super(`${who} reset the stream with ${codeNames[resetCode] ?? resetCode}`);
    this.resetCode = resetCode;
  }
}

/**
 * Resets a stream in a turn of its own. NOTE: one reset from within a callback of node:http2's, with CANCEL, would be told
 * to the other end only with whatever is sent next on that connection (src/node_http2.cc, `SubmitRstStream`; measured,
 * Node 20.20).
 */
export function resetStream(stream: Http2Stream, code: number): void {
  setImmediate(() => {
    if (!stream.destroyed) stream.close(code);
  });
}
