import { Decompress } from 'fzstd';
import { GrowingBuffer } from './growing-buffer.js';

/** Magic numbers, little endian: https://www.rfc-editor.org/rfc/rfc8878#section-3.1 (read 2026-11-21). */
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** The largest window the content coding allows: https://www.rfc-editor.org/rfc/rfc9659#section-3 (read 2026-11-21). */
const MAX_WINDOW_BYTES = 8 * 1024 * 1024;
/** RFC 8878, section 3.1.1.2.4. */
const MAX_BLOCK_BYTES = 128 * 1024;
const CHECKSUM_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
/** An empty raw block that is not the last (RFC 8878, section 3.1.1.2). */
const EMPTY_BLOCK = Buffer.from([0, 0, 0]);
const EMPTY = new Uint8Array(0);

type Unit = 'header' | 'block' | 'checksum' | 'skippable';

/**
 * Decodes a stream of zstd frames block by block: each block comes out as soon as its last byte is in, and no more
 * than 128 KiB at a time, so that a caller can stop between two of them. Window and block sizes are bounded;
 * checksums are passed over. The walk along frames and blocks is here, the decoding of a block is `fzstd`'s.
 *
 * NOTE: fzstd 0.1.1 holds a frame's first 18 bytes back, and keeps every chunk alive that ends with a block. So
 * each frame begins with empty blocks that fill those bytes up, and each block is followed by the first byte of
 * an empty one.
 */
export class ZstdDecoder {
  readonly #pending = new GrowingBuffer();
  #unit: Unit = 'header';
  #skip = 0;
  #hasChecksum = false;
  #frame: Decompress | null = null;
  #decoded: Uint8Array = EMPTY;

  /** Whether the input so far ends between two frames. */
  get isComplete(): boolean {
    return this.#unit === 'header' && this.#pending.length === 0;
  }

  /** The decoded blocks that `chunk` completes. Throws an `Error` on bad data; then do not go on. */
  *read(chunk: Uint8Array): Generator<Uint8Array> {
    this.#pending.append(chunk);
    const bytes = this.#pending.view();
    let at = 0;
    for (;;) {
      const used = this.#readUnit(bytes.subarray(at));
      if (used === 0) break;
      at += used;
      if (this.#decoded.length === 0) continue;
      const decoded = this.#decoded;
      this.#decoded = EMPTY;
      yield decoded;
    }
    if (at === 0) return;
    const rest = Buffer.from(bytes.subarray(at));
    this.#pending.clear();
    this.#pending.append(rest);
  }

  /** How many bytes the unit at the beginning takes; 0 when it is not all there. */
  #readUnit(bytes: Buffer): number {
    switch (this.#unit) {
      case 'header':
        return this.#readHeader(bytes);
      case 'block':
        return this.#readBlock(bytes);
      case 'checksum':
        if (bytes.length < CHECKSUM_BYTES) return 0;
        this.#unit = 'header';
        return CHECKSUM_BYTES;
      case 'skippable': {
        const skipped = Math.min(this.#skip, bytes.length);
        this.#skip -= skipped;
        if (this.#skip === 0) this.#unit = 'header';
        return skipped;
      }
    }
  }

  #readHeader(bytes: Buffer): number {
    if (bytes.length < 5) return 0;
    const magic = bytes.readUInt32LE(0);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      if (bytes.length < 8) return 0;
      this.#skip = bytes.readUInt32LE(4);
      this.#unit = this.#skip === 0 ? 'header' : 'skippable';
      return 8;
    }
    if (magic !== FRAME_MAGIC) throw new Error('it does not begin with a zstd frame');
    const length = measureHeader(bytes[4] ?? 0);
    if (bytes.length < length) return 0;
    const windowBytes = readWindowBytes(bytes.subarray(0, length));
    if (windowBytes > MAX_WINDOW_BYTES) throw new Error(`its window of ${windowBytes} bytes is larger than allowed`);
    this.#openFrame(Buffer.from(bytes.subarray(0, length)));
    this.#unit = 'block';
    return length;
  }

  #openFrame(header: Buffer): void {
    const descriptor = header[4] ?? 0;
    this.#hasChecksum = (descriptor & 0x04) !== 0;
    header[4] = descriptor & ~0x04;
    this.#frame = new Decompress((bytes) => {
      if (bytes.length > 0) this.#decoded = bytes;
    });
    const padding = [EMPTY_BLOCK, EMPTY_BLOCK, EMPTY_BLOCK, EMPTY_BLOCK, EMPTY_BLOCK];
    this.#frame.push(Buffer.concat([header, ...padding, EMPTY_BLOCK.subarray(0, 1)]));
  }

  #readBlock(bytes: Buffer): number {
    if (bytes.length < BLOCK_HEADER_BYTES) return 0;
    const head = bytes.readUIntLE(0, BLOCK_HEADER_BYTES);
    const isLast = (head & 1) === 1;
    const type = (head >> 1) & 3;
    const size = head >> 3;
    if (type === 3 || size > MAX_BLOCK_BYTES) throw new Error('it has an invalid block');
    const length = BLOCK_HEADER_BYTES + (type === 1 ? 1 : size);
    if (bytes.length < length) return 0;
    const after = EMPTY_BLOCK.subarray(0, isLast ? 0 : 1);
    this.#frame?.push(Buffer.concat([EMPTY_BLOCK.subarray(1), bytes.subarray(0, length), after]));
    if (isLast) {
      this.#frame = null;
      this.#unit = this.#hasChecksum ? 'checksum' : 'header';
    }
    return length;
  }
}

/** Bytes of a frame header with this descriptor, magic number included (RFC 8878, section 3.1.1.1). */
function measureHeader(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  return 5 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes(descriptor) + contentSizeBytes(descriptor);
}

function dictionaryIdBytes(descriptor: number): number {
  const flag = descriptor & 3;
  return flag === 3 ? 4 : flag;
}

function contentSizeBytes(descriptor: number): number {
  const flag = descriptor >> 6;
  if (flag === 0) return (descriptor & 0x20) !== 0 ? 1 : 0;
  return 1 << flag;
}

/** The memory the frame asks for, in bytes (RFC 8878, sections 3.1.1.1.2 and 3.1.1.1.4). */
function readWindowBytes(header: Buffer): number {
  const descriptor = header[4] ?? 0;
  if ((descriptor & 0x20) === 0) {
    const window = header[5] ?? 0;
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  const at = 5 + dictionaryIdBytes(descriptor);
  const size = contentSizeBytes(descriptor);
  if (size === 8) return header.readUInt32LE(at) + header.readUInt32LE(at + 4) * 2 ** 32;
  return header.readUIntLE(at, size) + (size === 2 ? 256 : 0);
}
