import { ConnectionFault, defaults, errorCodes, flagBits, frameTypes, maxWindowBytes } from './codes.js';
import { type FrameListener, FrameReader } from './frame-reader.js';
import { type HeaderBlock, HeaderDecoder } from './header-decoder.js';

/** What the other end says, in the order it says it. */
export interface InboundPorts {
  onHeaders(id: number, block: HeaderBlock, isEnd: boolean): void;
  /** @param paddingBytes what the frame took of the windows beside the piece */
  onData(id: number, piece: Buffer, isEnd: boolean, paddingBytes: number): void;
  onReset(id: number, code: number): void;
  /** @param settings number and value in turns */
  onSettings(settings: readonly number[]): void;
  onPing(bytes: Buffer): void;
  onGoaway(lastId: number, code: number): void;
  /** @param id 0 for the whole connection */
  onWindow(id: number, bytes: number): void;
  /** A frame that says nothing. */
  onIdle(): void;
}

/** A header block of which frames are still to come. */
interface OpenBlock {
  readonly id: number;
  readonly isEnd: boolean;
  readonly parts: Buffer[];
  bytes: number;
}

/** The least a frame of CONTINUATION counts, which is what full ones hold: many small ones are a flood. */
const leastPartBytes = defaults.frameBytes;

/** Reads what comes on a connection into what it says. Source: RFC 9113 section 6 (read 2026-11-28). */
export class Inbound implements FrameListener {
  readonly #ports: InboundPorts;
  readonly #reader: FrameReader;
  readonly #decoder: HeaderDecoder;
  readonly #maxHeaderBytes: number;
  #block: OpenBlock | null = null;
  #hasSettings = false;

  constructor(
    ports: InboundPorts,
    { isServer, maxHeaderBytes }: { readonly isServer: boolean; readonly maxHeaderBytes: number },
  ) {
    this.#ports = ports;
    this.#maxHeaderBytes = maxHeaderBytes;
    this.#reader = new FrameReader(this, isServer);
    this.#decoder = new HeaderDecoder(maxHeaderBytes);
  }

  /** Throws a `ConnectionFault`, after which nothing may be read on. */
  read(chunk: Buffer): void {
    this.#reader.read(chunk);
  }

