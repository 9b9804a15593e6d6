import type { CallRecord, JsonValue } from '../core/call-record.js';
import type { Clock } from '../core/clock.js';
import type { PriceCall } from '../core/cost.js';
import type { ErrorCode } from '../core/errors.js';
import type { Estimate } from '../core/estimate.js';
import type { BodyPolicy } from '../core/ledger.js';
import type { SocketGate, SocketMessage, SocketMessages, SocketSaying, SocketSink } from '../core/socket.js';
import type { ProviderRegistry, RawHeaders } from '../core/wire.js';

/** Takes bytes through one or more content codings; never throws, what goes wrong becomes `problem`. */
export interface Coder {
  write(bytes: Uint8Array): void;
  end(): Promise<void> | void;
  readonly problem: string | null;
  close(): void;
}

export type JsonReading =
  | { readonly ok: true; readonly value: JsonValue; readonly elided: boolean }
  | { readonly ok: false; readonly problem: string };

export interface JsonBodyReader {
  write(bytes: Uint8Array): void;
  end(): JsonReading;
}

/** Hides what asking for usage added to a stream. */
export interface FrameFilter {
  write(bytes: Uint8Array): Buffer;
  end(): Buffer;
  /** Whether a whole frame was taken out. */
  readonly hidden: boolean;
  /** Whether an empty usage member was taken out of a frame that stayed. */
  readonly memberHidden?: boolean;
}

/** What becomes of a message of a WebSocket's client: it goes as it came, not at all, or as these bytes. */
export type SocketVerdict = 'pass' | 'drop' | Buffer;

export interface SocketFilterPorts {
  /** Decides on one message after the other; must not throw or reject. */
  readonly decide: (message: SocketMessage) => Promise<SocketVerdict> | SocketVerdict;
  /** A control frame of the client's, in its place between the messages. */
  readonly onControl: (frame: Buffer) => void;
  /** From here on nothing of the client's can be read, and all of it goes as it comes: why, as a sentence. */
  readonly onBlind: (problem: string) => void;
  /** Nothing of the client's can go on any more: why, as a sentence. */
  readonly onStuck: (problem: string) => void;
  readonly nowMs: () => number;
}

/** Stands in a WebSocket: what the client sends goes on as is decided, and the tap may speak to it. */
export interface SocketFilter extends Omit<SocketGate, 'takeFromProvider' | 'bind' | 'unsaidBytes'> {
  readonly sayings: {
    bind(say: (bytes: Buffer) => void): void;
    /** Says it as soon as no message of the provider's is under way. */
    add(saying: SocketSaying): void;
    /** What is to go to the client of a piece of the provider's, with what the tap says in between. */
    take(chunk: Buffer): readonly Buffer[];
    /** Of what waits. */
    readonly waitingBytes: number;
  };
  /** Whether what the client compresses is compressed anew. */
  readonly compressesAnew: boolean;
}

/** Turns a binary body into lines of text as it passes. */
export interface BodyText {
  write(bytes: Uint8Array): Buffer;
}

/** How bytes are read: `providers/wire`, by parameter. */
export interface WireTools {
  openDecoder(
    coding: string | null,
    sink: (bytes: Buffer) => void,
    options?: { readonly whole?: boolean; readonly maxDecodedBytes?: number; readonly maxRatio?: number },
  ): Coder;
  /** `undefined` for a coding that can be read but not written. */
  openEncoder(coding: string | null, sink: (bytes: Buffer) => void): Coder | undefined;
  /** @param extensions those the two ends agreed on, as their header lists them */
  openSocketMessages(extensions: string | null, sink: SocketSink): SocketMessages;
  /** @param extensions those the two ends agreed on, as their header lists them */
  openSocketFilter(extensions: string | null, ports: SocketFilterPorts): SocketFilter;
  openJsonReader(): JsonBodyReader;
  /** Reads a form's fields as a JSON object of texts; `undefined` when the content type is no form's. */
  openFormReader(contentType: string | null): JsonBodyReader | undefined;
  /** A JSON text with nothing left out, however long. */
  readWholeJson(text: Buffer): JsonReading;
  /** For bodies of this content type that are no text by themselves; `null` for all others. */
  openBodyText(contentType: string | null): BodyText | null;
  /** Whether a body of this type is a stream of binary messages, of which their reader says what is kept. */
  isBinaryStream(contentType: string | null): boolean;
  /** The messages of a body of gRPC, decompressed; `null` where one cannot be read. */
  readGrpcText(body: Buffer): Buffer | null;
  openFrameFilter(): FrameFilter;
  askForStreamUsage(body: Buffer): Buffer | undefined;
  /** The refusal of a call as its API words it. */
  makeRefusal(
    call: { readonly provider: string; readonly api: string; readonly path: string },
    message: string,
  ): {
    readonly status: number;
    readonly statusMessage: string;
    readonly rawHeaders: string[];
    readonly body: Buffer;
  };
  readRequestId(rawHeaders: RawHeaders): string | null;
  readWireSession(
    rawHeaders: RawHeaders,
    inBody: Readonly<Record<string, string>> | null,
  ): Readonly<Record<string, string>> | null;
}

/** What one call needs of its surroundings. */
export interface CallPorts {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly tools: WireTools;
  readonly price: PriceCall;
  /** Where another provider serves an API: the registry's. */
  readonly findAddress: ProviderRegistry['findAddress'];
  readonly bodies: BodyPolicy;
  /** Secrets known before any call: values of the environment's keys and tokens. */
  readonly ambientSecrets: readonly string[];
  /** Origins that refused to be asked for usage; they are not asked again. */
  readonly refusedUsage: Set<string>;
  /** Called exactly once a call, with a frozen record. */
  readonly onRecord: (record: CallRecord) => void;
  /** Counts what a reply does not state; `null` where nobody counts. */
  readonly estimate: Estimate | null;
  /** A record is on its way: its session is not over before it is there. */
  readonly holdRecord: (sessionId: string, recording: Promise<void>) => void;
  readonly onFault: (code: ErrorCode, message: string, hint: string | null) => void;
}
