// Longer than 250 lines: one filter, whose steps share what is held of a frame.
import { GrowingBuffer, viewBytes } from './growing-buffer.js';
import { findMembers, spliceBytes } from './json-members.js';
import { LineScanner } from './line-scanner.js';
import { filterUsualFrame } from './usual-usage-frame.js';

/** What was taken out of a stream: a whole frame, or the member `"usage":null` of one. */
export type FilteredPart = 'frame' | 'member';

/** A frame longer than this is passed on as it is. */
const MAX_FRAME_BYTES = 1024 * 1024;
const USAGE_KEY = Buffer.from('"usage"');
const EMPTY = Buffer.alloc(0);
/** How much of a line is looked at: a byte order mark, `data:`, some white space. */
const LINE_HEAD_BYTES = 16;
const DATA = 'data';
const COLON = 0x3a;
const BRACE = 0x7b;

/**
 * Gives a client that did not ask for usage the stream it would have got, out of the stream that was asked for it
 * (`askForStreamUsage`): the extra frame (`choices` an empty array and `usage` an object) goes with its terminator,
 * and `"usage":null` goes from every other frame with its comma. All other bytes stay as they are, whatever the
 * line ends; a frame with both choices and usage is left alone, since such providers send it unasked.
 *
 * A frame is held until its blank line and passed on at once then; one over 1 MiB is passed on unread. What cannot be
 * taken out is not held: comment lines before the frame's first line (keep-alives need no blank line), and everything
 * from the line on whose data begin no JSON object (`[DONE]`).
 *
 * NOTE: a server that sends such frames or members unasked loses them too: nothing in them tells. So what was taken out
 * is said by `hidden` and `memberHidden`.
 * Source: https://platform.openai.com/docs/api-reference/chat/create#chat-create-stream_options (read 2026-11-21).
 */
export class UsageFrameFilter {
  readonly #onFiltered: (part: FilteredPart) => void;
  readonly #lines = new LineScanner();
  readonly #held = new GrowingBuffer();
  #out: Buffer[] = [];
  #atStart = true;
  #lineBegun = false;
  /** The first bytes of a line begun in an earlier chunk. */
  #lineHead: Buffer = EMPTY;
  /** Whether whole lines of the current frame are held, or are in the chunk before the current line. */
  #frameBegun = false;
  /** Whether the data held begin an object. */
  #dataBegun = false;
  /** The frame is too long to be read, or no object: what comes of it is passed on. */
  #passing = false;
  /** What became of the last frame, for the LF of a CRLF that comes in the next chunk. */
  #lastHidden = false;
  #hidden = false;
  #memberHidden = false;

  constructor(onFiltered: (part: FilteredPart) => void = () => undefined) {
    this.#onFiltered = onFiltered;
  }

  /** Whether the extra frame was seen and taken out. */
  get hidden(): boolean {
    return this.#hidden;
  }

  /** Whether `"usage":null` was taken out of a frame. */
  get memberHidden(): boolean {
    return this.#memberHidden;
  }

  /** What the client gets now, possibly nothing. */
  write(bytes: Uint8Array): Buffer {
    const chunk = viewBytes(bytes);
    if (this.#isBetweenFrames) {
      const kept = filterUsualFrame(chunk);
      if (kept !== null) return this.#passUsual(kept, chunk);
    }
    const skipped = this.#lines.load(chunk);
    if (skipped === 1) this.#addLineFeed(chunk.subarray(0, 1));
    let from: number = skipped;
    while (this.#lines.advance()) {
      const isBlank = this.#lines.start === this.#lines.end && !this.#lineBegun;
      const isHeld = !isBlank && this.#isHeld(chunk);
      this.#lineBegun = false;
      this.#lineHead = EMPTY;
      if (isHeld) continue;
      const part = chunk.subarray(from, this.#lines.next);
      if (isBlank) this.#endFrame(part);
      else this.#passOn(part);
      from = this.#lines.next;
    }
    if (this.#lines.start < chunk.length) {
      this.#lineHead = Buffer.from(this.#readHead(chunk, chunk.length));
      this.#lineBegun = true;
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from));
    return this.#give();
  }

  /** What was still held; call once. */
  end(): Buffer {
    if (this.#held.length > 0) this.#endFrame(EMPTY);
    return this.#give();
  }

  get #isBetweenFrames(): boolean {
    return this.#held.length === 0 && !(this.#lineBegun || this.#frameBegun || this.#passing || this.#lines.isAfterCr);
  }

