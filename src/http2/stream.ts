// Longer than most: the two halves of a stream, which end together.
import { toError } from '../core/errors.js';
import type { RawHeaders } from '../core/wire.js';
import { errorCodes, frameTypes, maxWindowBytes } from './codes.js';
import type { FrameWriter } from './frame-writer.js';

/** What an owner of a stream hears. Nothing but `onClosed` is called when the owner has reset it. */
export interface StreamEvents {
  /** What the other end answers with: those of 1xx, then the last. Not called where the head made the stream. */
  onHead?(status: number, raw: string[], isEnd: boolean): void;
  onData(piece: Buffer): void;
  /** The other end has said all it has to. */
  onEnd(rawTrailers: string[]): void;
  /** After a `write` that told to wait: more may follow. */
  onDrain(): void;
  /** All that was to be said is on its way. */
  onSent?(): void;
  /** The last of all, once. */
  onClosed(end: StreamEnd): void;
}

/** How a stream ended. */
export interface StreamEnd {
  /** `noError` where both ends said all they had, and where one that resets it says so. */
  readonly code: number;
  /** Whether its connection went; by what, as far as known. */
  readonly lost: { readonly error: Error | null } | null;
  /** It was reset here, for its other end broke the rules. */
  readonly isRefused?: true;
}

/** A stream's connection. */
export interface StreamLink {
  /** More is to be sent than was. */
  send(stream: Http2Stream): void;
  writeHead(stream: Http2Stream, raw: RawHeaders, isEnd: boolean): void;
  writeNumber(type: number, id: number, value: number): void;
  /** Resets a stream for what its other end has done wrong, and the connection of one that does so for ever. */
  refuse(stream: Http2Stream, code: number): void;
  /** It is over: nothing more comes and nothing more goes. */
  forget(stream: Http2Stream): void;
  /** An owner threw. */
  onProblem(error: Error): void;
}

export interface StreamOptions {
  readonly sendWindow: number;
  /** How much the other end may send that has not been taken. */
  readonly windowBytes: number;
  /** Whether the other end made it: what it had said before it resets it is of no use then. */
  readonly isRemote: boolean;
}

const nothing = Buffer.alloc(0);
const noTrailers: RawHeaders = [];
/** Pieces that wait to be taken and are smaller are put together. */
const smallBytes = 1024;

/** One request and its reply, either end of it. Source: RFC 9113 section 5 (read 2026-11-28). */
export class Http2Stream {
  readonly #link: StreamLink;
  readonly #options: StreamOptions;
  #events: StreamEvents | null = null;
  /** 0 until it is opened. */
  id = 0;
  /** Whether what the other end says of HEAD is of a body that never comes. For its connection, as the next. */
  isHead = false;
  hasHead = false;
  sendWindow: number;
  #pieces: Buffer[] = [];
  /** How far the first of them has been sent. */
  #pieceAt = 0;
  #isEnding = false;
  #trailers: RawHeaders = noTrailers;
  #cutCode: number | null = null;
  #wantsDrain = false;
  #isLocalEnded = false;
  #isRemoteEnded = false;
  #end: StreamEnd | null = null;
  #isPaused = false;
  /** What came while paused. */
  #held: Buffer[] = [];
  #heldTrailers: string[] | null = null;
  #receiveWindow: number;
  #untold = 0;
  #bytesLeft: number | null = null;

  constructor(link: StreamLink, options: StreamOptions) {
    this.#link = link;
    this.#options = options;
    this.sendWindow = options.sendWindow;
    this.#receiveWindow = options.windowBytes;
  }

  /** Nothing more can be said on it. */
  get isOver(): boolean {
    return this.#end !== null || this.#isLocalEnded || this.#isEnding || this.#cutCode !== null;
  }

  get isClosed(): boolean {
    return this.#end !== null;
  }

  get isRemoteEnded(): boolean {
    return this.#isRemoteEnded;
  }

  /** All that was to be said is on its way. */
  get isSent(): boolean {
    return this.#isLocalEnded;
  }

  /** What is still to come of a body whose head said its length. */
  get bytesLeft(): number | null {
    return this.#bytesLeft;
  }

