// Longer than 250 lines: one reader of every framing, whose steps share its state.
import type { JsonValue } from '../core/call-record.js';
import { readErrorMessage } from '../core/errors.js';
import { type Pieces, writePieces } from '../core/pieces.js';
import { unknownUsage } from '../core/usage.js';
import type { OutputTimes, ReplyFacts, ReplyHead, ReplyReader } from '../core/wire.js';
import { readAwsEvent } from './aws-event.js';
import { readErrorBody } from './error-body.js';
import { findBodyStart, findFraming, isLinesType } from './framing.js';
import { isJsonObject } from './json-fields.js';
import type { ReplyLanguage } from './reply-language.js';
import { ReplyNotes } from './reply-notes.js';
import { makeUsageDetails } from './usage-details.js';
import { explainUsage, type Framing } from './usage-problem.js';
import { fillTotal, forgetRunning } from './usage-totals.js';
import { EventStreamReader } from './wire/event-stream.js';
import type { EventStreamMessage } from './wire/event-stream-codec.js';
import { JsonArrayReader, JsonReader, NdjsonReader } from './wire/json-reader.js';
import { SseReader } from './wire/sse.js';

const DONE = '[DONE]';
const singleFramings: ReadonlySet<Framing> = new Set(['json', 'media', 'message']);
const MAX_KEYS = 16;

/** Takes a body in one framing; `end` tells whether the framing itself was whole. */
interface BodyReader {
  write(bytes: Uint8Array): void;
  /** As `SseReader.readBlock`; absent where a block is read as the pieces it came in. */
  readBlock?(block: Buffer, onEventEnd: (end: number) => void): boolean;
  end(): boolean;
}

/**
 * Reads one reply, JSON, JSON array, JSON lines, event stream or AWS event stream, in the language of its API.
 *
 * The framing is found in the bytes and the content type, never in what the request asked for. Memory is bounded by
 * the readers of the framings. Never throws: whatever goes wrong becomes `usageProblem`.
 */
export function openReplyReader(head: ReplyHead, language: ReplyLanguage): ReplyReader {
  return new FramedReplyReader(head, language);
}

/** Reads a reply whose documents come as messages of their own, as those of a WebSocket and of gRPC do. */
export interface MessageReader {
  readMessage(document: JsonValue, atMs: number): void;
  /** A message could not be read: why, as a sentence. */
  report(problem: string): void;
  /** The reply came to its own end, which stands outside of its messages. */
  noteEnd(): void;
  /** A message that holds a further piece of output, and nothing else that counts. */
  passOutput(atMs: number): void;
  end(): ReplyFacts;
  outputTimes(): OutputTimes | null;
}

/** Opens a reader of messages, or of the one there is, in the language of their API. Never throws. */
export function openMessageReader(
  language: ReplyLanguage,
  framing: 'messages' | 'message' = 'messages',
  head: ReplyHead = { status: 200, contentType: null },
): MessageReader {
  return new FramedReplyReader(head, language, framing);
}

class FramedReplyReader implements ReplyReader, MessageReader {
  readonly #head: ReplyHead;
  readonly #language: ReplyLanguage;
  readonly #notes = new ReplyNotes();
  #undecided: Buffer = Buffer.alloc(0);
  #framing: Framing | null = null;
  #body: BodyReader | null = null;
  #bytes = 0;
  #documents = 0;
  #unreadable = 0;
  #problem: string | null = null;
  #keys: readonly string[] = [];
  #isBroken = false;
  #keepsBytes = false;
  #isWhole = false;

  constructor(head: ReplyHead, language: ReplyLanguage, framing: Framing | null = null) {
    this.#head = head;
    this.#language = language;
    this.#framing = framing;
    this.#guard(() => language.readHead?.(head, this.#notes));
  }

  readMessage(document: JsonValue, atMs: number): void {
    this.#notes.atMs = atMs;
    this.#guard(() => this.#readDocument(document));
  }

  passOutput(atMs: number): void {
    this.#notes.atMs = atMs;
    this.#notes.beginDocument();
    this.#documents++;
    this.#notes.noteOutput();
  }

  write(bytes: Uint8Array, atMs: number): void {
    this.#bytes += bytes.length;
    this.#notes.atMs = atMs;
    this.#guard(() => {
      if (this.#body === null) this.#decide(bytes, false);
      else this.#body.write(bytes);
    });
    if (this.#keepsBytes) this.#head.keep?.(bytes);
  }

