import { findHeadLength, readLength } from './frame-bytes.js';

/** A piece of one frame, or a whole one. */
export interface FramePiece {
  readonly bytes: Buffer;
  readonly isControl: boolean;
  readonly endsFrame: boolean;
  /** Whether a message ends with it. */
  readonly endsMessage: boolean;
}

const FIRST_CONTROL = 8;
/** Longest head: two bytes, eight of length, four of mask. */
const MAX_HEAD_BYTES = 14;

/**
 * Cuts one direction of a WebSocket where frames begin and end, and looks at their heads alone. Fed in any pieces; what it
 * gives out is the same bytes. Source: https://www.rfc-editor.org/rfc/rfc6455#section-5.2 (read 2026-11-27).
 */
export class FrameCutter {
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES);
  #headLength = 0;
  /** Of the frame's payload; `null` within its head. */
  #bytesLeft: number | null = null;
  #isInMessage = false;
  /** A frame claimed a length that none can have: where frames end cannot be told any more. */
  isLost = false;

  /** Whether a frame of anybody's may come next, and a message begin with it. */
  get isBetweenMessages(): boolean {
    return !this.isLost && !this.#isInMessage && this.#headLength === 0;
  }

  write(chunk: Buffer): FramePiece[] {
    const pieces: FramePiece[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length && !this.isLost; ) {
      at = this.#bytesLeft === null ? this.#readHead(chunk, at) : this.#skipPayload(chunk, at, this.#bytesLeft);
      if (this.#bytesLeft !== 0) continue;
      pieces.push(this.#endFrame(chunk.subarray(from, at)));
      from = at;
    }
    if (from < chunk.length) {
      const isControl = (this.#head.readUInt8(0) & 0x0f) >= FIRST_CONTROL;
      pieces.push({ bytes: chunk.subarray(from), isControl, endsFrame: false, endsMessage: false });
    }
    return pieces;
  }

  #readHead(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; ) {
      this.#head[this.#headLength++] = chunk[at++] ?? 0;
      if (this.#headLength < 2 || this.#headLength < findHeadLength(this.#head.readUInt8(1))) continue;
      const length = readLength(this.#head);
      if (Number.isSafeInteger(length)) this.#bytesLeft = length;
      else this.isLost = true;
      return at;
    }
    return chunk.length;
  }

  #skipPayload(chunk: Buffer, from: number, bytesLeft: number): number {
    const to = Math.min(chunk.length, from + bytesLeft);
    this.#bytesLeft = bytesLeft - (to - from);
    return to;
  }

  #endFrame(bytes: Buffer): FramePiece {
    const first = this.#head.readUInt8(0);
    const isControl = (first & 0x0f) >= FIRST_CONTROL;
    const endsMessage = !isControl && (first & 0x80) !== 0;
    if (!isControl) this.#isInMessage = !endsMessage;
    this.#headLength = 0;
    this.#bytesLeft = null;
    return { bytes, isControl, endsFrame: true, endsMessage };
  }
}
