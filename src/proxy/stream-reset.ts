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

/** A stream of HTTP/2 that one end has reset, by the code it gave. */
export class StreamReset extends Error {
  readonly resetCode: number;

  constructor(resetCode: number, who: string) {
    super(`${who} reset the stream with ${codeNames[resetCode] ?? resetCode}`);
    this.resetCode = resetCode;
  }
}