  #passUsual(kept: Buffer, chunk: Buffer): Buffer {
    this.#atStart = false;
    this.#lastHidden = false;
    if (kept !== chunk) this.#noteMember();
    return kept;
  }

  #noteMember(): void {
    this.#memberHidden = true;
    this.#onFiltered('member');
  }

  /** Whether the line that ended has to wait for the end of its frame. */
  #isHeld(chunk: Buffer): boolean {
    if (this.#passing) return true;
    const head = this.#readHead(chunk, this.#lines.end);
    const start = this.#frameBegun ? 0 : this.#markBytes(head);
    if (!this.#frameBegun && head[start] === COLON) return false;
    this.#frameBegun = true;
    if (this.#dataBegun) return true;
    let at = findDataStart(head, start, head.length);
    if (at === -1) return true;
    while (isSpace(head[at])) at++;
    const first = head[at];
    this.#dataBegun = first === BRACE;
    this.#passing = first !== undefined && first !== BRACE;
    return !this.#passing;
  }

  #readHead(chunk: Buffer, end: number): Buffer {
    const { start } = this.#lines;
    const rest = chunk.subarray(start, Math.min(end, start + LINE_HEAD_BYTES - this.#lineHead.length));
    return this.#lineHead.length === 0 ? rest : Buffer.concat([this.#lineHead, rest]);
  }

  #markBytes(head: Buffer): number {
    return this.#atStart ? bomBytes(head, 0) : 0;
  }

  #passOn(lines: Buffer): void {
    this.#lastHidden = false;
    this.#atStart = false;
    if (this.#held.length > 0) this.#out.push(this.#held.take());
    this.#out.push(lines);
  }

  #addLineFeed(lineFeed: Buffer): void {
    if (this.#held.length > 0) this.#held.append(lineFeed);
    else if (this.#passing || !this.#lastHidden) this.#out.push(lineFeed);
  }

  #hold(part: Buffer): void {
    if (this.#passing) {
      this.#out.push(Buffer.from(part));
      return;
    }
    this.#held.append(part);
    if (this.#held.length <= MAX_FRAME_BYTES) return;
    this.#out.push(this.#held.take());
    this.#passing = true;
  }

  #endFrame(last: Buffer): void {
    this.#lastHidden = false;
    this.#frameBegun = false;
    this.#dataBegun = false;
    if (this.#passing) {
      this.#passing = false;
      this.#out.push(last);
      return;
    }
    let frame = last;
    if (this.#held.length > 0) {
      this.#held.append(last);
      frame = this.#held.take();
    }
    const kept = this.#filter(frame);
    this.#atStart = false;
    this.#lastHidden = kept.length === 0;
    if (kept.length > 0) this.#out.push(kept);
  }

  #filter(frame: Buffer): Buffer {
    if (frame.indexOf(USAGE_KEY) === -1) return frame;
    const data = readData(frame, this.#atStart);
    const members = findMembers(data.json, ['choices', 'usage']);
    const usage = members?.findLast(({ key }) => key === 'usage');
    if (members === undefined || usage === undefined) return frame;
    const usageText = data.json.toString('latin1', usage.valueStart, usage.valueEnd);
    if (usageText === 'null') {
      this.#noteMember();
      return spliceBytes(frame, [{ start: data.locate(usage.cutStart), end: data.locate(usage.cutEnd), text: EMPTY }]);
    }
    const choices = members.findLast(({ key }) => key === 'choices');
    if (choices === undefined || !usageText.startsWith('{')) return frame;
    if (!/^\[\s*\]$/.test(data.json.toString('latin1', choices.valueStart, choices.valueEnd))) return frame;
    this.#hidden = true;
    this.#onFiltered('frame');
    return EMPTY;
  }

  #give(): Buffer {
    const out = this.#out;
    const [first] = out;
    if (first === undefined) return EMPTY;
    this.#out = [];
    return out.length === 1 ? first : Buffer.concat(out);
  }
}

interface FrameData {
  readonly json: Buffer;
  /** Where in the frame the byte at this offset of `json` stands. */
  locate(offset: number): number;
}

interface DataLine {
  /** Offset in the joined data. */
  readonly at: number;
  readonly start: number;
}

/** The data of a frame, its lines joined by LF. */
function readData(frame: Buffer, isFirst: boolean): FrameData {
  const scanner = new LineScanner();
  const lines: DataLine[] = [];
  const parts: Buffer[] = [];
  let length = 0;
  scanner.load(frame);
  for (let more = true; more; ) {
    more = scanner.advance();
    const end = more ? scanner.end : frame.length;
    const start = findDataStart(frame, scanner.start + (isFirst ? bomBytes(frame, scanner.start) : 0), end);
    if (start === -1) continue;
    if (parts.length > 0) parts.push(Buffer.from('\n'));
    length += parts.length > 0 ? 1 : 0;
    lines.push({ at: length, start });
    parts.push(frame.subarray(start, end));
    length += end - start;
  }
  const [only] = parts;
  return {
    json: parts.length === 1 && only !== undefined ? only : Buffer.concat(parts),
    locate: (offset) => {
      const line = lines.findLast(({ at }) => at <= offset) ?? { at: 0, start: 0 };
      return line.start + offset - line.at;
    },
  };
}

/** Where the value of a `data` line begins, -1 when it is none. */
function findDataStart(frame: Buffer, start: number, end: number): number {
  if (end - start < 5 || frame.toString('latin1', start, start + 5) !== `${DATA}:`) return -1;
  return frame[start + 5] === 0x20 && start + 5 < end ? start + 6 : start + 5;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

function bomBytes(frame: Buffer, start: number): number {
  return start === 0 && frame[0] === 0xef && frame[1] === 0xbb && frame[2] === 0xbf ? 3 : 0;
}
