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
  for (const [i, line] of lines.entries()) {
    const lineBreak = i === lines.length - 1 ? '' : typeof breaks === 'string' ? breaks : (breaks[i] ?? '');
    if (line instanceof TemplatedLine) kept.addClean(line.text, lineBreak);
    else if (typeof line === 'string') kept.add(line + lineBreak);
    else kept.add((changed.has(line.number) ? line.before + JSON.stringify(line.value) : line.text) + lineBreak);
  }
  return kept.finish();
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
  readonly #secrets: SecretSet;
  /** `event: …` and blank lines between frames, the same each time. */
  readonly #known = new Set<string>();
  readonly #text: string;
  #out = '';
  #run = '';

  constructor(text: string, secrets: SecretSet) {
    this.#text = text;
    this.#secrets = secrets;
  }

  add(text: string): void {
    this.#run += text;
  }

  addClean(line: string, lineBreak: string): void {
    this.#endRun();
    this.#out += line;
    this.#run = lineBreak;
  }

  finish(): string {
    this.#endRun();
    // The text as it came is one piece of memory, the other was put together of thousands.
    return this.#out === this.#text ? this.#text : this.#out;
  }

  #endRun(): void {
    const run = this.#run;
    if (run === '' || run === '\n' || run === '\n\n') {
      this.#out += run;
      return;
    }
    const isShort = run.length <= maxKnownLength;
    if (isShort && this.#known.has(run)) {
      this.#out += run;
      return;
    }
    const kept = redactPlain(run, this.#secrets);
    if (isShort && kept === run && this.#known.size < maxKnownRuns) this.#known.add(run);
    this.#out += kept;
  }
}

function parse(payload: string): JsonValue | undefined {
  try {
    return JSON.parse(payload) as JsonValue;
  } catch {
    return undefined;
  }
}
