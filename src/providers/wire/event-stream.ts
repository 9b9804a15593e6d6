import { crc32 } from 'node:zlib';
import { readErrorMessage } from '../../core/errors.js';
import { EventStreamDecoder, type EventStreamMessage } from './event-stream-codec.js';
import { GrowingBuffer, viewBytes } from './growing-buffer.js';

export interface EventStreamOptions {
  /** Bytes a message may have, all of it; 16 MiB when absent. */
  readonly maxMessageBytes?: number;
  /** Told of what could not be read, as a sentence. */
  readonly onProblem?: (problem: string) => void;
}

const DEFAULT_MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Total length, length of the headers, and the checksum of the two. */
const PRELUDE_BYTES = 12;
/** A prelude and the checksum of the message. */
const LEAST_MESSAGE_BYTES = 16;

const toNobody = (): void => undefined;

/**
 * Reads an AWS event stream (`application/vnd.amazon.eventstream`) out of bytes cut anywhere, each message as soon as its
 * last byte has passed.
 *
 * A message is its length and that of its headers (32 bits each, big endian), their CRC-32, headers, payload, and the
 * CRC-32 of all that. Source: https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html (read 2026-11-27);
 * headers and checksums are `@smithy/core`'s (`event-stream-codec.ts`), which wants whole messages: so the cutting is done
 * here, and bounded.
 *
 * Keeps at most `maxMessageBytes`: a longer message is passed over with a problem, as is one whose checksum is wrong.
 * Where the prelude itself is damaged nothing tells where the next message begins: the rest is not read. Never throws
 * unless `onMessage` does.
 *
 * ```ts
 * const reader = new EventStreamReader(({ headers, payload }) => console.log(headers.get(':event-type'), `${payload}`));
 * reader.write(bytes);   // messageStart {"role":"assistant"}
 * reader.end();          // true
 * ```
 */
export class EventStreamReader {
  readonly #onMessage: (message: EventStreamMessage) => void;
  readonly #onProblem: (problem: string) => void;
  readonly #maxMessageBytes: number;
  readonly #decoder = new EventStreamDecoder();
  readonly #held = new GrowingBuffer();
  /** Of the message that is held, once its prelude is. */
  #total = 0;
  #skip = 0;
  #isBroken = false;

  constructor(onMessage: (message: EventStreamMessage) => void, options: EventStreamOptions = {}) {
    this.#onMessage = onMessage;
    this.#onProblem = options.onProblem ?? (() => undefined);
    this.#maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  }

  /** Bytes kept of a message that is not all there. */
  get heldBytes(): number {
    return this.#held.length;
  }

  write(bytes: Uint8Array): void {
    this.#read(viewBytes(bytes), toNobody);
  }

  /**
   * As `write`.
   *
   * @param onMessageEnd told, before a message is, at which byte of the block it ends
   */
  writeBlock(block: Buffer, onMessageEnd: (end: number) => void): void {
    this.#read(block, onMessageEnd);
  }

  #read(chunk: Buffer, onMessageEnd: (end: number) => void): void {
    for (let at = 0; at < chunk.length && !this.#isBroken; ) {
      if (this.#skip > 0) at += this.#pass(chunk.length - at);
      else if (this.#held.length === 0) at += this.#readWhole(chunk, at, onMessageEnd);
      else {
        onMessageEnd(Math.min(chunk.length, at + this.#findWanted()));
        at += this.#hold(chunk.subarray(at));
      }
    }
  }

  /** Whether the stream ended between two messages. */
  end(): boolean {
    if (this.#isBroken) return false;
    const isWhole = this.#held.length === 0 && this.#skip === 0;
    if (!isWhole) this.#onProblem('The event stream ends in the middle of a message.');
    return isWhole;
  }

  /** How many of the bytes belong to a message that is passed over. */
  #pass(available: number): number {
    const passed = Math.min(this.#skip, available);
    this.#skip -= passed;
    return passed;
  }

  /** Reads a message that is all there without keeping it; how many bytes were used. */
  #readWhole(chunk: Buffer, at: number, onMessageEnd: (end: number) => void): number {
    const available = chunk.length - at;
    if (available >= PRELUDE_BYTES) {
      const known = this.#decoder.findKnown(chunk, at, this.#maxMessageBytes);
      if (known !== undefined) {
        onMessageEnd(at + known.bytes);
        this.#onMessage(known.message);
        return known.bytes;
      }
      const rest = chunk.subarray(at);
      const total = this.#readPrelude(rest);
      if (this.#isBroken || this.#skip > 0) return 0;
      if (available >= total) {
        onMessageEnd(at + total);
        this.#decode(rest.subarray(0, total));
        return total;
      }
      this.#total = total;
    }
    this.#held.append(chunk.subarray(at));
    return available;
  }

  /** How many bytes the message that is held, or its prelude, wants yet. */
  #findWanted(): number {
    return (this.#held.length < PRELUDE_BYTES ? PRELUDE_BYTES : this.#total) - this.#held.length;
  }

  #hold(rest: Buffer): number {
    const isPrelude = this.#held.length < PRELUDE_BYTES;
    const wanted = this.#findWanted();
    const taken = Math.min(wanted, rest.length);
    this.#held.append(rest.subarray(0, taken));
    if (taken < wanted) return taken;
    if (isPrelude) {
      this.#total = this.#readPrelude(this.#held.view());
      if (this.#skip === 0) return taken;
      this.#skip -= PRELUDE_BYTES;
    } else this.#decode(this.#held.view());
    this.#held.clear();
    return taken;
  }

  /** The length of the message, 0 when it is broken or to be passed over. */
  #readPrelude(bytes: Buffer): number {
    const total = bytes.readUInt32BE(0);
    const isSane = total >= LEAST_MESSAGE_BYTES && bytes.readUInt32BE(4) <= total - LEAST_MESSAGE_BYTES;
    if (!isSane || crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) {
      this.#isBroken = true;
      this.#held.clear();
      this.#onProblem('A message of the event stream does not begin as one should: the rest was not read.');
      return 0;
    }
    if (total <= this.#maxMessageBytes) return total;
    this.#skip = total;
    this.#onProblem(`A message of the event stream was larger than ${this.#maxMessageBytes} bytes and was not read.`);
    return 0;
  }

  #decode(bytes: Buffer): void {
    let message: EventStreamMessage;
    try {
      message = this.#decoder.decode(bytes);
    } catch (error) {
      this.#onProblem(`A message of the event stream could not be read: ${readErrorMessage(error)}.`);
      return;
    }
    this.#onMessage(message);
  }
}
