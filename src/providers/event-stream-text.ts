import { findText } from './json-fields.js';
import { EventStreamReader } from './wire/event-stream.js';
import type { EventStreamMessage } from './wire/event-stream-codec.js';

/**
 * An AWS event stream as text, one JSON value a line: `{"contentBlockDelta":{…}}`; for a `chunk` what it holds in base64,
 * the model's own; exceptions under their names. So it can be kept and shown, and secrets be found in it, which base64
 * would hide. What the reader drops is left out. Never throws.
 */
export class EventStreamText {
  #lines: string[] = [];
  readonly #reader = new EventStreamReader((message) => this.#lines.push(makeLine(message)));

  /** The lines that these bytes complete. */
  write(bytes: Uint8Array): Buffer {
    this.#reader.write(bytes);
    const text = Buffer.from(this.#lines.join(''), 'utf8');
    this.#lines = [];
    return text;
  }
}

function makeLine({ headers, payload }: EventStreamMessage): string {
  const text = payload.toString('utf8');
  const name = headers.get(':event-type') ?? headers.get(':exception-type') ?? headers.get(':error-code') ?? 'message';
  const own = name === 'chunk' ? findChunk(text) : undefined;
  const value =
    own ?? `{${JSON.stringify(name)}:${text === '' ? JSON.stringify(headers.get(':error-message') ?? '') : text}}`;
  return `${value.replaceAll(/[\r\n]+/g, ' ')}\n`;
}

function findChunk(text: string): string | undefined {
  try {
    const bytes = findText(JSON.parse(text), 'bytes');
    return bytes === undefined ? undefined : Buffer.from(bytes, 'base64').toString('utf8');
  } catch {
    return undefined; // no JSON: it is kept as it is
  }
}
