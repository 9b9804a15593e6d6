/** Why a stream or a connection ends. Source: RFC 9113 section 7 (read 2026-11-28). */
export const errorCodes = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
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
