import { readErrorMessage } from '../../core/errors.js';
import type { CodingStream, StageMaker } from './coding-stage.js';
import { viewBytes } from './growing-buffer.js';

export interface ChainBounds {
  readonly maxDecodedBytes: number;
  readonly maxRatio: number;
  readonly maxQueuedBytes: number;
  /** A body without a byte still has a head and a foot: true of encoders. */
  readonly writesEmptyBodies?: boolean;
}

/** Up to so many decoded bytes no ratio is too high. */
const RATIO_FREE_BYTES = 64 * 1024 * 1024;
/** What may wait before `ready()` asks to. */
const READY_BYTES = 256 * 1024;

interface Stage {
  readonly make: StageMaker;
  stream: CodingStream | null;
  given: number;
  /** Takes nothing more, and ends when all it has been given is out. */
  isEnding: boolean;
}

const NOTHING = Buffer.alloc(0);

/**
 * Coding streams one behind the other, each opened by its first byte, with back-pressure between them and bounds
 * on what each gives out. See `openDecoder`.
 */
export class CodingChain {
  readonly #stages: readonly Stage[];
  readonly #sink: (bytes: Buffer) => void;
  readonly #bounds: ChainBounds;
  #problem: string | null = null;
  #settled = false;
  #onSettled: () => void = () => undefined;

  constructor(makers: readonly StageMaker[], sink: (bytes: Buffer) => void, bounds: ChainBounds) {
    this.#stages = makers.map((make) => ({ make, stream: null, given: 0, isEnding: false }));
    this.#sink = sink;
    this.#bounds = bounds;
  }

  get problem(): string | null {
    return this.#problem;
  }

  get queuedBytes(): number {
    return this.#stages[0]?.stream?.writableLength ?? 0;
  }

  write(bytes: Uint8Array): void {
    if (this.#settled || bytes.length === 0) return;
    if (this.queuedBytes + bytes.length > this.#bounds.maxQueuedBytes) {
      this.#fail(
        `The body came faster than it could be decoded: more than ${this.#bounds.maxQueuedBytes} bytes waited.`,
      );
      return;
    }
    this.#feed(0, viewBytes(bytes));
  }

  end(): Promise<void> | void {
    if (this.#settled) return undefined;
    if (this.#stages[0]?.stream === null && this.#bounds.writesEmptyBodies !== true) {
      this.#settle();
      return undefined;
    }
    return new Promise((resolve) => {
      this.#onSettled = resolve;
      this.#endStage(0);
    });
  }

  ready(): Promise<void> | undefined {
    const stream = this.#stages[0]?.stream;
    if (this.#settled || !stream || stream.writableLength <= READY_BYTES) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done).off('close', done);
        resolve();
      };
      stream.on('drain', done).on('close', done);
    });
  }

  close(): void {
    this.#settle();
  }

  /** Whether the stage takes more at once. */
  #feed(index: number, bytes: Buffer): boolean {
    const stage = this.#stages[index];
    if (stage === undefined) return this.#give(bytes);
    stage.stream ??= this.#open(index, stage.make(bytes[0] ?? 0));
    if (stage.isEnding || stage.stream.destroyed) return true;
    return stage.stream.write(bytes);
  }

  #open(index: number, stream: CodingStream): CodingStream {
    stream.on('data', (bytes: Buffer) => this.#take(index, stream, bytes));
    stream.on('end', () => this.#endStage(index + 1));
    stream.on('error', (error) => {
      this.#problem ??= explainFailure(error);
      this.#endStage(index + 1);
    });
    return stream;
  }

  #take(index: number, stream: CodingStream, bytes: Buffer): void {
    const stage = this.#stages[index];
    if (this.#settled || stage === undefined) return;
    stage.given += bytes.length;
    const problem = this.#findExcess(stage.given, stream.bytesWritten);
    if (problem !== null) {
      const allowed = this.#bounds.maxDecodedBytes - (stage.given - bytes.length);
      if (allowed > 0) this.#feed(index + 1, bytes.subarray(0, allowed));
      this.#fail(problem);
      return;
    }
    if (this.#feed(index + 1, bytes)) return;
    stream.pause();
    this.#stages[index + 1]?.stream?.once('drain', () => stream.resume());
  }

  #findExcess(given: number, taken: number): string | null {
    const { maxDecodedBytes, maxRatio } = this.#bounds;
    if (given > maxDecodedBytes)
      return `The body decodes to more than ${maxDecodedBytes} bytes; the rest was not read.`;
    if (given <= RATIO_FREE_BYTES || given <= taken * maxRatio) return null;
    return `The body decodes to more than ${maxRatio} times its size (${given} bytes of ${taken}); the rest was not read.`;
  }

  #give(bytes: Buffer): boolean {
    try {
      this.#sink(bytes);
    } catch (error) {
      this.#fail(`The reader of the body failed: ${readErrorMessage(error)}.`);
    }
    return true;
  }

  #endStage(index: number): void {
    const stage = this.#stages[index];
    if (stage === undefined) {
      this.#settle();
      return;
    }
    if (stage.stream === null && this.#bounds.writesEmptyBodies !== true) {
      this.#endStage(index + 1);
      return;
    }
    stage.stream ??= this.#open(index, stage.make(0));
    if (stage.stream.destroyed) {
      this.#settle();
      return;
    }
    if (stage.isEnding) return;
    stage.isEnding = true;
    // An encoder loses nothing by its end, and would write a flush for the write of nothing.
    if (this.#bounds.writesEmptyBodies === true) stage.stream.end();
    else endWhenGiven(stage.stream);
  }

  #fail(problem: string): void {
    this.#problem ??= problem;
    this.#settle();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    for (const stage of this.#stages) stage.stream?.destroy();
    this.#onSettled();
  }
}

/**
 * Ends a decoder when everything it was given has come out. NOTE: a stream that fails throws away what waits to be read
 * from it, and one whose body ends in the middle fails by its `end` (Node 20.20).
 */
function endWhenGiven(stream: CodingStream): void {
  const endIfRead = (): void => {
    if (stream.destroyed) return;
    if (stream.readableLength === 0) stream.end();
    else stream.once('data', endIfRead);
  };
  stream.write(NOTHING, endIfRead);
}

/** The sentence for an error of a coding stream. */
export function explainFailure(error: unknown): string {
  const message = readErrorMessage(error);
  if (message === 'unexpected end of file') return 'The encoded body ends in the middle.';
  return `The encoded body could not be decoded: ${message}.`;
}