  get canSend(): boolean {
    if (this.#end !== null || this.#isLocalEnded || this.id === 0) return false;
    return this.#pieces.length > 0 ? this.sendWindow > 0 : this.#isEnding || this.#cutCode !== null;
  }

  /** Whether what it is to send next counts for the windows. */
  get hasBody(): boolean {
    return this.#pieces.length > 0;
  }

  listen(events: StreamEvents): void {
    this.#events = events;
  }

  writeHead(raw: RawHeaders, isEnd: boolean): void {
    if (this.isOver) return;
    this.#link.writeHead(this, raw, isEnd);
    if (isEnd) this.markSent();
  }

  /** Whether more may follow before `onDrain`. */
  write(bytes: Buffer): boolean {
    if (this.isOver) return true;
    if (bytes.length > 0) this.#pieces.push(bytes);
    this.#link.send(this);
    this.#wantsDrain = this.#pieces.length > 0;
    return !this.#wantsDrain;
  }

  end(lastPiece: Buffer | null, trailers: RawHeaders = noTrailers): void {
    if (this.isOver) return;
    if (lastPiece !== null && lastPiece.length > 0) this.#pieces.push(lastPiece);
    this.#trailers = trailers;
    this.#isEnding = true;
    this.#link.send(this);
  }

  /** Resets it when all that was written is sent. */
  cut(code: number): void {
    if (this.isOver) return this.reset(code);
    this.#cutCode = code;
    this.#link.send(this);
  }

  /** Resets it at once. */
  reset(code: number): void {
    const wasHeld = this.#isHeld;
    this.#held = [];
    this.#heldTrailers = null;
    if (this.#end === null) this.#giveUp(code);
    else if (wasHeld) this.#tellClosedLater(this.#end);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#isHeld) process.nextTick(() => this.#deliver());
  }

  /** Sends one frame of what is to be sent, of at most so many bytes of body; returns how many. For its connection. */
  sendNext(writer: FrameWriter, mostBytes: number): number {
    const [piece] = this.#pieces;
    if (piece === undefined) {
      this.#sendEnd(writer);
      return 0;
    }
    const from = this.#pieceAt;
    const to = Math.min(piece.length, from + Math.min(mostBytes, this.sendWindow));
    if (to <= from) return 0;
    this.sendWindow -= to - from;
    this.#pieceAt = to;
    if (to === piece.length) {
      this.#pieces.shift();
      this.#pieceAt = 0;
    }
    const isEnd = this.#isEnding && this.#pieces.length === 0 && this.#trailers.length === 0;
    writer.data(this.id, piece, { from, to }, isEnd);
    if (isEnd) this.markSent();
    return to - from;
  }

  /** Tells the owner that it may go on, where it waits. For its connection, after it has sent. */
  tellDrained(): void {
    if (!this.#wantsDrain || this.#pieces.length > 0 || this.#end !== null) return;
    this.#wantsDrain = false;
    this.#tell(() => this.#events?.onDrain());
  }

  /** The whole head, or all, is on its way. */
  markSent(): void {
    this.#isLocalEnded = true;
    this.#tell(() => this.#events?.onSent?.());
    this.#closeWhenEnded();
  }

  /** The length of what is to come, by the head before it. */
  expect(bytesLeft: number | null): void {
    this.#bytesLeft = bytesLeft;
  }

  receiveHead(status: number, raw: string[], isEnd: boolean): void {
    this.#tell(() => this.#events?.onHead?.(status, raw, isEnd));
    if (isEnd && this.#end === null) this.receiveEnd([]);
  }

  /** @returns whether it was more than the other end may send */
  receiveData(piece: Buffer, isEnd: boolean, paddingBytes: number): boolean {
    this.#receiveWindow -= piece.length + paddingBytes;
    if (this.#receiveWindow < 0) return false;
    if (paddingBytes > 0) this.#credit(paddingBytes);
    if (this.#bytesLeft !== null) {
      this.#bytesLeft -= piece.length;
      // NOTE: what is longer than it says could be taken for something else by who reads it on.
      if (this.#bytesLeft < 0) {
        this.#link.refuse(this, errorCodes.protocolError);
        return true;
      }
    }
    if (this.#isPaused || this.#held.length > 0) {
      if (piece.length > 0) this.#hold(piece);
    } else if (piece.length > 0) {
      if (!isEnd) this.#credit(piece.length);
      this.#tell(() => this.#events?.onData(piece));
    }
    if (isEnd && this.#end === null) this.receiveEnd([]);
    return true;
  }

  receiveEnd(rawTrailers: string[]): void {
    // NOTE: what is shorter than its head says was cut on its way.
    if (this.#bytesLeft !== null && this.#bytesLeft > 0) return this.#link.refuse(this, errorCodes.protocolError);
    this.#isRemoteEnded = true;
    if (this.#isPaused || this.#held.length > 0) this.#heldTrailers = rawTrailers;
    else this.#tell(() => this.#events?.onEnd(rawTrailers));
    this.#closeWhenEnded();
  }

  /** The other end, or the end of the connection, has ended it. */
  receiveClose(end: StreamEnd): void {
    if (this.#end !== null) return;
    if (this.#options.isRemote) {
      this.#held = [];
      this.#heldTrailers = null;
    }
    this.#forget(end);
    // At once: who has just ended its half and takes all back has ended nothing.
    if (!this.#isHeld) this.#tellClosed(end);
  }

  /** @returns whether the window is one that can be */
  addWindow(bytes: number): boolean {
    this.sendWindow += bytes;
    return this.sendWindow <= maxWindowBytes;
  }

  #sendEnd(writer: FrameWriter): void {
    if (this.#cutCode !== null) return this.reset(this.#cutCode);
    if (!this.#isEnding || this.#isLocalEnded) return;
    if (this.#trailers.length > 0) this.#link.writeHead(this, this.#trailers, true);
    else writer.data(this.id, nothing, { from: 0, to: 0 }, true);
    this.markSent();
  }

  /** NOTE: what is small beside what it came in is copied, for it would keep that alive; small ones together. */
  #hold(piece: Buffer): void {
    const last = this.#held.at(-1);
    const keepsMore = piece.buffer.byteLength > piece.length * 2;
    if (piece.length >= smallBytes) this.#held.push(keepsMore ? Buffer.from(piece) : piece);
    else if (last === undefined || last.length >= smallBytes) this.#held.push(Buffer.from(piece));
    else this.#held[this.#held.length - 1] = Buffer.concat([last, piece]);
  }

  /** Lets the other end send more once half of what it may is taken. */
  #credit(bytes: number): void {
    this.#untold += bytes;
    if (this.#untold * 2 < this.#options.windowBytes || this.#isRemoteEnded || this.#end !== null) return;
    this.#link.writeNumber(frameTypes.windowUpdate, this.id, this.#untold);
    this.#receiveWindow += this.#untold;
    this.#untold = 0;
  }

  #deliver(): void {
    while (!this.#isPaused) {
      const piece = this.#held.shift();
      if (piece === undefined) break;
      this.#credit(piece.length);
      this.#tell(() => this.#events?.onData(piece));
    }
    if (this.#isPaused || this.#held.length > 0) return;
    const trailers = this.#heldTrailers;
    this.#heldTrailers = null;
    if (trailers !== null) this.#tell(() => this.#events?.onEnd(trailers));
    if (this.#end !== null) this.#tellClosed(this.#end);
  }

  #giveUp(code: number): void {
    if (this.#end !== null) return;
    if (this.id > 0) this.#link.writeNumber(frameTypes.reset, this.id, code);
    this.#close({ code, lost: null });
  }

  #closeWhenEnded(): void {
    if (this.#isLocalEnded && this.#isRemoteEnded) this.#close({ code: errorCodes.noError, lost: null });
  }

  #close(end: StreamEnd): void {
    if (this.#end !== null) return;
    this.#forget(end);
    if (!this.#isHeld) this.#tellClosedLater(end);
  }

  #forget(end: StreamEnd): void {
    this.#end = end;
    this.#pieces = [];
    this.#link.forget(this);
  }

  get #isHeld(): boolean {
    return this.#held.length > 0 || this.#heldTrailers !== null;
  }

  /** Never from within what the owner does. */
  #tellClosedLater(end: StreamEnd): void {
    process.nextTick(() => this.#tellClosed(end));
  }

  #tellClosed(end: StreamEnd): void {
    const events = this.#events;
    this.#events = null;
    try {
      events?.onClosed(end);
    } catch (error) {
      this.#link.onProblem(toError(error));
    }
  }

  /** An owner that throws ends its own stream and nobody else's. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#link.onProblem(toError(error));
      this.reset(errorCodes.internalError);
    }
  }
}
