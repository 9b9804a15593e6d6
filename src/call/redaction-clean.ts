import type { JsonValue } from '../core/call-record.js';
import { type FrameRedaction, maxLearned, maxTemplates, minSearched } from './redaction-frames.js';
import { JsonRedactor, type Piece } from './redaction-json.js';
import { replaceDataUrls } from './redaction-media.js';
import { findSpans, redactPlain } from './redaction-spans.js';
import { type FrameTemplate, lookAhead, makeTemplate, readBefore } from './redaction-templates.js';
import { TextAhead } from './text-ahead.js';

const lineFeed = 10;
const carriageReturn = 13;
const letterD = 0x64;
const openBrace = 0x7b;
const openBracket = 0x5b;
const space = 0x20;
const tab = 0x09;
const byteOrderMark = 0xfeff;
const maxKnownRuns = 256;
const maxKnownLength = 512;

/** A frame of a known shape, and for each of its holes the pieces found there; `null` for a number. */
interface KnownFrame {
  readonly template: FrameTemplate;
  readonly texts: readonly (string[] | null)[];
}

/**
 * Whether a stream of one JSON value a line (`redactFrameLines`) has nothing that is to be redacted, as nearly all have: to
 * know that costs half of what it costs to keep where everything lies. Of one that has nothing `false` may be said, too.
 */
export function hasNothingToRedact(text: string, redaction: FrameRedaction): boolean {
  return new CleanReading(text, redaction).read();
}

class CleanReading {
  readonly #text: string;
  readonly #redaction: FrameRedaction;
  readonly #redactor: JsonRedactor;
  readonly #breaks: TextAhead;
  readonly #ahead: TextAhead;
  #pieces: Piece[] = [];
  /** The pieces of each text that is told over several frames, by its channel. */
  readonly #texts = new Map<string, string[]>();
  /** The one that fitted last comes first. */
  readonly #frames: KnownFrame[] = [];
  #learned = 0;
  /** What stood between two known frames and had no frame in it, `event: …` and blank lines: the same few each time. */
  readonly #runs = new Set<string>();
  #lastRun = '';
  #isFound = false;

  constructor(text: string, redaction: FrameRedaction) {
    this.#text = text;
    this.#redaction = redaction;
    this.#redactor = new JsonRedactor({ ...redaction, onPiece: (piece) => this.#pieces.push(piece) });
    this.#breaks = new TextAhead(text, ['\n', '\r']);
    this.#ahead = lookAhead(text);
  }

  read(): boolean {
    const text = this.#text;
    let runStart = 0;
    let hasFrame = false;
    for (let at = 0; at < text.length && !this.#isFound; ) {
      const afterRun = at === runStart ? this.#takeAfterLastRun(at) : -1;
      if (afterRun >= 0) {
        at = afterRun;
        runStart = at;
        continue;
      }
      const code = text.charCodeAt(at);
      if (code === lineFeed || code === carriageReturn) {
        at++;
        continue;
      }
      const known = isFrameStart(code) ? this.#takeKnown(at) : -1;
      if (known >= 0) {
        if (!this.#isCleanRun(runStart, at, hasFrame)) return false;
        at = known;
        runStart = at;
        hasFrame = false;
        continue;
      }
      const end = this.#breaks.find(at);
      if (isFrameStart(code) && this.#takeLine(text.slice(at, end), end === text.length)) hasFrame = true;
      at = end;
    }
    return !this.#isFound && this.#isCleanRun(runStart, text.length, hasFrame) && this.#areTextsClean();
  }

  /** As `#takeKnown`, of the line after what stood between two frames before, where that stands here. */
  #takeAfterLastRun(at: number): number {
    const run = this.#lastRun;
    if (run === '' || this.#text.slice(at, at + run.length) !== run) return -1;
    return this.#takeKnown(at + run.length);
  }

  /** Takes the line that begins there, where it has the shape of a frame seen before; where it ends, -1 otherwise. */
  #takeKnown(at: number): number {
    for (let i = 0; i < this.#frames.length; i++) {
      const frame = this.#frames[i];
      const end = frame?.template.match(this.#ahead, at) ?? -1;
      if (frame === undefined || end < 0) continue;
      if (i > 0) this.#frames.unshift(...this.#frames.splice(i, 1));
      const { values } = frame.template;
      for (let hole = 0; hole < frame.texts.length; hole++) this.#addPiece(frame.texts[hole], values[hole] ?? '');
      return end;
    }
    return -1;
  }

  #addPiece(pieces: string[] | null | undefined, piece: string): void {
    if (pieces == null) return;
    pieces.push(piece);
    if (piece.length < minSearched) return;
    const { keepsMedia, secrets } = this.#redaction;
    if (redactPlain(keepsMedia ? piece : replaceDataUrls(piece), secrets) !== piece) this.#isFound = true;
  }

  /** Whether the line may be a frame: one that is no JSON, for a tab in a text, may still fit a template learned later. */
  #takeLine(line: string, isLast: boolean): boolean {
    const before = readBefore(line);
    const first = line[before.length];
    if (first !== '{' && first !== '[') return false;
    const value = parse(line.slice(before.length));
    if (value === undefined) {
      // One that was cut is left out.
      if (isLast && first === '{') this.#isFound = true;
      return true;
    }
    this.#pieces = [];
    this.#redactor.redact(value);
    if (this.#redactor.changed) this.#isFound = true;
    for (const { channel, original } of this.#pieces) this.#findText(channel).push(original);
    if (this.#learned < maxLearned && !this.#isFound) this.#learn(line);
    return true;
  }

  #learn(line: string): void {
    this.#learned++;
    const template = makeTemplate(line, this.#pieces);
    if (template === null) return;
    if (redactPlain(line, this.#redaction.secrets) !== line) {
      this.#isFound = true;
      return;
    }
    const texts = template.channels.map((channel) => (channel === null ? null : this.#findText(channel)));
    this.#frames.unshift({ template, texts });
    if (this.#frames.length > maxTemplates) this.#frames.pop();
  }

  #findText(channel: string): string[] {
    const known = this.#texts.get(channel);
    if (known !== undefined) return known;
    const pieces: string[] = [];
    this.#texts.set(channel, pieces);
    return pieces;
  }

  /** Of what lies between two known frames, lines and breaks: they may make something up together. */
  #isCleanRun(start: number, end: number, hasFrame: boolean): boolean {
    const run = this.#text.slice(start, end);
    if (!this.#runs.has(run)) {
      if (redactPlain(run, this.#redaction.secrets) !== run) return false;
      if (!hasFrame && run.length <= maxKnownLength && this.#runs.size < maxKnownRuns) this.#runs.add(run);
    }
    if (!hasFrame && run.length <= maxKnownLength) this.#lastRun = run;
    return true;
  }

  /** Of what only the joined pieces show. */
  #areTextsClean(): boolean {
    for (const pieces of this.#texts.values()) {
      if (findSpans(pieces.join(''), this.#redaction.secrets).length > 0) return false;
    }
    return true;
  }
}

function isFrameStart(code: number): boolean {
  if (code === letterD || code === openBrace || code === openBracket) return true;
  return code === space || code === tab || code === byteOrderMark;
}

function parse(payload: string): JsonValue | undefined {
  try {
    return JSON.parse(payload) as JsonValue;
  } catch {
    return undefined;
  }
}