  onData(id: number, piece: Buffer, isEnd: boolean, paddingBytes = 0): void {
    if (this.#block !== null || !this.#hasSettings || id === 0) throw misplaced('DATA');
    if (piece.length === 0 && !isEnd) this.#ports.onIdle();
    this.#ports.onData(id, piece, isEnd, paddingBytes);
  }

  onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if ((this.#block !== null) !== (type === frameTypes.continuation)) throw misplaced(`A frame of type ${type}`);
    if (!this.#hasSettings) {
      if (type !== frameTypes.settings || (flags & flagBits.acknowledgement) !== 0) throw misplaced('The first frame');
      this.#hasSettings = true;
    }
    switch (type) {
      case frameTypes.data:
        return this.#onPaddedData(flags, id, bytes, { start, end });
      case frameTypes.headers:
        return this.#onHeaders(flags, id, bytes, { start, end });
      case frameTypes.continuation:
        return this.#onContinuation(flags, id, bytes.subarray(start, end));
      case frameTypes.reset:
        requireSize(end - start === 4, 'RST_STREAM');
        if (id === 0) throw misplaced('RST_STREAM');
        return this.#ports.onReset(id, bytes.readUInt32BE(start));
      case frameTypes.windowUpdate:
        requireSize(end - start === 4, 'WINDOW_UPDATE');
        return this.#ports.onWindow(id, bytes.readUInt32BE(start) & maxWindowBytes);
      case frameTypes.priority:
        requireSize(end - start === 5, 'PRIORITY');
        if (id === 0) throw misplaced('PRIORITY');
        return this.#ports.onIdle();
      case frameTypes.push:
        throw misplaced('PUSH_PROMISE');
      default:
        return this.#onConnectionFrame(type, flags, id, bytes.subarray(start, end));
    }
  }

  #onConnectionFrame(type: number, flags: number, id: number, bytes: Buffer): void {
    const isAnswer = (flags & flagBits.acknowledgement) !== 0;
    // Frames of types nobody knows are to be passed over. Source: RFC 9113 section 5.5 (read 2026-11-28).
    if (type !== frameTypes.settings && type !== frameTypes.ping && type !== frameTypes.goaway)
      return this.#ports.onIdle();
    if (id !== 0) throw misplaced(`A frame of type ${type} on a stream`);
    if (type === frameTypes.goaway) {
      requireSize(bytes.length >= 8, 'GOAWAY');
      this.#ports.onGoaway(bytes.readUInt32BE(0) & maxWindowBytes, bytes.readUInt32BE(4));
    } else if (type === frameTypes.ping) {
      requireSize(bytes.length === 8, 'PING');
      if (isAnswer) this.#ports.onIdle();
      else this.#ports.onPing(bytes);
    } else if (isAnswer) requireSize(bytes.length === 0, 'SETTINGS');
    else {
      requireSize(bytes.length % 6 === 0, 'SETTINGS');
      const settings: number[] = [];
      for (let at = 0; at < bytes.length; at += 6) settings.push(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
      this.#ports.onSettings(settings);
    }
  }

  #onPaddedData(flags: number, id: number, bytes: Buffer, frame: Range): void {
    const { start, end } = dropPadding(bytes, flags, frame);
    const paddingBytes = frame.end - frame.start - (end - start);
    this.onData(id, bytes.subarray(start, end), (flags & flagBits.endStream) !== 0, paddingBytes);
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, frame: Range): void {
    if (id === 0) throw misplaced('HEADERS');
    let { start, end } = dropPadding(bytes, flags, frame);
    if ((flags & flagBits.priority) !== 0) start += 5;
    requireSize(start <= end, 'HEADERS');
    const isEnd = (flags & flagBits.endStream) !== 0;
    if ((flags & flagBits.endHeaders) !== 0)
      return this.#ports.onHeaders(id, this.#decoder.decode(bytes.subarray(start, end)), isEnd);
    this.#block = { id, isEnd, parts: [bytes.subarray(start, end)], bytes: end - start };
  }

  #onContinuation(flags: number, id: number, part: Buffer): void {
    const block = this.#block;
    if (block === null || block.id !== id) throw misplaced('CONTINUATION');
    block.parts.push(part);
    block.bytes += Math.max(part.length, leastPartBytes);
    // Up to so much of what is too long is read: the streams after it need the table it leaves.
    if (block.bytes > this.#maxHeaderBytes * 2)
      throw new ConnectionFault(errorCodes.enhanceYourCalm, `Headers of ${block.bytes} bytes and more came.`);
    if ((flags & flagBits.endHeaders) === 0) return;
    this.#block = null;
    this.#ports.onHeaders(id, this.#decoder.decode(Buffer.concat(block.parts)), block.isEnd);
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Source: RFC 9113 section 6.1 (read 2026-11-28). */
function dropPadding(bytes: Buffer, flags: number, { start, end }: Range): Range {
  if ((flags & flagBits.padded) === 0) return { start, end };
  const padding = bytes[start] ?? 0;
  if (start >= end || padding >= end - start)
    throw new ConnectionFault(errorCodes.protocolError, 'A frame is shorter than its padding.');
  return { start: start + 1, end: end - padding };
}

function requireSize(isRight: boolean, name: string): void {
  if (!isRight) throw new ConnectionFault(errorCodes.frameSizeError, `A frame of ${name} has a size it cannot have.`);
}

function misplaced(what: string): ConnectionFault {
  return new ConnectionFault(errorCodes.protocolError, `${what} came where it may not.`);
}
