import type { SocketSaying } from '../../../core/socket.js';
import { FrameCutter, type FramePiece } from './frame-cutter.js';
import { makeCloseFrame, makeMessageFrame } from './make-frame.js';

/** What the tap says to a client, between the messages of its provider. */
export class SocketSayings {
  readonly #cutter = new FrameCutter();
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #say: (bytes: Buffer) => void = () => undefined;
  /** The socket is closed by the tap: nothing may follow that. */
  #isClosing = false;
  /** What was given last of the provider's ends within a message. */
  #isInMessage = false;

  /** @param say gets what may be said at once */
  bind(say: (bytes: Buffer) => void): void {
    this.#say = say;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Says it as soon as no message of the provider's is under way. */
  add(saying: SocketSaying): void {
    if (this.#isClosing) return;
    this.#isClosing = !('text' in saying);
    const frame =
      'text' in saying
        ? makeMessageFrame({ payload: Buffer.from(saying.text), isBinary: false, isCompressed: false, mask: null })
        : makeCloseFrame(saying.code, saying.reason);
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    if (this.#cutter.isBetweenMessages) for (const bytes of this.#takeWaiting()) this.#say(bytes);
  }

  /** What is to go to the client of a piece of the provider's, with what the tap says in between. */
  take(chunk: Buffer): readonly Buffer[] {
    const given: Buffer[] = [];
    for (const piece of this.#cutter.write(chunk)) {
      if (this.#isClosing && this.#waiting.length === 0) break;
      given.push(piece.bytes);
      if (this.#endsMessage(piece)) given.push(...this.#takeWaiting());
    }
    return given;
  }

  #takeWaiting(): Buffer[] {
    this.#waitingBytes = 0;
    return this.#waiting.splice(0);
  }

  /** Whether no message is under way behind this piece: the cutter is already behind all of its chunk. */
  #endsMessage({ isControl, endsFrame, endsMessage }: FramePiece): boolean {
    if (!isControl) this.#isInMessage = !endsMessage;
    return endsFrame && !this.#isInMessage;
  }
}
