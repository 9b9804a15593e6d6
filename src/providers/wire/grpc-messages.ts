import { gunzipSync, inflateSync } from 'node:zlib';
import { readErrorMessage } from '../../core/errors.js';
import { GrowingBuffer, viewBytes } from './growing-buffer.js';

export interface GrpcMessagesOptions {
  /** The header `grpc-encoding`; `null` when there is none. */
  readonly encoding: string | null;
  /** Takes each message that could be read, decompressed; valid during the call only. */
  readonly onMessage: (message: Buffer) => void;
  /** A message could not be read: why, as a sentence. */
  readonly onProblem: (problem: string) => void;
}

/** A flag that says whether it is compressed, and the length of the message. */
const PREFIX_BYTES = 5;
/** Four times what gRPC takes where nobody says otherwise: https://grpc.github.io/grpc/core/group__grpc__arg__keys.html (read 2026-11-27). */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Inflated at once, in some 10 ms at most: a message is one document, and the next one may be the last. */
const MAX_INFLATED_BYTES = 4 * 1024 * 1024;

/**
 * Cuts a body of gRPC into its messages, as they come. One that is too large, or in a compression that is not read, is
 * passed over. Holds one message at most. Never throws. Source:
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message (read 2026-11-27).
 */
export class GrpcMessages {
  readonly #options: GrpcMessagesOptions;
  readonly #held = new GrowingBuffer();
  /** Bytes of a message that is passed over. */
  #skip = 0;
  #isBroken = false;

  constructor(options: GrpcMessagesOptions) {
    this.#options = options;
  }

  write(chunk: Uint8Array): void {
    let bytes = viewBytes(chunk);
    while (bytes.length > 0 && !this.#isBroken) {
      const taken = this.#skip > 0 ? this.#passOver(bytes) : this.#take(bytes);
      bytes = bytes.subarray(taken);
    }
  }

  /** Whether the last message came to its end. */
  end(): boolean {
    return !this.#isBroken && this.#skip === 0 && this.#held.length === 0;
  }

  #passOver(bytes: Buffer): number {
    const passed = Math.min(this.#skip, bytes.length);
    this.#skip -= passed;
    return passed;
  }

  /** Takes a message whole where the chunk has it so, without a copy; else what there is of it. */
  #take(bytes: Buffer): number {
    if (this.#held.length === 0 && bytes.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + bytes.readUInt32BE(1);
      if (end <= bytes.length) {
        this.#read(bytes.subarray(0, end));
        return end;
      }
    }
    const missing = this.#countMissing();
    const taken = Math.min(missing, bytes.length);
    this.#held.append(bytes.subarray(0, taken));
    this.#settle();
    return taken;
  }

  /** Of the prefix first, then of the message it tells the length of. */
  #countMissing(): number {
    const held = this.#held.view();
    if (held.length < PREFIX_BYTES) return PREFIX_BYTES - held.length;
    return PREFIX_BYTES + held.readUInt32BE(1) - held.length;
  }

  #settle(): void {
    const held = this.#held.view();
    if (held.length < PREFIX_BYTES) return;
    const length = held.readUInt32BE(1);
    if (length > MAX_MESSAGE_BYTES) {
      this.#complainOfSize(length);
      this.#skip = length;
    } else if (held.length < PREFIX_BYTES + length) {
      return;
    } else {
      this.#read(held);
    }
    this.#held.clear();
  }

  #read(message: Buffer): void {
    const body = message.subarray(PREFIX_BYTES);
    const flag = message[0];
    if (body.length > MAX_MESSAGE_BYTES) this.#complainOfSize(body.length);
    else if (flag === 0) this.#options.onMessage(body);
    else if (flag === 1) this.#inflate(body);
    else {
      this.#isBroken = true;
      this.#options.onProblem(`A message of gRPC begins with ${flag}, which is neither 0 nor 1.`);
    }
  }

  #inflate(body: Buffer): void {
    const { encoding, onMessage, onProblem } = this.#options;
    const inflate = encoding === 'gzip' ? gunzipSync : encoding === 'deflate' ? inflateSync : null;
    if (inflate === null) return onProblem(`A message of gRPC is compressed by ${encoding ?? 'nothing named'}.`);
    let inflated: Buffer;
    try {
      inflated = inflate(body, { maxOutputLength: MAX_INFLATED_BYTES });
    } catch (error) {
      return onProblem(`A message of gRPC could not be decompressed: ${readErrorMessage(error).replace(/\.$/, '')}.`);
    }
    onMessage(inflated);
  }

  #complainOfSize(length: number): void {
    this.#options.onProblem(`A message of gRPC of ${length} bytes is too large to be read.`);
  }
}
