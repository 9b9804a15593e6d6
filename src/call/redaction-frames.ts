import type { JsonValue } from '../core/call-record.js';
import { JsonRedactor, type Piece } from './redaction-json.js';
import type { Span } from './redaction-shapes.js';
import { findSpans, makeMask, redactPlain } from './redaction-spans.js';
import type { SecretSet } from './secrets.js';

interface FrameRedaction {
  readonly secrets: SecretSet;
  readonly keepsMedia: boolean;
}

interface FramePiece {
  readonly piece: Piece;
  readonly frame: number;
}

/** Redacts frames one by one, and what only their joined texts show. */
class FrameRedactor {
  readonly #secrets: SecretSet;
  readonly #redactor: JsonRedactor;
  readonly #channels = new Map<string, FramePiece[]>();
  readonly #changed = new Set<number>();
  #frames = 0;

  constructor({ secrets, keepsMedia }: FrameRedaction) {
    this.#secrets = secrets;
    this.#redactor = new JsonRedactor({ secrets, keepsMedia, onPiece: (piece) => this.#collect(piece) });
  }

  /** Takes the next frame, changing it in place; returns its number. */
  add(frame: JsonValue): number {
    this.#redactor.redact(frame);
    if (this.#redactor.changed) this.#changed.add(this.#frames);
    return this.#frames++;
  }

  #collect(piece: Piece): void {
    const pieces = this.#channels.get(piece.channel);
    if (pieces === undefined) this.#channels.set(piece.channel, [{ piece, frame: this.#frames }]);
    else pieces.push({ piece, frame: this.#frames });
  }

  /** Masks what spans several frames; returns the numbers of the frames that differ from what they were. */
  finish(): ReadonlySet<number> {
    for (const pieces of this.#channels.values()) {
      if (pieces.length > 1) this.#maskAcross(pieces);
    }
    return this.#changed;
  }

  #maskAcross(pieces: readonly FramePiece[]): void {
    const whole = pieces.map(({ piece }) => piece.original).join('');
    const spans = findSpans(whole, this.#secrets);
    if (spans.length === 0) return;
    let start = 0;
    let next = 0;
    for (const { piece, frame } of pieces) {
      const end = start + piece.original.length;
      while ((spans[next]?.end ?? Infinity) <= start) next++;
      const touching: Span[] = [];
      for (let i = next; i < spans.length; i++) {
        const span = spans[i];
        if (span === undefined || span.start >= end) break;
        touching.push(span);
      }
      if (touching.some((span) => span.start < start || span.end > end)) {
        piece.replace(redactPlain(maskPiece(piece.original, start, touching), this.#secrets));
        this.#changed.add(frame);
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

interface Line {
  readonly text: string;
  /** `data: ` where the line is a frame, the line break included in `after`. */
  readonly before: string;
  readonly after: string;
  readonly frame: { readonly number: number; readonly value: JsonValue } | null;
}

/**
 * Redacts a stream of one JSON value a line: server-sent events (`data: {…}`) or NDJSON. Lines nothing was found in
 * stay as they were, byte for byte. A last line that was cut is left out: what it has of a text is the end of
 * something that the frames before it may have begun.
 */
export function redactFrameLines(text: string, redaction: FrameRedaction): string {
  const redactor = new FrameRedactor(redaction);
  const lines: Line[] = [];
  const parts = text.split(/(\r\n|\r|\n)/);
  for (let i = 0; i < parts.length; i += 2) {
    const content = parts[i] ?? '';
    const after = parts[i + 1] ?? '';
    const before = content.startsWith('data: ') ? 'data: ' : content.startsWith('data:') ? 'data:' : '';
    const payload = content.slice(before.length);
    const value = payload.startsWith('{') || payload.startsWith('[') ? parse(payload) : undefined;
    if (value !== undefined)
      lines.push({ text: content, before, after, frame: { number: redactor.add(value), value } });
    else if (after === '' && payload.startsWith('{'))
      lines.push({ text: `${before}[cut]`, before, after, frame: null });
    else lines.push({ text: content, before, after, frame: null });
  }
  const changed = redactor.finish();
  const kept = lines.map(({ text: content, before, after, frame }) => {
    const isChanged = frame !== null && changed.has(frame.number);
    return (isChanged ? before + JSON.stringify(frame.value) : content) + after;
  });
  // Once over all of it: what several unparsed lines make up, and what a frame says twice under one name.
  return redactPlain(kept.join(''), redaction.secrets);
}

function parse(payload: string): JsonValue | undefined {
  try {
    return JSON.parse(payload) as JsonValue;
  } catch {
    return undefined;
  }
}
