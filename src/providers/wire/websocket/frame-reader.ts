import { GrowingBuffer } from '../growing-buffer.js';
import { findHeadLength, readLength, unmask } from './frame-bytes.js';

/** A message as it passed, still compressed where it says so. */
export interface RawMessage {
  /** `null` where it was larger than is read. Valid until the caller's chunk is changed. */
  readonly bytes: Buffer | null;
  readonly isCompressed: boolean;
  readonly isBinary: boolean;
  /** Payload bytes of its frames, as on the wire. */
  readonly wireBytes: number;
}

export interface FrameSink {
  onMessage(message: RawMessage): void;
  /** The close frame: its code, `null` where it has none, and its reason. */
  onClose(code: number | null, reason: string): void;
  /** Nothing more can be read of this direction: why, as a sentence. Told once. */
  onBroken(problem: string): void;
}

const CONTINUATION = 0;
const BINARY = 2;
const FIRST_CONTROL = 8;
const CLOSE = 8;
const LAST_KNOWN = 10;
const MAX_CONTROL_BYTES = 125;
/** Longest head: two bytes, eight of length, four of mask. */
const MAX_HEAD_BYTES = 14;

/**
 * Cuts one direction of a WebSocket into messages: frames put together, masks taken off, control frames between them
 * passed over. Fed in any pieces; keeps at most one message of `maxMessageBytes` and copies what it keeps, so that the
 * bytes it is given are never changed. Never throws.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc6455#section-5 (read 2026-11-27). What breaks its rules in a way after which
 * frames cannot be told from their content ends the reading; text that is no UTF-8 is the message's own matter.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxMessageBytes: number;
  readonly #mayCompress: boolean;
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES);
  #headLength = 0;
  #isOver = false;
  /** Of the frame whose payload passes; `null` between frames. */
  #opcode: number | null = null;
  #isFinal = false;
  #mask: Buffer | null = null;
  #length = 0;
  #seen = 0;
  /** Of the message its frames make. */
  #isOpen = false;
  #isCompressed = false;
  #isBinary = false;
  #isTooLarge = false;
  #messageBytes = 0;
  readonly #message = new GrowingBuffer();
  readonly #control = new GrowingBuffer();

  /** @param mayCompress whether a compression was agreed on, so that a first reserved bit means it */
  constructor(sink: FrameSink, options: { readonly maxMessageBytes: number; readonly mayCompress: boolean }) {
    this.#sink = sink;
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#mayCompress = options.mayCompress;
  }

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#isOver) {
      if (this.#opcode === null) at = this.#readHead(chunk, at);
      else at = this.#readPayload(chunk, at);
    }
  }

  #readHead(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      this.#head[this.#headLength++] = chunk[at++] ?? 0;
      if (this.#headLength < 2 || this.#headLength < findHeadLength(this.#head[1] ?? 0)) continue;
      this.#headLength = 0;
      this.#beginFrame();
      break;
    }
    return at;
  }

  #beginFrame(): void {
    const first = this.#head[0] ?? 0;
    const second = this.#head[1] ?? 0;
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    const length = readLength(this.#head);
    const problem = this.#findProblem(opcode, first, { isFinal, length });
    if (problem !== null) return this.#break(problem);
    const maskAt = findHeadLength(second) - 4;
    this.#mask = (second & 0x80) === 0 ? null : Buffer.from(this.#head.subarray(maskAt, maskAt + 4));
    this.#opcode = opcode;
    this.#isFinal = isFinal;
    this.#length = length;
    this.#seen = 0;
    if (opcode < FIRST_CONTROL) this.#beginData(opcode, (first & 0x40) !== 0);
    if (length === 0) this.#endFrame();
  }

  #findProblem(opcode: number, first: number, frame: { isFinal: boolean; length: number }): string | null {
    if (!Number.isSafeInteger(frame.length)) return 'A frame claims a length that no frame can have.';
    if (opcode > LAST_KNOWN || (opcode > BINARY && opcode < FIRST_CONTROL))
      return `A frame of the unknown kind ${opcode} came.`;
    const reserved = first & 0x70;
    if (opcode >= FIRST_CONTROL) {
      const isSound = frame.isFinal && frame.length <= MAX_CONTROL_BYTES && reserved === 0;
      return isSound ? null : 'A control frame was too long, in pieces, or marked as compressed.';
    }
    const isFirst = opcode !== CONTINUATION;
    if (isFirst === this.#isOpen)
      return isFirst ? 'A message began within another.' : 'A message went on that had not begun.';
    const allowed = isFirst && this.#mayCompress ? 0x40 : 0;
    return (reserved & ~allowed) === 0 ? null : 'A frame has reserved bits set that nothing agreed on gives a meaning.';
  }

  #beginData(opcode: number, isCompressed: boolean): void {
    if (opcode !== CONTINUATION) {
      this.#isOpen = true;
      this.#isCompressed = isCompressed;
      this.#isBinary = opcode === BINARY;
      this.#isTooLarge = false;
      this.#messageBytes = 0;
    }
    this.#messageBytes += this.#length;
    if (this.#messageBytes <= this.#maxMessageBytes) return;
    this.#isTooLarge = true;
    this.#message.clear();
  }

  #readPayload(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.#length - this.#seen);
    const piece = from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to);
    const isWhole = this.#seen === 0 && piece.length === this.#length && this.#isFinal && this.#mask === null;
    if (isWhole && this.#opcode !== null && this.#opcode < FIRST_CONTROL && this.#message.length === 0) {
      this.#opcode = null;
      this.#giveMessage(this.#isTooLarge ? null : piece);
      return to;
    }
    this.#keep(piece);
    this.#seen += piece.length;
    if (this.#seen === this.#length) this.#endFrame();
    return to;
  }

  #keep(piece: Buffer): void {
    const isControl = (this.#opcode ?? 0) >= FIRST_CONTROL;
    if (!isControl && this.#isTooLarge) return;
    const kept = isControl ? this.#control : this.#message;
    const before = kept.length;
    kept.append(piece);
    if (this.#mask !== null) unmask(kept.view().subarray(before), this.#mask, this.#seen);
  }

  #endFrame(): void {
    const opcode = this.#opcode ?? 0;
    this.#opcode = null;
    if (opcode >= FIRST_CONTROL) {
      if (opcode === CLOSE) this.#endAtClose();
      this.#control.clear();
    } else if (this.#isFinal) {
      this.#giveMessage(this.#isTooLarge ? null : this.#message.view());
      this.#message.clear();
    }
  }

  #giveMessage(bytes: Buffer | null): void {
    this.#isOpen = false;
    const [isCompressed, isBinary, wireBytes] = [this.#isCompressed, this.#isBinary, this.#messageBytes];
    this.#sink.onMessage({ bytes, isCompressed, isBinary, wireBytes });
  }

  /** Nothing may follow a close frame. */
  #endAtClose(): void {
    this.#isOver = true;
    const payload = this.#control.view();
    const code = payload.length < 2 ? null : payload.readUInt16BE(0);
    this.#message.clear();
    this.#sink.onClose(code, payload.toString('utf8', 2));
  }

  #break(problem: string): void {
    this.#isOver = true;
    this.#message.clear();
    this.#sink.onBroken(problem);
  }
}