  writeBlock(block: Buffer, pieces: Pieces): void {
    let first = 0;
    // The framing is told by the first bytes; what follows them can be read together.
    for (; first < pieces.count && this.#body === null; first++) {
      this.write(block.subarray(pieces.ends[first - 1] ?? 0, pieces.ends[first]), pieces.times[first] ?? 0);
    }
    if (first === pieces.count || this.#readBlock(block, { pieces, first })) return;
    writePieces((bytes, atMs) => this.write(bytes, atMs), block, { pieces, first });
  }

  report(problem: string): void {
    this.#report(problem);
  }

  noteEnd(): void {
    this.#notes.noteEnd();
  }

  end(): ReplyFacts {
    if (this.#framing === 'messages' || this.#framing === 'message') {
      this.#isWhole = this.#notes.ended;
      return this.#makeFacts();
    }
    this.#guard(() => {
      if (this.#body === null) this.#decide(new Uint8Array(0), true);
      this.#isWhole = this.#body?.end() ?? false;
    });
    return this.#makeFacts();
  }

  outputTimes(): OutputTimes | null {
    return this.#isStream ? this.#notes.watch.summarise() : null;
  }

  /** Reads the pieces from `first` on; `false`, with nothing read, where they have to be written one by one. */
  #readBlock(block: Buffer, { pieces, first }: { readonly pieces: Pieces; readonly first: number }): boolean {
    const body = this.#body;
    if (body?.readBlock === undefined || (this.#keepsBytes && this.#head.keep !== undefined)) return false;
    const start = pieces.ends[first - 1] ?? 0;
    const rest = block.subarray(start);
    let at = first;
    let isRead = true;
    this.#guard(() => {
      isRead =
        body.readBlock?.(rest, (end) => {
          while (at < pieces.count - 1 && (pieces.ends[at] ?? 0) < start + end) at++;
          this.#notes.atMs = pieces.times[at] ?? 0;
        }) === true;
    });
    if (!isRead) return false;
    this.#bytes += rest.length;
    // What the end of the stream makes an event of came with the last.
    this.#notes.atMs = pieces.times[pieces.count - 1] ?? 0;
    return true;
  }

  /** Traffic goes on whatever a reader does: its failure ends the reading of this one reply. */
  #guard(read: () => void): void {
    if (this.#isBroken) return;
    try {
      read();
    } catch (error) {
      this.#isBroken = true;
      this.#report(`The reader of the reply failed: ${readErrorMessage(error)}.`);
    }
  }

  #decide(bytes: Uint8Array, isWhole: boolean): void {
    const known = this.#undecided.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#undecided, bytes]);
    const start = findBodyStart(known);
    if (start === null) {
      this.#undecided = known.length < 3 ? known : Buffer.alloc(0);
      return;
    }
    const body = known.subarray(start);
    const inLines = this.#language.streamsLines === true;
    const framing = findFraming(body, this.#head.contentType, { isWhole, inLines });
    this.#undecided = framing === undefined ? body : Buffer.alloc(0);
    if (framing === undefined) return;
    this.#framing = framing;
    // NOTE: what its type calls a stream of AWS's may be an error in JSON.
    this.#keepsBytes = framing !== 'aws-events';
    if (this.#keepsBytes) this.#head.keep?.(known.subarray(0, known.length - bytes.length));
    this.#body = this.#openBody(framing);
    this.#body.write(body);
  }

  #openBody(framing: Framing): BodyReader {
    const onProblem = (problem: string): void => this.#report(problem);
    if (framing === 'sse') {
      const reader = new SseReader((event) => this.#readEvent(event.event, event.data), { onProblem });
      return {
        write: (bytes) => reader.write(bytes),
        readBlock: (block, onEventEnd) => reader.readBlock(block, onEventEnd),
        end: () => this.#endEvents(reader),
      };
    }
    if (framing === 'array') {
      const reader = new JsonArrayReader((element) => this.#readDocument(element), { onProblem });
      return { write: (bytes) => reader.write(bytes), end: () => reader.end().ok };
    }
    if (framing === 'aws-events') {
      const { keep } = this.#head;
      const onUnread = (problem: string): void => {
        keep?.(`[${problem}]\n`);
        onProblem(problem);
      };
      const reader = new EventStreamReader((message) => this.#readMessage(message), { onProblem: onUnread });
      return {
        write: (bytes) => reader.write(bytes),
        readBlock: (block, onMessageEnd) => {
          reader.writeBlock(block, onMessageEnd);
          return true;
        },
        end: () => reader.end() && this.#notes.ended,
      };
    }
    if (framing === 'lines') {
      const reader = new NdjsonReader((line) => this.#readDocument(line), { onProblem });
      return { write: (bytes) => reader.write(bytes), end: () => this.#endLines(reader) };
    }
    if (framing === 'media') return { write: () => undefined, end: () => true };
    const reader = new JsonReader();
    return { write: (bytes) => reader.write(bytes), end: () => this.#endDocument(reader) };
  }

  #endEvents(reader: SseReader): boolean {
    reader.end();
    return this.#notes.ended;
  }

  #endLines(reader: NdjsonReader): boolean {
    reader.end();
    return this.#notes.ended;
  }

  /** A single line is a document like any other, unless its type says that it is one of several. */
  get #isStream(): boolean {
    if (this.#framing === 'lines') return this.#documents > 1 || isLinesType(this.#head.contentType);
    return this.#framing !== null && !singleFramings.has(this.#framing);
  }

  #endDocument(reader: JsonReader): boolean {
    const reading = reader.end();
    if (reading.ok) this.#readDocument(reading.value);
    else this.#report(reading.problem);
    return reading.ok;
  }

  #readEvent(name: string | null, data: string): void {
    if (data.length < 10 && data.trim() === DONE) {
      this.#notes.noteEnd();
      return;
    }
    this.#notes.beginDocument();
    if (name !== 'error' && this.#isFurtherOutput(data)) {
      this.#documents++;
      this.#notes.noteOutput();
      return;
    }
    let document: JsonValue;
    try {
      document = JSON.parse(data);
    } catch {
      // Not JSON: an error event may be plain text, anything else is only counted.
      this.#unreadable++;
      if (name === 'error') this.#notes.error ??= { code: 'error', message: data.slice(0, 2000) };
      return;
    }
    this.#readDocument(document, name === 'error');
  }

  #readMessage(message: EventStreamMessage): void {
    const { text, error } = readAwsEvent(message);
    this.#head.keep?.(`${text}\n`);
    if (error === null) {
      this.#readEvent(null, text);
      return;
    }
    this.#documents++;
    this.#notes.error ??= error;
  }

  #isFurtherOutput(data: string): boolean {
    if (this.#notes.firstTokenAtMs === null || this.#head.status >= 400) return false;
    return this.#language.isFurtherOutput?.(data, this.#notes) ?? false;
  }

  #readDocument(document: JsonValue, isError = false): void {
    if (!isJsonObject(document)) {
      this.#unreadable++;
      this.#report('A JSON object was expected.');
      return;
    }
    this.#documents++;
    this.#notes.beginDocument();
    this.#keys = readKeys(document);
    const { status, findHeader } = this.#head;
    this.#notes.error ??= readErrorBody(document, isError || status >= 400, findHeader?.('x-amzn-errortype')) ?? null;
    this.#language.readDocument(document, this.#notes);
  }

  #report(problem: string): void {
    this.#problem ??= problem;
  }

  #makeFacts(): ReplyFacts {
    const notes = this.#notes;
    const isStream = this.#isStream;
    const stated = this.#head.status >= 400 ? unknownUsage : this.#language.makeUsage(notes.counts);
    const isRunning = isStream && !notes.settled && this.#language.noOutput === null;
    const usage = isRunning ? forgetRunning(stated) : fillTotal(stated);
    return {
      model: notes.model,
      usage,
      usageProblem: explainUsage(
        usage,
        { notes, language: this.#language },
        {
          head: this.#head,
          framing: this.#framing,
          bytes: this.#bytes,
          documents: this.#documents,
          unreadable: this.#unreadable,
          problem: this.#problem,
          keys: this.#keys,
          runningOutput: isRunning ? stated.outputTokens : null,
        },
      ),
      usageDetails:
        this.#head.status >= 400 ? null : makeUsageDetails(notes.counts, this.#language.details ?? {}, notes.amounts),
      serviceTier: notes.serviceTier,
      reportedUsd: notes.reportedUsd,
      finishReasons: notes.finishReasons,
      toolCalls: notes.toolCalls,
      responseId: notes.responseId,
      error: notes.error,
      firstTokenAtMs: isStream ? notes.firstTokenAtMs : null,
      complete: isStream ? this.#isWhole : true,
      saidEnd: isStream && this.#isWhole,
    };
  }
}

function readKeys(document: object): readonly string[] {
  const keys: string[] = [];
  for (const key in document) if (keys.push(key) === MAX_KEYS) break;
  return keys;
}
