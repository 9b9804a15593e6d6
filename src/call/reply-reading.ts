import { writePieces } from '../core/pieces.js';
import { unknownUsage } from '../core/usage.js';
import type { Dialect, RawHeaders, ReplyFacts, ReplyReader, RequestFacts } from '../core/wire.js';
import { BodyCopy } from './body-copy.js';
import { GatheredPieces } from './gathered-pieces.js';
import { findHeader } from './headers.js';
import type { CallPorts, Coder } from './ports.js';
import { maxKeptBodyBytes } from './request-reading.js';

/** Letters of lines that are kept together: making bytes of each would cost more. */
const keptAtOnce = 16 * 1024;

/** Reads a copy of the reply while it passes: decoded, read by the dialect, kept by policy. */
export class ReplyReading {
  readonly status: number;
  readonly rawHeaders: RawHeaders;
  readonly contentType: string | null;
  readonly isEventStream: boolean;
  /** Whether the reply says it is one JSON document. */
  readonly isJson: boolean;
  readonly copy: BodyCopy;
  wireBytes = 0;
  /** Milliseconds of reading outside of `write`, when a decompressor was done with its bytes. */
  laterMs = 0;
  #isWriting = false;
  readonly #clockMs: () => number;
  readonly #reader: ReplyReader;
  readonly #decoder: Coder;
  /** Whether its reader says what is to be kept of it, since its bytes are no text. */
  readonly #isKeptByReader: boolean;
  /** What is to be kept and is not yet. */
  #kept = '';
  /** Where the reply is a stream whose bytes can be read as they are. */
  readonly #gathered: GatheredPieces | null;
  #arrivedAtMs: number;

  constructor(
    ports: CallPorts,
    dialect: Dialect,
    reply: { readonly status: number; readonly rawHeaders: RawHeaders; readonly request: RequestFacts },
  ) {
    this.status = reply.status;
    this.rawHeaders = reply.rawHeaders;
    this.contentType = findHeader(reply.rawHeaders, 'content-type');
    this.isEventStream = this.contentType?.toLowerCase().startsWith('text/event-stream') ?? false;
    this.isJson = /^application\/([\w.-]+\+)?json\b/i.test(this.contentType ?? '');
    this.copy = new BodyCopy(ports.bodies === 'none' ? 0 : maxKeptBodyBytes);
    this.#isKeptByReader = ports.tools.isBinaryStream(this.contentType);
    this.#clockMs = ports.clock.monotonicMs;
    this.#arrivedAtMs = this.#clockMs();
    const { status, contentType } = this;
    const findReplyHeader = (name: string): string | null => findHeader(reply.rawHeaders, name);
    const head = { status, contentType, findHeader: findReplyHeader };
    const keep = (kept: string | Uint8Array): void => this.#keepRead(kept);
    const isKept = this.#isKeptByReader && ports.bodies !== 'none';
    this.#reader = dialect.openReply(isKept ? { ...head, keep } : head, reply.request);
    const coding = findHeader(reply.rawHeaders, 'content-encoding');
    const whole = !this.isEventStream && !reply.request.stream;
    this.#decoder = ports.tools.openDecoder(coding, (bytes) => this.#onDecoded(bytes), { whole });
    const isStream = this.isEventStream || this.#isKeptByReader;
    this.#gathered = isStream && coding === null ? this.#openGathered() : null;
  }

  /** Takes what follows the body. */
  endWith(rawTrailers: RawHeaders): void {
    this.#gathered?.flush();
    this.#reader.readTrailers?.((name) => findHeader(rawTrailers, name));
  }

  /**
   * @param atMs when it came
   * @returns whether it was set aside, to be read with those that follow
   */
  write(chunk: Buffer, atMs: number): boolean {
    this.wireBytes += chunk.length;
    if (this.#gathered !== null) return this.#gathered.add(chunk, atMs);
    this.#arrivedAtMs = atMs;
    this.#isWriting = true;
    this.#decoder.write(chunk);
    this.#isWriting = false;
    return false;
  }

  /** The facts of what passed; a promise only while a decompressor is still busy. */
  end(): Promise<ReplyFacts> | ReplyFacts {
    this.#gathered?.end();
    const ending = this.#decoder.end();
    return ending === undefined ? this.#readFacts() : ending.then(() => this.#readFacts());
  }

  close(): void {
    this.#decoder.close();
    this.copy.close();
  }

  /** What a record takes of it; `facts` is `null` when its reader failed. */
  summarise(facts: ReplyFacts | null) {
    const { status, rawHeaders, contentType, isEventStream, copy, wireBytes } = this;
    const outputTimes = facts === null ? null : (this.#reader.outputTimes?.() ?? null);
    return {
      status,
      rawHeaders,
      contentType,
      isEventStream,
      copy,
      wireBytes,
      outputTimes,
      facts: facts ?? unreadFacts,
    };
  }

  #openGathered(): GatheredPieces {
    const reader = this.#reader;
    return new GatheredPieces((block, pieces) => {
      this.#keep(block);
      if (reader.writeBlock !== undefined) reader.writeBlock(block, pieces);
      else writePieces((piece, atMs) => reader.write(piece, atMs), block, { pieces });
    });
  }

  #keep(bytes: Buffer): void {
    if (!this.#isKeptByReader) this.copy.write(bytes);
  }

  #keepRead(kept: string | Uint8Array): void {
    if (typeof kept === 'string') this.#kept += kept;
    if (typeof kept !== 'string' || this.#kept.length > keptAtOnce) this.#flushKept();
    if (typeof kept !== 'string') this.copy.write(kept);
  }

  #flushKept(): void {
    if (this.#kept === '') return;
    this.copy.write(Buffer.from(this.#kept, 'utf8'));
    this.#kept = '';
  }

  #onDecoded(bytes: Buffer): void {
    const startMs = this.#clockMs();
    this.#keep(bytes);
    this.#reader.write(bytes, this.#arrivedAtMs);
    if (!this.#isWriting) this.laterMs += this.#clockMs() - startMs;
  }

  #readFacts(): ReplyFacts {
    const facts = this.#reader.end();
    this.#flushKept();
    const problem = this.#decoder.problem;
    if (problem === null || facts.usageProblem === null) return facts;
    return { ...facts, usageProblem: `${facts.usageProblem} ${problem}` };
  }
}

/** What is known of a reply whose reader failed. */
const unreadFacts: ReplyFacts = Object.freeze({
  model: null,
  usage: unknownUsage,
  usageProblem: 'The reply could not be read.',
  usageDetails: null,
  serviceTier: null,
  reportedUsd: null,
  finishReasons: [],
  toolCalls: [],
  responseId: null,
  error: null,
  firstTokenAtMs: null,
  complete: false,
  saidEnd: false,
});
