import type { Protocol } from '../core/call-record.js';
import type { RawHeaders } from '../core/wire.js';

/** The client of one exchange, whichever HTTP it speaks: what it asks, and where its reply goes. */
export interface ClientSide {
  readonly protocol: Protocol;
  readonly method: string;
  /** As they came; those HTTP/2 has other names for as HTTP/1.1 writes them. */
  readonly rawHeaders: RawHeaders;
  readonly upload: Upload;
  /** Called once, before anything is written. */
  listen(listener: ClientListener): void;
  /** Passes on a reply of 1xx; absent where none is. */
  writeInterim?(status: number, rawHeaders: RawHeaders): void;
  /** Throws where the head cannot be said in this protocol. */
  writeHead(status: number, statusMessage: string, rawHeaders: RawHeaders): void;
  /** Sends the head, which otherwise waits for what is written next. */
  flushHead(): void;
  /** Whether more may follow before `onDrain`. */
  write(bytes: Buffer): boolean;
  end(lastPiece: Buffer | null, rawTrailers: RawHeaders): void;
  /**
   * Ends a reply under way unfinished, once what was written of it is on its way, as the provider ended it.
   *
   * @param unread what came next and was no HTTP, if that is known
   */
  cut(error: unknown, unread: Buffer | null): void;
  /**
   * How to end an exchange whose reply has not begun as the provider ended it, where that can be said and is to be.
   *
   * @param unread what came and was no HTTP, if anything
   */
  findRefusal(error: unknown, unread: Buffer | null): (() => void) | undefined;
}

export interface ClientListener {
  /**
   * The exchange is over for the client, in whatever way.
   *
   * @param reason how it ended it, for the provider to be told the same
   */
  readonly onClosed: (reason?: Error) => void;
  readonly onDrain: () => void;
}

/** The body of a request, while it comes. */
export interface Upload {
  /** Whether there is one. */
  readonly isAnnounced: boolean;
  /** Its length as the head says it; `null` where only its end will tell. */
  readonly bytes: number | null;
  /** Whether it came in chunks of HTTP/1.1, and so is to go on. */
  readonly isChunked: boolean;
  /** Begins to read it. At most once. */
  read(listener: UploadListener): void;
  /** No piece comes until `resume`. */
  pause(): void;
  /** Where nobody reads it, it runs out into nothing. */
  resume(): void;
  /** Nobody reads on: the client may stop sending once it has its whole reply. */
  stop?(): void;
  /** What followed it, once it has ended. */
  readTrailers?(): RawHeaders;
}

export interface UploadListener {
  readonly onData: (chunk: Buffer) => void;
  /** It has all come. */
  readonly onEnd: () => void;
  /** The client's side has failed. */
  readonly onError?: (error: Error) => void;
  /** Nothing more comes, whether it has all come or not. */
  readonly onClosed: () => void;
}
