import { readErrorMessage } from '../../core/errors.js';
import { CodingChain } from './coding-chain.js';
import { decoderMakers, encoderMakers } from './coding-stage.js';
import { viewBytes } from './growing-buffer.js';
import { WholeDecoder } from './whole-decoder.js';

/** Bytes in, bytes out, of one body. Never throws and never emits an error: what went wrong is `problem`. */
export interface Decoder {
  /** Takes the next bytes, which must not be changed afterwards. */
  write(bytes: Uint8Array): void;
  /** Gives out what is left. A promise when that takes a moment; it always resolves. */
  end(): Promise<void> | void;
  /** Why nothing, or not everything, could be given out, as a sentence. */
  readonly problem: string | null;
  /** Bytes taken and not yet worked on. */
  readonly queuedBytes: number;
  /** Resolves when more may be written; `undefined` when it may be at once. Only a caller in the way of traffic waits. */
  ready(): Promise<void> | undefined;
  /** Gives memory and handles back and stops giving out; may be called twice, also before the end. */
  close(): void;
}

export type Encoder = Decoder;

export interface DecoderOptions {
  /** Bytes a body may decode to; 1 GiB when absent. */
  readonly maxDecodedBytes?: number;
  /** Past 64 MiB decoded, how many times larger than the encoded bytes they may be; 100 when absent. */
  readonly maxRatio?: number;
  /** The body comes in one go: collect it (to 256 KiB) and decode it synchronously at the end. */
  readonly whole?: boolean;
}

const DEFAULT_MAX_DECODED_BYTES = 1024 * 1024 * 1024;
/** A stream of model output flushed frame by frame comes to 5 to 30 times its size, zeros to 230 and more. */
const DEFAULT_MAX_RATIO = 100;
const MAX_CODINGS = 4;

/**
 * Opens a reader of a body's content codings, as the `content-encoding` header lists them
 * (https://www.rfc-editor.org/rfc/rfc9110#section-8.4, read 2026-11-21): gzip, br, deflate (zlib and bare), zstd, and
 * lists of up to four. Without a coding bytes are passed on synchronously. Each block the sender flushed comes out
 * at once. A body which decodes to too much is given out up to the bound, then `problem` says so; one that was cut
 * is given out up to the cut.
 */
export function openDecoder(
  contentEncoding: string | null,
  sink: (bytes: Buffer) => void,
  options: DecoderOptions = {},
): Decoder {
  const codings = readCodings(contentEncoding);
  if (codings.length === 0) return new PassingDecoder(sink);
  if (codings.length > MAX_CODINGS) {
    return new RefusingDecoder(`The body is encoded ${codings.length} times over; at most ${MAX_CODINGS} are read.`);
  }
  const unknown = codings.find((coding) => !decoderMakers.has(coding));
  if (unknown !== undefined) {
    return new RefusingDecoder(`The body's content encoding "${unknown.slice(0, 40)}" is not known.`);
  }
  const bounds = {
    maxDecodedBytes: options.maxDecodedBytes ?? DEFAULT_MAX_DECODED_BYTES,
    maxRatio: options.maxRatio ?? DEFAULT_MAX_RATIO,
  };
  const makers = codings.flatMap((coding) => decoderMakers.get(coding) ?? []).reverse();
  const openStream = (): CodingChain => new CodingChain(makers, sink, { ...bounds, maxQueuedBytes: MAX_QUEUED_BYTES });
  if (options.whole !== true) return openStream();
  return new WholeDecoder(codings.slice().reverse(), sink, { ...bounds, openStream });
}

/** What may wait to be decoded before the reader gives up: decoding a copy must not hold a fast body in memory. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/**
 * Opens a writer of one content coding that flushes after every write, for a stream whose frames were changed on
 * the way. `undefined` for codings that cannot be written (zstd, lists).
 */
export function openEncoder(contentEncoding: string | null, sink: (bytes: Buffer) => void): Encoder | undefined {
  const [coding, ...more] = readCodings(contentEncoding);
  if (coding === undefined) return new PassingDecoder(sink);
  const maker = encoderMakers.get(coding);
  if (maker === undefined || more.length > 0) return undefined;
  return new CodingChain([maker], sink, {
    maxDecodedBytes: Number.POSITIVE_INFINITY,
    maxRatio: Number.POSITIVE_INFINITY,
    maxQueuedBytes: Number.POSITIVE_INFINITY,
    writesEmptyBodies: true,
  });
}

/** The codings of a `content-encoding` header in the order they were applied, lower case, `identity` left out. */
export function readCodings(contentEncoding: string | null): readonly string[] {
  if (contentEncoding === null) return [];
  const names = contentEncoding.split(',').map((name) => name.trim().toLowerCase());
  return names.filter((name) => name !== '' && name !== 'identity');
}

class PassingDecoder implements Decoder {
  readonly #sink: (bytes: Buffer) => void;
  readonly queuedBytes = 0;
  problem: string | null = null;
  #closed = false;

  constructor(sink: (bytes: Buffer) => void) {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): void {
    if (this.#closed || this.problem !== null) return;
    try {
      this.#sink(viewBytes(bytes));
    } catch (error) {
      this.problem = `The reader of the body failed: ${readErrorMessage(error)}.`;
    }
  }

  end(): void {
    this.#closed = true;
  }

  ready(): undefined {
    return undefined;
  }

  close(): void {
    this.#closed = true;
  }
}

class RefusingDecoder implements Decoder {
  readonly problem: string;
  readonly queuedBytes = 0;

  constructor(problem: string) {
    this.problem = problem;
  }

  write(): void {
    // Nothing can be read.
  }

  end(): void {
    // Nothing was held.
  }

  ready(): undefined {
    return undefined;
  }

  close(): void {
    // Nothing was opened.
  }
}
