import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { readErrorMessage } from '../../core/errors.js';
import type { CodingChain } from './coding-chain.js';
import { isZlibHeader } from './coding-stage.js';
import { GrowingBuffer } from './growing-buffer.js';
import { ZstdDecoder } from './zstd-decoder.js';

export interface WholeDecoderOptions {
  readonly maxDecodedBytes: number;
  readonly openStream: () => CodingChain;
}

/** Encoded bytes collected; measured: gunzipping so much of text takes some milliseconds. */
const MAX_COLLECTED_BYTES = 256 * 1024;
/** What may come out of them at once without holding others up. */
const MAX_SYNC_BYTES = 4 * 1024 * 1024;

/**
 * Decodes a small body in one synchronous step when it has ended, which saves the trip to a thread and back. A
 * body that is larger, was cut, or comes to too much goes through the streams of `openDecoder` instead.
 */
export class WholeDecoder {
  readonly #codings: readonly string[];
  readonly #sink: (bytes: Buffer) => void;
  readonly #options: WholeDecoderOptions;
  readonly #collected = new GrowingBuffer();
  #stream: CodingChain | null = null;
  #problem: string | null = null;
  #closed = false;

  /** @param codings in the order they are to be undone */
  constructor(codings: readonly string[], sink: (bytes: Buffer) => void, options: WholeDecoderOptions) {
    this.#codings = codings;
    this.#sink = sink;
    this.#options = options;
  }

  get problem(): string | null {
    return this.#problem ?? this.#stream?.problem ?? null;
  }

  get queuedBytes(): number {
    return this.#collected.length + (this.#stream?.queuedBytes ?? 0);
  }

  write(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#stream !== null) this.#stream.write(bytes);
    else if (this.#collected.length + bytes.length <= MAX_COLLECTED_BYTES) this.#collected.append(bytes);
    else this.#turnToStream().write(bytes);
  }

  end(): Promise<void> | void {
    if (this.#closed) return undefined;
    if (this.#stream !== null) return this.#stream.end();
    if (this.#collected.length === 0) return undefined;
    const decoded = this.#decode(this.#collected.view());
    if (decoded === null) return this.#turnToStream().end();
    this.#closed = true;
    this.#collected.clear();
    try {
      this.#sink(decoded);
    } catch (error) {
      this.#problem = `The reader of the body failed: ${readErrorMessage(error)}.`;
    }
    return undefined;
  }

  ready(): Promise<void> | undefined {
    return this.#stream?.ready();
  }

  close(): void {
    this.#closed = true;
    this.#collected.clear();
    this.#stream?.close();
  }

  #turnToStream(): CodingChain {
    const stream = this.#options.openStream();
    this.#stream = stream;
    stream.write(this.#collected.take());
    return stream;
  }

  #decode(collected: Buffer): Buffer | null {
    const maxOutputLength = Math.min(MAX_SYNC_BYTES, this.#options.maxDecodedBytes);
    try {
      return this.#codings.reduce((bytes, coding) => decodeSync(bytes, coding, maxOutputLength), collected);
    } catch {
      // Cut, damaged or too large: the streams give out what there is and say what is wrong.
      return null;
    }
  }
}

function decodeSync(bytes: Buffer, coding: string, maxOutputLength: number): Buffer {
  switch (coding) {
    case 'br':
      return brotliDecompressSync(bytes, { maxOutputLength });
    case 'deflate':
      return isZlibHeader(bytes[0] ?? 0)
        ? inflateSync(bytes, { maxOutputLength })
        : inflateRawSync(bytes, { maxOutputLength });
    case 'zstd':
      return decodeZstdSync(bytes, maxOutputLength);
    default:
      return gunzipSync(bytes, { maxOutputLength });
  }
}

function decodeZstdSync(bytes: Buffer, maxOutputLength: number): Buffer {
  const decoder = new ZstdDecoder();
  const blocks: Uint8Array[] = [];
  let length = 0;
  for (const block of decoder.read(bytes)) {
    length += block.length;
    if (length > maxOutputLength) throw new Error(`it decodes to more than ${maxOutputLength} bytes`);
    blocks.push(block);
  }
  if (!decoder.isComplete) throw new Error('unexpected end of file');
  return Buffer.concat(blocks, length);
}
