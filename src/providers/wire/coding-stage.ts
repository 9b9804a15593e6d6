import { Transform, type TransformCallback } from 'node:stream';
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflate,
  createGunzip,
  createGzip,
  createInflate,
  createInflateRaw,
} from 'node:zlib';
import { toError } from '../../core/errors.js';
import { ZstdDecoder } from './zstd-decoder.js';

/** A coding as a stream. */
export interface CodingStream extends Transform {
  /** Bytes worked on so far; those that wait do not count. */
  readonly bytesWritten: number;
}

/** Makes the stream of one coding; `first` is the first byte it will be given. */
export type StageMaker = (first: number) => CodingStream;

/** Quality of brotli when a stream is written again: the default of 11 is meant for files and takes 50 times as long. */
const BROTLI_QUALITY = 4;
/** What zstd may give out before it lets others run. */
const TURN_BYTES = 1024 * 1024;

/** Codings that can be read, by name: https://www.iana.org/assignments/http-parameters (read 2026-11-21). */
export const decoderMakers: ReadonlyMap<string, StageMaker> = new Map<string, StageMaker>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['br', () => createBrotliDecompress()],
  ['deflate', (first) => (isZlibHeader(first) ? createInflate() : createInflateRaw())],
  ['zstd', () => new ZstdTransform()],
]);

/** Codings that can be written, each write flushed at once. Node 20 cannot write zstd. */
export const encoderMakers: ReadonlyMap<string, StageMaker> = new Map<string, StageMaker>([
  ['gzip', () => createGzip({ flush: constants.Z_SYNC_FLUSH })],
  ['x-gzip', () => createGzip({ flush: constants.Z_SYNC_FLUSH })],
  ['deflate', () => createDeflate({ flush: constants.Z_SYNC_FLUSH })],
  [
    'br',
    () =>
      createBrotliCompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
      }),
  ],
]);

/** `deflate` means zlib, but some servers send the bare format; only zlib's first byte ends in 8 (RFC 1950, section 2.2). */
export function isZlibHeader(first: number): boolean {
  return (first & 0x0f) === 8;
}

/** zstd as a stream that lets others run between two pieces of a large output. */
class ZstdTransform extends Transform implements CodingStream {
  readonly #decoder = new ZstdDecoder();
  bytesWritten = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytesWritten += chunk.length;
    this.#push(this.#decoder.read(chunk), done);
  }

  override _flush(done: TransformCallback): void {
    done(this.#decoder.isComplete ? null : new Error('unexpected end of file'));
  }

  #push(blocks: Generator<Uint8Array>, done: TransformCallback): void {
    let given = 0;
    try {
      for (let next = blocks.next(); !next.done; next = blocks.next()) {
        if (this.destroyed) return;
        this.push(next.value);
        given += next.value.length;
        if (given < TURN_BYTES) continue;
        setImmediate(() => this.#push(blocks, done));
        return;
      }
    } catch (error) {
      done(toError(error));
      return;
    }
    done();
  }
}
