import type { JsonValue } from '../core/call-record.js';
import { hasNothingToRedact } from './redaction-clean.js';
import { type FrameRedaction, FrameRedactor } from './redaction-frames.js';
import { redactPlain } from './redaction-spans.js';
import { FrameTemplate, lookAhead, readBefore } from './redaction-templates.js';
import type { SecretSet } from './secrets.js';
import { TextAhead } from './text-ahead.js';

/** A line that was parsed. */
interface ParsedLine {
  /** As `readBefore` gives it. */
  readonly before: string;
  readonly number: number;
  readonly value: JsonValue;
}

/** What is known of a line: its template, its frame, what is to stand in its place, or nothing. */
type LineKind = FrameTemplate | ParsedLine | string | null;

/** The lines of a text that are not empty, column by column: there are thousands. */
class Lines {
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly kinds: LineKind[] = [];

  add(start: number, end: number, kind: LineKind): void {
    this.starts.push(start);
    this.ends.push(end);
    this.kinds.push(kind);
  }

  get count(): number {
    return this.starts.length;
  }
}

/**
 * Redacts a stream of one JSON value a line: server-sent events (`data: {…}`) or NDJSON. Lines nothing was found in
 * stay as they were, byte for byte. A last line that was cut is left out: what it has of a text is the end of
 * something that the frames before it may have begun.
 */
export function redactFrameLines(text: string, redaction: FrameRedaction): string {
  return hasNothingToRedact(text, redaction) ? text : redactLines(text, redaction);
}

/** The same, whether or not there is anything. */
export function redactLines(text: string, redaction: FrameRedaction): string {
  const redactor = new FrameRedactor(redaction);
  const lines = readLines(text, redactor);
  const changed = redactor.finish();
  const kept = new KeptText(text, redaction.secrets);
  for (let i = 0; i < lines.count; i++) {
    const kind = lines.kinds[i] ?? null;
    const start = lines.starts[i] ?? 0;
    const end = lines.ends[i] ?? start;
    if (kind === null) continue;
    if (typeof kind === 'string') {
      kept.replace(start, end, kind);
    } else if (kind instanceof FrameTemplate) {
      const holes = redactor.findHoles(i);
      kept.addClean(start, end, holes === undefined ? null : kind.write(text.slice(start, end), holes));
    } else if (changed.has(kind.number)) {
      kept.replace(start, end, kind.before + JSON.stringify(kind.value));
    }
  }
  return kept.finish();
}

function readLines(text: string, redactor: FrameRedactor): Lines {
  const lines = new Lines();
  const ahead = lookAhead(text);
  const breaks = new TextAhead(text, ['\n', '\r']);
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === lineFeed || code === carriageReturn) {
      at++;
      continue;
    }
    const known = redactor.addTemplated(ahead, at, lines.count);
    const end = known < 0 ? breaks.find(at) : known;
    lines.add(at, end, known < 0 ? readLine(redactor, text.slice(at, end), end === text.length) : redactor.template);
    at = end;
  }
  return lines;
}

function readLine(redactor: FrameRedactor, text: string, isLast: boolean): LineKind {
  const before = readBefore(text);
  const first = text[before.length];
  if (first !== '{' && first !== '[') return null;
  const value = parse(text.slice(before.length));
  if (value !== undefined) return { before, number: redactor.addLine(value, text), value };
  return isLast && first === '{' ? `${before}[cut]` : null;
}

const lineFeed = 10;
const carriageReturn = 13;

const maxKnownRuns = 256;
const maxKnownLength = 512;

/**
 * Puts the lines together again. What lies between lines that were read by a template, lines and breaks, is searched once
 * more together: for what several unparsed lines make up, and for what a frame says twice under one name.
 */
class KeptText {
  readonly #text: string;
  readonly #secrets: SecretSet;
  /** `event: …` and blank lines between frames, the same each time. */
  readonly #known = new Set<string>();
  #lastKnown = '';
  /** What is kept of the text up to `#copied`. */
  #out = '';
  #copied = 0;
  #runStart = 0;
  /** What is kept of the run up to `#runCopied`; `null` as long as nothing of it changed. */
  #run: string | null = null;
  #runCopied = 0;

  constructor(text: string, secrets: SecretSet) {
    this.#text = text;
    this.#secrets = secrets;
  }

  /** Has another text stand in the place of this. In order. */
  replace(start: number, end: number, kept: string): void {
    this.#run = (this.#run ?? '') + this.#text.slice(this.#runCopied, start) + kept;
    this.#runCopied = end;
  }

  /** Says what was searched already, and what is to stand in its place; `null` when it stays. In order. */
  addClean(start: number, end: number, kept: string | null): void {
    this.#endRun(start);
    if (kept !== null) this.#put(start, end, kept);
    this.#runStart = end;
    this.#runCopied = end;
  }

  finish(): string {
    this.#endRun(this.#text.length);
    // Most often nothing changed: the text as it came is one piece of memory, put together it were thousands.
    return this.#copied === 0 ? this.#text : this.#out + this.#text.slice(this.#copied);
  }

  #put(start: number, end: number, kept: string): void {
    this.#out += this.#text.slice(this.#copied, start) + kept;
    this.#copied = end;
  }

  #endRun(end: number): void {
    const isChanged = this.#run !== null;
    const run = (this.#run ?? '') + this.#text.slice(this.#runCopied, end);
    this.#run = null;
    const kept = this.#isClean(run) ? run : this.#search(run);
    if (isChanged || kept.length !== run.length || kept !== run) this.#put(this.#runStart, end, kept);
  }

  #isClean(run: string): boolean {
    if (run === '' || run === '\n' || run === '\n\n' || run === this.#lastKnown) return true;
    if (run.length > maxKnownLength || !this.#known.has(run)) return false;
    this.#lastKnown = run;
    return true;
  }

  #search(run: string): string {
    const kept = redactPlain(run, this.#secrets);
    if (run.length <= maxKnownLength && kept === run && this.#known.size < maxKnownRuns) this.#known.add(run);
    return kept;
  }
}

function parse(payload: string): JsonValue | undefined {
  try {
    return JSON.parse(payload) as JsonValue;
  } catch {
    return undefined;
  }
}
