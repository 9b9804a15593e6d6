import type { JsonValue } from '../core/call-record.js';
import { JsonRedactor, type Piece } from './redaction-json.js';
import { replaceDataUrls } from './redaction-media.js';
import type { Span } from './redaction-shapes.js';
import { findSpans, makeMask, redactPlain } from './redaction-spans.js';
import { type FrameTemplate, makeTemplate } from './redaction-templates.js';
import type { SecretSet } from './secrets.js';
import type { TextAhead } from './text-ahead.js';

export interface FrameRedaction {
  readonly secrets: SecretSet;
  readonly keepsMedia: boolean;
}

/** Shorter pieces are searched only joined with the others of their text. */
export const minSearched = 20;

/** A line known by its template, of which no part is parsed: which hole of which line a piece is, in one number. */
type Place = number;
const mostHoles = 64;

/** The pieces of one text, in the order in which they were told. There are thousands: no object for each. */
class Channel {
  readonly originals: string[] = [];
  /** Of a frame that was parsed, what puts another text in the place of its piece; else where it stands. */
  readonly #replacers: (((text: string) => void) | Place)[] = [];
  readonly #replaceAt: (place: Place, text: string) => void;

  constructor(replaceAt: (place: Place, text: string) => void) {
    this.#replaceAt = replaceAt;
  }

  add(original: string, replacer: ((text: string) => void) | Place): void {
    this.originals.push(original);
    this.#replacers.push(replacer);
  }

  /** Whether it was searched by itself already, so that only what goes beyond it is left to find. */
  isSearched(at: number): boolean {
    return typeof this.#replacers[at] === 'function' || (this.originals[at]?.length ?? 0) >= minSearched;
  }

  replace(at: number, text: string): void {
    const replacer = this.#replacers[at];
    if (typeof replacer === 'function') replacer(text);
    else if (replacer !== undefined) this.#replaceAt(replacer, text);
  }
}

/** Of the frames of a stream that vary in what they tell only, a few templates are enough. */
export const maxTemplates = 8;
export const maxLearned = 48;

/** Redacts frames one by one, and what only their joined texts show. */
export class FrameRedactor {
  readonly #redaction: FrameRedaction;
  readonly #redactor: JsonRedactor;
  readonly #channels = new Map<string, Channel>();
  /** What is to stand in the holes of templated lines instead, by line and hole. */
  readonly #holes = new Map<number, Map<number, string>>();
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
      this.#channel(channel).add(original, put);
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

  /**
   * Takes the line that begins at `from`, where it has the shape of a frame seen before.
   *
   * @param line its number among the lines of the text
   * @returns where it ends; -1 when it has no such shape
   */
  addTemplated(text: TextAhead, from: number, line: number): number {
    for (let i = 0; i < this.#templates.length; i++) {
      const template = this.#templates[i];
      const end = template?.match(text, from) ?? -1;
      if (template === undefined || end < 0) continue;
      if (i > 0) this.#templates.unshift(...this.#templates.splice(i, 1));
      for (let hole = 0; hole < template.channels.length; hole++) {
        const channel = template.channels[hole] ?? null;
        if (channel !== null) this.#addPiece(channel, template.values[hole] ?? '', line * mostHoles + hole);
      }
      return end;
    }
    return -1;
  }

  /** The template of the line that was taken last. */
  get template(): FrameTemplate | null {
    return this.#templates[0] ?? null;
  }

  /** After `finish`: what is to stand in the holes of a templated line; `undefined` where it stays as it is. */
  findHoles(line: number): ReadonlyMap<number, string> | undefined {
    return this.#holes.get(line);
  }

  #addPiece(name: string, original: string, place: Place): void {
    this.#channel(name).add(original, place);
    if (original.length < minSearched) return;
    const { keepsMedia, secrets } = this.#redaction;
    const kept = redactPlain(keepsMedia ? original : replaceDataUrls(original), secrets);
    if (kept !== original) this.#replaceAt(place, kept);
  }

  #channel(name: string): Channel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const channel = new Channel((place, text) => this.#replaceAt(place, text));
    this.#channels.set(name, channel);
    return channel;
  }

  #replaceAt(place: Place, text: string): void {
    const hole = place % mostHoles;
    const line = (place - hole) / mostHoles;
    const holes = this.#holes.get(line);
    if (holes === undefined) this.#holes.set(line, new Map([[hole, text]]));
    else holes.set(hole, text);
  }

  /** Masks what spans several frames; returns the numbers of the frames that differ from what they were. */
  finish(): ReadonlySet<number> {
    for (const channel of this.#channels.values()) this.#maskAcross(channel);
    return this.#changed;
  }

  #maskAcross(channel: Channel): void {
    const { originals } = channel;
    if (originals.length === 1 && channel.isSearched(0)) return;
    const { secrets } = this.#redaction;
    const spans = findSpans(originals.join(''), secrets);
    if (spans.length === 0) return;
    let start = 0;
    let next = 0;
    for (const [at, original] of originals.entries()) {
      const end = start + original.length;
      while ((spans[next]?.end ?? Infinity) <= start) next++;
      const touching: Span[] = [];
      for (let i = next; i < spans.length; i++) {
        const span = spans[i];
        if (span === undefined || span.start >= end) break;
        touching.push(span);
      }
      if (touching.length > 0 && !(channel.isSearched(at) && isFoundAlone(original, start, { touching, secrets }))) {
        channel.replace(at, redactPlain(maskPiece(original, start, touching), secrets));
      }
      start = end;
    }
  }
}

/** Whether the search of the piece by itself found as much: what says that a text is a secret may stand before it. */
function isFoundAlone(
  text: string,
  offset: number,
  { touching, secrets }: { readonly touching: readonly Span[]; readonly secrets: SecretSet },
): boolean {
  const own = findSpans(text, secrets);
  return touching.every((span) =>
    own.some(({ start, end }) => start + offset <= span.start && span.end <= end + offset),
  );
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
