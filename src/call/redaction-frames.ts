import type { JsonValue } from '../core/call-record.js';
import { JsonRedactor, type Piece } from './redaction-json.js';
import { replaceDataUrls } from './redaction-media.js';
import type { Span } from './redaction-shapes.js';
import { findSpans, makeMask, redactPlain } from './redaction-spans.js';
import { type FrameTemplate, makeTemplate } from './redaction-templates.js';
import type { SecretSet } from './secrets.js';

export interface FrameRedaction {
  readonly secrets: SecretSet;
  readonly keepsMedia: boolean;
}

interface FramePiece {
  readonly original: string;
  /** Whether it was searched by itself already, so that only what goes beyond it is left to find. */
  readonly searched: boolean;
  replace(text: string): void;
}

/** Shorter pieces are searched only joined with the others of their text. */
const minSearched = 20;

/** A line known by its template: no part of it is parsed. */
export class TemplatedLine {
  readonly #line: string;
  readonly #template: FrameTemplate;
  #strings: Map<number, string> | null = null;

  constructor(line: string, template: FrameTemplate) {
    this.#line = line;
    this.#template = template;
  }

  replace(hole: number, text: string): void {
    this.#strings ??= new Map();
    this.#strings.set(hole, text);
  }

  /** The line as it may be kept. */
  get text(): string {
    return this.#strings === null ? this.#line : this.#template.write(this.#line, this.#strings);
  }
}

/** There are thousands of them: no closure for each. */
class TemplatedPiece implements FramePiece {
  readonly original: string;
  readonly searched: boolean;
  readonly #line: TemplatedLine;
  readonly #hole: number;

  constructor(line: TemplatedLine, hole: number, original: string) {
    this.#line = line;
    this.#hole = hole;
    this.original = original;
    this.searched = original.length >= minSearched;
  }

  replace(text: string): void {
    this.#line.replace(this.#hole, text);
  }
}

/** Of the frames of a stream that vary in what they tell only, a few templates are enough. */
const maxTemplates = 8;
const maxLearned = 48;

/** Redacts frames one by one, and what only their joined texts show. */
export class FrameRedactor {
  readonly #redaction: FrameRedaction;
  readonly #redactor: JsonRedactor;
  readonly #channels = new Map<string, FramePiece[]>();
  readonly #changed = new Set<number>();
  /** The one that fitted last comes first. */
  readonly #templates: FrameTemplate[] = [];
  #pieces: Piece[] = [];
  #learned = 0;
  #frames = 0;

  constructor({ secrets, keepsMedia }: FrameRedaction) {
    this.#redaction = { secrets, keepsMedia };
    this.#redactor = new JsonRedactor({ secrets, keepsMedia, onPiece: (piece) => this.#pieces.push(piece) });
  }

  /** Takes the next frame, changing it in place; returns its number. */
  add(frame: JsonValue): number {
    const number = this.#frames++;
    this.#pieces = [];
    this.#redactor.redact(frame);
    if (this.#redactor.changed) this.#changed.add(number);
    for (const { channel, original, replace } of this.#pieces) {
      const put = (text: string): void => {
        replace(text);
        this.#changed.add(number);
      };
      this.#collect(channel, { original, searched: true, replace: put });
    }
    return number;
  }

  /** As `add`, of a frame that was parsed from this line: the next of its shape need not be. */
  addLine(frame: JsonValue, line: string): number {
    const number = this.add(frame);
    if (this.#learned >= maxLearned || this.#changed.has(number)) return number;
    this.#learned++;
    const template = makeTemplate(line, this.#pieces);
    // What goes around the pieces is not looked at again.
    if (template === null || redactPlain(line, this.#redaction.secrets) !== line) return number;
    this.#templates.unshift(template);
    if (this.#templates.length > maxTemplates) this.#templates.pop();
    return number;
  }

  /** Takes a line that has the shape of a frame seen before; `null` when it has none. */
  addTemplated(line: string): TemplatedLine | null {
    for (let i = 0; i < this.#templates.length; i++) {
      const template = this.#templates[i];
      const values = template?.read(line) ?? null;
      if (template === undefined || values === null) continue;
      if (i > 0) this.#templates.unshift(...this.#templates.splice(i, 1));
      const templated = new TemplatedLine(line, template);
      for (let hole = 0; hole < values.length; hole++) {
        const channel = template.channels[hole] ?? null;
        if (channel !== null) this.#addPiece(channel, new TemplatedPiece(templated, hole, values[hole] ?? ''));
      }
      return templated;
    }
    return null;
  }

  #addPiece(channel: string, piece: TemplatedPiece): void {
    const { original, searched } = piece;
    if (searched) {
      const { keepsMedia, secrets } = this.#redaction;
      const kept = redactPlain(keepsMedia ? original : replaceDataUrls(original), secrets);
      if (kept !== original) piece.replace(kept);
    }
    this.#collect(channel, piece);
  }

  #collect(channel: string, piece: FramePiece): void {
    const pieces = this.#channels.get(channel);
    if (pieces === undefined) this.#channels.set(channel, [piece]);
    else pieces.push(piece);
  }

  /** Masks what spans several frames; returns the numbers of the frames that differ from what they were. */
  finish(): ReadonlySet<number> {
    for (const pieces of this.#channels.values()) this.#maskAcross(pieces);
    return this.#changed;
  }

  #maskAcross(pieces: readonly FramePiece[]): void {
    if (pieces.length === 1 && pieces[0]?.searched === true) return;
    const { secrets } = this.#redaction;
    const spans = findSpans(pieces.map(({ original }) => original).join(''), secrets);
    if (spans.length === 0) return;
    let start = 0;
    let next = 0;
    for (const piece of pieces) {
      const { original, searched } = piece;
      const end = start + original.length;
      while ((spans[next]?.end ?? Infinity) <= start) next++;
      const touching: Span[] = [];
      for (let i = next; i < spans.length; i++) {
        const span = spans[i];
        if (span === undefined || span.start >= end) break;
        touching.push(span);
      }
      if (touching.some((span) => !searched || span.start < start || span.end > end)) {
        piece.replace(redactPlain(maskPiece(original, start, touching), secrets));
      }
      start = end;
    }
  }
}

/** The mask stands in the piece where the secret begins; of the others their share is gone. */
function maskPiece(text: string, offset: number, spans: readonly Span[]): string {
  let out = '';
  let from = 0;
  for (const { start, end, kind } of spans) {
    out += text.slice(from, Math.max(0, start - offset));
    if (start >= offset) out += makeMask(kind);
    from = Math.min(text.length, end - offset);
  }
  return out + text.slice(from);
}

/** A stream whose frames are the items of one JSON array, as Gemini sends it without `alt=sse`. */
export function redactFrameList(frames: readonly JsonValue[], redaction: FrameRedaction): JsonValue {
  const redactor = new FrameRedactor(redaction);
  const kept = frames.map((frame) => {
    if (typeof frame === 'string') return redactPlain(frame, redaction.secrets);
    redactor.add(frame);
    return frame;
  });
  redactor.finish();
  return kept;
}
