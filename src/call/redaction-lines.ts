import type { JsonValue } from '../core/call-record.js';
import { type FrameRedaction, FrameRedactor, TemplatedLine } from './redaction-frames.js';
import { redactPlain } from './redaction-spans.js';
import type { SecretSet } from './secrets.js';

/** A line that was parsed. */
interface ParsedLine {
  readonly text: string;
  /** `data: `, `data:` or nothing. */
  readonly before: string;
  readonly number: number;
  readonly value: JsonValue;
}

/** A string is a line that holds no frame. */
type Line = string | ParsedLine | TemplatedLine;

/**
 * Redacts a stream of one JSON value a line: server-sent events (`data: {…}`) or NDJSON. Lines nothing was found in
 * stay as they were, byte for byte. A last line that was cut is left out: what it has of a text is the end of
 * something that the frames before it may have begun.
 */
export function redactFrameLines(text: string, redaction: FrameRedaction): string {
  const redactor = new FrameRedactor(redaction);
  const { contents, breaks } = splitLines(text);
  const lines = contents.map((content, i) => readLine(redactor, content, i === contents.length - 1));
  const changed = redactor.finish();
  const kept = new KeptText(text, redaction.secrets);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const content = contents[i] ?? '';
    const lineBreak = i === lines.length - 1 ? '' : typeof breaks === 'string' ? breaks : (breaks[i] ?? '');
    if (line instanceof TemplatedLine) kept.addClean(content, line.text);
    else kept.add(content, typeof line === 'string' ? line : writeLine(line, changed));
    kept.add(lineBreak, lineBreak);
  }
  return kept.finish();
}

function writeLine(line: ParsedLine, changed: ReadonlySet<number>): string {
  return changed.has(line.number) ? line.before + JSON.stringify(line.value) : line.text;
}

/** Most streams have one kind of line break: then it is said once. */
function splitLines(text: string): { contents: string[]; breaks: string | string[] } {
  if (!text.includes('\r')) return { contents: text.split('\n'), breaks: '\n' };
  const parts = text.split(/(\r\n|\r|\n)/);
  return { contents: parts.filter((_, i) => i % 2 === 0), breaks: parts.filter((_, i) => i % 2 === 1) };
}

function readLine(redactor: FrameRedactor, text: string, isLast: boolean): Line {
  if (text === '') return text;
  const before = text.startsWith('data: ') ? 'data: ' : text.startsWith('data:') ? 'data:' : '';
  const first = text[before.length];
  if (first !== '{' && first !== '[') return text;
  const templated = redactor.addTemplated(text);
  if (templated !== null) return templated;
  const value = parse(text.slice(before.length));
  if (value !== undefined) return { text, before, number: redactor.addLine(value, text), value };
  return isLast && first === '{' ? `${before}[cut]` : text;
}

const maxKnownRuns = 256;
const maxKnownLength = 512;

/**
 * Puts the lines together again. Neighbouring lines that were not read by a template are searched once more together:
 * for what several unparsed lines make up, and for what a frame says twice under one name.
 */
class KeptText {
  readonly #text: string;
  readonly #secrets: SecretSet;
  /** `event: …` and blank lines between frames, the same each time. */
  readonly #known = new Set<string>();
  /** What is kept of the text up to `#copied`. */
  #out = '';
  #copied = 0;
  /** Up to here the text was added. */
  #at = 0;
  #run = '';
  #runStart = 0;
  #isRunChanged = false;

  constructor(text: string, secrets: SecretSet) {
    this.#text = text;
    this.#secrets = secrets;
  }

  /** Adds the next of the text, or what is to be kept in its place. */
  add(original: string, kept: string): void {
    if (kept !== original) this.#isRunChanged = true;
    this.#run += kept;
    this.#at += original.length;
  }

  /** As `add`, of what was searched already. */
  addClean(original: string, kept: string): void {
    this.#endRun();
    const start = this.#at;
    this.#at += original.length;
    if (kept !== original) this.#put(start, kept);
    this.#runStart = this.#at;
  }

  finish(): string {
    this.#endRun();
    // Most often nothing changed: the text as it came is one piece of memory, put together it were thousands.
    return this.#copied === 0 ? this.#text : this.#out + this.#text.slice(this.#copied);
  }

  /** What was added from `start` on is kept as this. */
  #put(start: number, kept: string): void {
    this.#out += this.#text.slice(this.#copied, start) + kept;
    this.#copied = this.#at;
  }

  #endRun(): void {
    const run = this.#run;
    const isChanged = this.#isRunChanged;
    this.#run = '';
    this.#isRunChanged = false;
    const kept = this.#isClean(run) ? run : this.#search(run);
    if (isChanged || kept !== run) this.#put(this.#runStart, kept);
    this.#runStart = this.#at;
  }

  #isClean(run: string): boolean {
    return run === '' || run === '\n' || run === '\n\n' || (run.length <= maxKnownLength && this.#known.has(run));
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
