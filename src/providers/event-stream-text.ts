import { readAwsEvent } from './aws-event.js';
import { EventStreamReader } from './wire/event-stream.js';

/**
 * An AWS event stream as text, one JSON value a line: `{"contentBlockDelta":{…}}`; for a `chunk` what it holds in base64,
 * the model's own; exceptions under their names. So it can be kept and shown, and secrets be found in it, which base64
 * would hide. What the reader drops is left out. Never throws.
 */
export class EventStreamText {
  #lines = '';
  readonly #reader = new EventStreamReader((message) => {
    this.#lines += `${readAwsEvent(message).text}\n`;
  });

  /** The lines that these bytes complete. */
  write(bytes: Uint8Array): Buffer {
    this.#reader.write(bytes);
    const text = Buffer.from(this.#lines, 'utf8');
    this.#lines = '';
    return text;
  }
}
