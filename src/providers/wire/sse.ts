import { GrowingBuffer, viewBytes } from './growing-buffer.js';
import { LineScanner } from './line-scanner.js';

/** One event of a `text/event-stream`. */
export interface SseEvent {
  /** The `event:` field, `null` when the event has none. */
  readonly event: string | null;
  /** The `data:` lines joined by LF. */
  readonly data: string;
  /** The `id:` field of this event itself, `null` when it has none. */
  readonly id: string | null;
}

export interface SseReaderOptions {
  /** Bytes an event may have, line ends excluded; 8 MiB when absent. */
  readonly maxEventBytes?: number;
  /** Told of what had to be dropped, as a sentence. */
  readonly onProblem?: (problem: string) => void;
}

const DEFAULT_MAX_EVENT_BYTES = 8 * 1024 * 1024;
/** What an empty `data:` line costs at least, so that a flood of them is bounded too. */
const LINE_COST_BYTES = 8;
const COLON = 0x3a;
const SPACE = 0x20;
const LETTER_D = 0x64;

/**
 * Reads server-sent events out of bytes cut anywhere, each as soon as its blank line has passed.
 *
 * Source of the format: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 * (read 2026-11-21). One thing is different by choice: an event without its blank line at the end of the stream is
 * dispatched by `end()`, because some servers close without one; if it was cut its data is no whole JSON, which
 * readers of the data tolerate. `retry:` is ignored.
 *
 * Keeps at most `maxEventBytes` of one event: a larger one is dropped with a problem, and reading goes on with the
 * next. Never throws unless `onEvent` does.
 *
 * ```ts
 * const reader = new SseReader(({ event, data }) => console.log(event, data));
 * reader.write(Buffer.from('event: ping\ndata:{"a"'));
 * reader.write(Buffer.from(':1}\n\n'));                  // ping {"a":1}
 * reader.end();
 * ```
 */
export class SseReader {
  readonly #onEvent: (event: SseEvent) => void;
  readonly #onProblem: (problem: string) => void;
  readonly #maxEventBytes: number;
  readonly #lines = new LineScanner();
  readonly #carry = new GrowingBuffer();
  #atStart = true;
  #dropping = false;
  #lineBegun = false;
  #eventBytes = 0;
  /** `null` until a data line came. */
  #data: string | null = null;
  #event: string | null = null;
  #id: string | null = null;

  constructor(onEvent: (event: SseEvent) => void, options: SseReaderOptions = {}) {
    this.#onEvent = onEvent;
    this.#onProblem = options.onProblem ?? (() => undefined);
    this.#maxEventBytes = options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES;
  }

  write(bytes: Uint8Array): void {
    const chunk = viewBytes(bytes);
    const lines = this.#lines;
    lines.load(chunk);
    while (lines.advance()) {
      if (this.#lineBegun) this.#endCarriedLine(chunk.subarray(lines.start, lines.end));
      else this.#readLine(chunk, lines.start, lines.end);
    }
    if (lines.start < chunk.length) this.#carryOn(chunk.subarray(lines.start));
  }

  /** Dispatches what stands unterminated; call once. */
  end(): void {
    if (this.#lineBegun) this.#endCarriedLine(Buffer.alloc(0));
    this.#endEvent();
  }

  #carryOn(rest: Buffer): void {
    this.#lineBegun = true;
    if (this.#dropping) return;
    if (this.#eventBytes + this.#carry.length + rest.length > this.#maxEventBytes) this.#drop();
    else this.#carry.append(rest);
  }

  #endCarriedLine(rest: Buffer): void {
    this.#carryOn(rest);
    this.#lineBegun = false;
    if (this.#dropping) return;
    const line = this.#carry.view();
    this.#readLine(line, 0, line.length);
    this.#carry.clear();
  }

  #readLine(bytes: Buffer, from: number, end: number): void {
    let start = from;
    if (this.#atStart) {
      this.#atStart = false;
      if (bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf && from + 3 <= end) start += 3;
    }
    if (start === end) {
      this.#endEvent();
      return;
    }
    if (this.#dropping || bytes[start] === COLON) return;
    if (this.#eventBytes + end - start > this.#maxEventBytes) {
      this.#drop();
      return;
    }
    if (isDataField(bytes, start, end)) {
      this.#addData(bytes, Math.min(start + 5, end), end);
      return;
    }
    const colon = bytes.subarray(start, end).indexOf(COLON);
    const name = bytes.toString('latin1', start, colon === -1 ? end : start + colon);
    if (name !== 'event' && name !== 'id') return;
    this.#eventBytes += end - start;
    const value = colon === -1 ? '' : readValue(bytes, start + colon + 1, end);
    if (name === 'event') this.#event = value === '' ? null : value;
    else if (!value.includes('\0')) this.#id = value;
  }

  #addData(bytes: Buffer, from: number, end: number): void {
    this.#eventBytes += end - from + LINE_COST_BYTES;
    const value = readValue(bytes, from, end);
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
  }

  #endEvent(): void {
    const data = this.#data;
    const event = this.#event;
    const id = this.#id;
    this.#forgetEvent();
    this.#dropping = false;
    // NOTE: a new array for each event would be made in old space after a while, and keep every string until a full
    // collection: measured as 30 MB of growth on a fast stream.
    if (data !== null) this.#onEvent({ event, data, id });
  }

  #drop(): void {
    this.#forgetEvent();
    this.#carry.clear();
    this.#atStart = false;
    this.#dropping = true;
    this.#onProblem(`An event of the stream was larger than ${this.#maxEventBytes} bytes and was not read.`);
  }

  #forgetEvent(): void {
    this.#data = null;
    this.#event = null;
    this.#id = null;
    this.#eventBytes = 0;
  }
}

/** Whether the line is `data`, `data:` or `data:…`, told by its first letter in nearly all cases. */
function isDataField(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== LETTER_D || end - start < 4) return false;
  if (bytes[start + 1] !== 0x61 || bytes[start + 2] !== 0x74 || bytes[start + 3] !== 0x61) return false;
  return end - start === 4 || bytes[start + 4] === COLON;
}

function readValue(bytes: Buffer, from: number, end: number): string {
  return bytes.toString('utf8', bytes[from] === SPACE && from < end ? from + 1 : from, end);
}
