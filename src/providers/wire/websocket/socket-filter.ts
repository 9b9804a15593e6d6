import { HeldPieces } from '../../../core/held-pieces.js';
import type { SocketMessage } from '../../../core/socket.js';
import { readExtensions } from './extensions.js';
import { FrameCutter, type FramePiece } from './frame-cutter.js';
import { FrameReader, type RawMessage } from './frame-reader.js';
import { makeMessageFrame, readMask } from './make-frame.js';
import { compressAlone } from './message-deflater.js';
import { type Inflation, MessageInflater } from './message-inflater.js';
import { SocketSayings } from './socket-sayings.js';

/** What becomes of a message of the client's: it goes as it came, not at all, or as these bytes. */
export type Verdict = 'pass' | 'drop' | Buffer;

export interface FilterPorts {
  /** Decides on one message after the other; must not throw or reject. */
  readonly decide: (message: SocketMessage) => Promise<Verdict> | Verdict;
  /** A control frame of the client's, whole, in its place between the messages. */
  readonly onControl: (frame: Buffer) => void;
  /** From here on nothing of the client's can be read, and all of it goes as it comes: why, as a sentence. */
  readonly onBlind: (problem: string) => void;
  /** Nothing of the client's can go on any more: why, as a sentence. */
  readonly onStuck: (problem: string) => void;
  readonly nowMs: () => number;
}

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** What frames have besides their payload. */
const MAX_HELD_BYTES = MAX_MESSAGE_BYTES + 1024 * 1024;

type Give = (bytes: Buffer) => void;

/** What goes on in its turn: bytes as they came, or a message that is decided on. */
interface Step {
  readonly raw: readonly Buffer[];
  readonly message: RawMessage | null;
  readonly atMs: number;
}

/**
 * Stands in a WebSocket: each message of the client's goes on as is decided, and what the tap says to the client stands between
 * the provider's messages. A message that passes goes in its own frames, each byte as it came. Memory is bounded: one message,
 * up to 16 MiB, and what came in the same piece; a larger one passes unread.
 *
 * NOTE: of compressed messages that build on those before, the provider needs all it is sent to read on. So from the first that
 * is changed or left out, each is compressed anew, by itself, which any inflater reads (RFC 7692, 7.2.3.1: a sender may refer
 * back to nothing). What the tap says is not compressed, which takes no part in that (7.2.1: the RSV1 bit says it of each message).
 * Source: https://www.rfc-editor.org/rfc/rfc7692 (read 2026-11-27).
 */
export class SocketFilter {
  readonly #ports: FilterPorts;
  readonly #up = new FrameCutter();
  /** What the tap says to the client. */
  readonly sayings = new SocketSayings();
  readonly #reader: FrameReader;
  readonly #inflater: MessageInflater | null;
  readonly #windowBits: number;
  #message: RawMessage | null = null;
  readonly #raw = new HeldPieces();
  #rawBytes = 0;
  /** The provider has the beginning of the message: it must have the rest. */
  #isBegun = false;
  #control: Buffer[] = [];
  #isBlind = false;
  #isStuck = false;
  #busy: Promise<void> | null = null;
  #waiting: Step[] = [];
  /** Whether what the client compresses is compressed anew. */
  compressesAnew = false;

