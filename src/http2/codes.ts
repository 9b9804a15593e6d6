/** Why a stream or a connection ends: the names of the codes, by number. Source: RFC 9113 section 7 (read 2026-11-28). */
export const codeNames = [
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

/** Those that are said or looked for here. */
export const errorCodes = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

/** Source: RFC 9113 section 6 (read 2026-11-28). */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flagBits = { endStream: 1, acknowledgement: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Source: RFC 9113 section 6.5.2 (read 2026-11-28). */
export const settingIds = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** What both ends begin with. Source: RFC 9113 sections 6.5.2 and 6.9.2 (read 2026-11-28). */
export const defaults = { windowBytes: 65_535, frameBytes: 16_384, headerTableBytes: 4096 } as const;

export const maxWindowBytes = 0x7fff_ffff;
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What the other end has done wrong, by which its whole connection ends. */
export class ConnectionFault extends Error {
  readonly code: number;

  constructor(code: number, what: string) {
    super(what);
    this.code = code;
  }
}
