import type { SocketMessage, SocketSide } from '../../../core/socket.js';
import { readExtensions } from './extensions.js';
import { FrameReader, type RawMessage } from './frame-reader.js';
import { type Inflation, MessageInflater } from './message-inflater.js';

export interface MessageSink {
  onMessage(side: SocketSide, message: SocketMessage): void;
  onClose(side: SocketSide, code: number | null, reason: string): void;
  /** A message could not be read: why, as a sentence. */
  onProblem(side: SocketSide, problem: string): void;
  /** From here on nothing of this side can be read: why, as a sentence. */
  onBroken(side: SocketSide, problem: string): void;
}

export interface MessageBounds {
  /** A larger message, as on the wire or inflated, is skipped; 16 MiB when absent. */
  readonly maxMessageBytes?: number;
  /** What may wait for a large message to be inflated; 32 MiB when absent. Beyond, the reading ends. */
  readonly maxQueuedBytes?: number;
}

const DEFAULT_MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const DEFAULT_MAX_QUEUED_BYTES = 32 * 1024 * 1024;

/** What a message that waits costs besides its bytes. */
const WAITING_BYTES = 256;

interface Direction {
  readonly frames: FrameReader;
  readonly inflater: MessageInflater | null;
  /** When the piece that is read now passed. */
  atMs: number;
  /** Nothing more of it is read. */
  isBroken: boolean;
  /** That has been told. */
  isToldBroken: boolean;
}

type Waiting = { readonly side: SocketSide; readonly message: RawMessage; readonly atMs: number } | (() => void);

/**
 * Reads a copy of both directions of a WebSocket, fed in any pieces, and gives out its messages in the order in which
 * they passed. Memory is bounded: two messages, and those that wait for one. Never throws; the sink must not either.
 *
 * @param extensions the `Sec-WebSocket-Extensions` header of the 101
 */
export class SocketMessages {
  readonly #sink: MessageSink;
  readonly #maxQueuedBytes: number;
  readonly #directions: Readonly<Record<SocketSide, Direction>> | null;
  readonly #waiting: Waiting[] = [];
  #queuedBytes = 0;
  #inflating: Promise<void> | null = null;
  #isClosed = false;

  constructor(extensions: string | null, sink: MessageSink, bounds: MessageBounds = {}) {
    const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, maxQueuedBytes = DEFAULT_MAX_QUEUED_BYTES } = bounds;
    this.#sink = sink;
    this.#maxQueuedBytes = maxQueuedBytes;
    const agreed = readExtensions(extensions);
    if ('unknown' in agreed) {
      this.#directions = null;
      sink.onBroken('server', `The WebSocket extension "${agreed.unknown}" is not known.`);
      return;
    }
    const { compression } = agreed;
    const open = (side: SocketSide, forgets: boolean): Direction => ({
      frames: new FrameReader(this.#makeFrameSink(side), { maxMessageBytes, mayCompress: compression !== null }),
      inflater: compression === null ? null : new MessageInflater({ forgets, maxMessageBytes }),
      atMs: 0,
      isBroken: false,
      isToldBroken: false,
    });
    this.#directions = {
      client: open('client', compression?.clientForgets ?? false),
      server: open('server', compression?.serverForgets ?? false),
    };
  }

  /** @param atMs when the bytes passed */
  write(side: SocketSide, chunk: Buffer, atMs: number): void {
    if (this.#isClosed || this.#directions === null) return;
    const direction = this.#directions[side];
    if (direction.isBroken) return;
    direction.atMs = atMs;
    direction.frames.write(chunk);
  }

  /** Resolves when everything that passed was given out; not a promise when it was. */
  end(): Promise<void> | void {
    return this.#inflating ?? undefined;
  }

  /** Stops giving out. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
  }

  #makeFrameSink(side: SocketSide) {
    const isRead = (): boolean => this.#directions?.[side].isBroken === false;
    return {
      onMessage: (message: RawMessage) => this.#take(side, message),
      onClose: (code: number | null, reason: string) => {
        if (isRead()) this.#inOrder(() => isRead() && this.#sink.onClose(side, code, reason));
      },
      onBroken: (problem: string) => {
        if (isRead()) this.#inOrder(() => this.#break(side, problem));
      },
    };
  }

  #inOrder(tell: () => void): void {
    if (this.#inflating === null) tell();
    else this.#waiting.push(tell);
  }

  #take(side: SocketSide, message: RawMessage): void {
    const direction = this.#directions?.[side];
    if (direction === undefined || direction.isBroken) return;
    const { atMs } = direction;
    if (this.#inflating === null) {
      const reading = this.#read(side, message, atMs);
      if (reading !== undefined) this.#inflating = reading.then(() => this.#readWaiting());
      return;
    }
    this.#queuedBytes += findSize(message);
    if (this.#queuedBytes > this.#maxQueuedBytes) {
      this.#queuedBytes -= findSize(message);
      direction.isBroken = true;
      this.#inOrder(() => this.#break(side, 'Messages came faster than they could be inflated.'));
      return;
    }
    const bytes = message.bytes === null ? null : Buffer.from(message.bytes);
    this.#waiting.push({ side, message: { ...message, bytes }, atMs });
  }

  #break(side: SocketSide, problem: string): void {
    const direction = this.#directions?.[side];
    if (direction === undefined || direction.isToldBroken || this.#isClosed) return;
    direction.isBroken = true;
    direction.isToldBroken = true;
    this.#sink.onBroken(side, problem);
  }

  async #readWaiting(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (typeof next === 'function') {
        next();
        continue;
      }
      this.#queuedBytes -= findSize(next.message);
      if (this.#directions?.[next.side].isToldBroken === true) continue;
      await this.#read(next.side, next.message, next.atMs);
    }
    this.#inflating = null;
  }

  #read(side: SocketSide, message: RawMessage, atMs: number): Promise<void> | undefined {
    const { bytes, wireBytes, isBinary } = message;
    const inflater = message.isCompressed ? (this.#directions?.[side].inflater ?? null) : null;
    const give = (inflation: Inflation): void => {
      if (this.#isClosed) return;
      if (!('problem' in inflation)) this.#sink.onMessage(side, { bytes: inflation.bytes, wireBytes, atMs, isBinary });
      else if (inflation.isLast) this.#break(side, inflation.problem);
      else this.#sink.onProblem(side, inflation.problem);
    };
    const inflation = bytes === null ? makeSkipped(wireBytes, inflater) : (inflater?.inflate(bytes, atMs) ?? { bytes });
    if (inflation instanceof Promise) return inflation.then(give);
    give(inflation);
    return undefined;
  }
}

function findSize({ bytes }: RawMessage): number {
  return WAITING_BYTES + (bytes?.length ?? 0);
}

function makeSkipped(wireBytes: number, inflater: MessageInflater | null): Inflation {
  return { problem: `A message of ${wireBytes} bytes was not read.`, isLast: inflater?.buildsOn ?? false };
}