  /** @param extensions those the two ends agreed on, as their header lists them */
  constructor(extensions: string | null, ports: FilterPorts) {
    this.#ports = ports;
    const agreed = readExtensions(extensions);
    const compression = 'unknown' in agreed ? null : agreed.compression;
    const bounds = { maxMessageBytes: MAX_MESSAGE_BYTES, mayCompress: compression !== null };
    this.#reader = new FrameReader(
      {
        onMessage: (message) => {
          this.#message = message;
        },
        onClose: () => undefined,
        onBroken: (problem) => this.#goBlind(problem),
      },
      bounds,
    );
    this.#inflater =
      compression === null
        ? null
        : new MessageInflater({ forgets: compression.clientForgets, maxMessageBytes: MAX_MESSAGE_BYTES });
    this.#windowBits = compression?.clientWindowBits ?? 0;
    if ('unknown' in agreed) this.#goBlind(`The WebSocket extension "${agreed.unknown}" is not known.`);
  }

  /** The next piece may be given when the promise has resolved. */
  takeFromClient(chunk: Buffer, give: Give): Promise<void> | void {
    const atMs = this.#ports.nowMs();
    for (const piece of this.#up.write(chunk)) this.#takePiece(piece, atMs, give);
    return this.#busy ?? undefined;
  }

  /** What was held of a message that will not be whole goes, too. */
  endOfClient(give: Give): Promise<void> | void {
    this.#goOn({ raw: this.#raw.take(), message: null, atMs: 0 }, give);
    return this.#busy ?? undefined;
  }

  #takePiece(piece: FramePiece, atMs: number, give: Give): void {
    if (this.#isBlind) return this.#goOn({ raw: [...this.#raw.take(), piece.bytes], message: null, atMs }, give);
    if (piece.isControl) return this.#takeControl(piece, atMs, give);
    this.#reader.write(piece.bytes);
    this.#raw.add(piece.bytes);
    this.#rawBytes += piece.bytes.length;
    if (this.#rawBytes > MAX_HELD_BYTES) {
      this.#isBegun = true;
      this.#goOn({ raw: this.#raw.take(), message: null, atMs }, give);
    }
    if (!piece.endsMessage) return;
    const message = this.#message;
    this.#message = null;
    this.#rawBytes = 0;
    const bytes = this.#isBegun ? null : (message?.bytes ?? null);
    this.#isBegun = false;
    // In memory of its own: it may be waited for.
    const kept = message === null ? null : { ...message, bytes: bytes === null ? null : Buffer.from(bytes) };
    this.#goOn({ raw: this.#raw.take(), message: kept, atMs }, give);
  }

  #takeControl({ bytes, endsFrame }: FramePiece, atMs: number, give: Give): void {
    this.#control.push(bytes);
    if (!endsFrame) return;
    const frame = Buffer.concat(this.#control.splice(0));
    this.#ports.onControl(frame);
    this.#goOn({ raw: [frame], message: null, atMs }, give);
  }

  #goOn(step: Step, give: Give): void {
    if (this.#busy !== null) return void this.#waiting.push(step);
    const going = this.#take(step, give);
    if (going !== undefined) this.#busy = going.then(() => this.#takeWaiting(give));
  }

  async #takeWaiting(give: Give): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      await this.#take(next, give);
    this.#busy = null;
  }

  #take({ raw, message, atMs }: Step, give: Give): Promise<void> | undefined {
    const pass = (): undefined => {
      for (const bytes of raw) give(bytes);
    };
    if (this.#isStuck) return undefined;
    if (message === null || this.#isBlind) return pass();
    const { bytes, wireBytes, isBinary } = message;
    const inflater = message.isCompressed ? this.#inflater : null;
    const inflation: Promise<Inflation> | Inflation =
      bytes === null ? makeUnread(message, inflater) : (inflater?.inflate(bytes, atMs) ?? { bytes });
    const decide = (read: Inflation): Promise<void> | undefined => {
      if ('problem' in read) {
        if (read.isLast) this.#goBlind(read.problem);
        return this.#isStuck ? undefined : pass();
      }
      const verdict = this.#ports.decide({ bytes: read.bytes, wireBytes, atMs, isBinary });
      const apply = (what: Verdict) => this.#apply(what, { raw, message, read: read.bytes, give });
      return verdict instanceof Promise ? verdict.then(apply) : apply(verdict);
    };
    return inflation instanceof Promise ? inflation.then(decide) : decide(inflation);
  }

  #apply(
    verdict: Verdict,
    { raw, message, read, give }: Pick<Step, 'raw'> & { message: RawMessage; read: Buffer; give: Give },
  ): Promise<void> | undefined {
    const { isCompressed, isBinary } = message;
    if (verdict !== 'pass' && isCompressed && this.#inflater?.buildsOn === true) this.compressesAnew = true;
    if (verdict === 'drop') return undefined;
    if (verdict === 'pass' && !(isCompressed && this.compressesAnew)) {
      for (const bytes of raw) give(bytes);
      return undefined;
    }
    const plain = verdict === 'pass' ? read : verdict;
    const mask = readMask(Buffer.concat(raw));
    const send = (compressed: Buffer | null): undefined => {
      give(makeMessageFrame({ payload: compressed ?? plain, isBinary, isCompressed: compressed !== null, mask }));
    };
    const compressed = isCompressed ? compressAlone(plain, this.#windowBits) : null;
    return compressed instanceof Promise ? compressed.then(send) : send(compressed);
  }

  /** Where the provider can read no message any more but by what is compressed anew, one that cannot be read cannot go on. */
  #goBlind(problem: string): void {
    if (this.#isBlind || this.#isStuck) return;
    this.#isStuck = this.compressesAnew;
    this.#isBlind = !this.#isStuck;
    if (this.#isStuck) this.#ports.onStuck(problem);
    else this.#ports.onBlind(problem);
  }
}

function makeUnread({ wireBytes }: RawMessage, inflater: MessageInflater | null): Inflation {
  return { problem: `A message of ${wireBytes} bytes was not read.`, isLast: inflater?.buildsOn ?? false };
}
