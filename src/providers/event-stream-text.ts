import { readAwsEvent } from './aws-event.js';
import { EventStreamReader } from './wire/event-stream.js';

const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

/**
 * An AWS event stream as text, one JSON value a line: `{"contentBlockDelta":{…}}`; for a `chunk` what it holds in base64,
 * the model's own; exceptions under their names. So it can be kept and shown, and secrets be found in it, which base64
 * would hide. Where something could not be read a line says so in brackets; messages over 2 MiB, twice what is kept of a
 * body, are among that. Never throws.
 */
export class EventStreamText {
  #lines = '';
  readonly #reader = new EventStreamReader(
    (message) => {
      this.#lines += `${readAwsEvent(message).text}\n`;
    },
    {
      maxMessageBytes: MAX_MESSAGE_BYTES,
      onProblem: (problem) => {
        this.#lines += `[${problem}]\n`;
      },
    },
  );

  /** The lines that these bytes complete. */
  write(bytes: Uint8Array): Buffer {
    this.#reader.write(bytes);
    const text = Buffer.from(this.#lines, 'utf8');
    this.#lines = '';
    return text;
  }
}
