import type { JsonValue } from '../core/call-record.js';
import type { ReplyCrossing } from '../core/crossing.js';
import type { RawHeaders } from '../core/wire.js';
import { readAwsEvent } from './aws-event.js';
import { findText } from './json-fields.js';
import { makeErrorDocument } from './messages-error.js';
import { EventStreamReader } from './wire/event-stream.js';

/** As Anthropic writes its documents: the type first. */
const usualType = /^\{"type":"([a-z_]+)"[,}]/;
/** What can stand on the line `event:`. */
const plainType = /^[\w.-]+$/;

/** Anthropic's words for the exceptions of a stream (`ResponseStream`, see below); `api_error` for the others. */
const ERROR_TYPES: ReadonlyMap<string, string> = new Map([
  ['modelTimeoutException', 'timeout_error'],
  ['serviceUnavailableException', 'overloaded_error'],
  ['throttlingException', 'rate_limit_error'],
  ['validationException', 'invalid_request_error'],
]);

/**
 * A stream of InvokeModelWithResponseStream as Anthropic's own: each `chunk` holds in base64 what Anthropic sends as an event,
 * named by its `type`, and goes on as it is, with Bedrock's own `amazon-bedrock-invocationMetrics` in the last: Anthropic's
 * package for Bedrock gives that to its users, too. What has no type, which no event can carry, is left out, as there. An
 * exception becomes Anthropic's `error` event, and nothing follows it.
 *
 * Each event is given as soon as its last byte is there; at most one message is held (`EventStreamReader`'s 16 MiB). After
 * what cannot be read nothing more is given.
 *
 * Sources: the npm packages `@anthropic-ai/bedrock-sdk` 1.1.3 (`core/streaming.mjs`), `@aws-sdk/client-bedrock-runtime` 3.1164
 * (type `ResponseStream`); https://docs.claude.com/en/docs/build-with-claude/streaming for the events (read 2026-11-27).
 */
export class BedrockMessagesStream implements ReplyCrossing {
  readonly rawHeaders: RawHeaders;
  readonly #changes: readonly string[];
  #problem: string | null = null;
  #hasFailed = false;
  #events: string[] = [];
  readonly #reader = new EventStreamReader((message) => this.#take(readAwsEvent(message)), {
    onProblem: (problem) => {
      this.#problem ??= problem;
    },
  });

  /** @param head the headers as the client gets them, and what was changed in them */
  constructor(head: { readonly rawHeaders: RawHeaders; readonly changes: readonly string[] }) {
    this.rawHeaders = head.rawHeaders;
    this.#changes = head.changes;
  }

  get problem(): string | null {
    return this.#problem;
  }

  get changes(): readonly string[] {
    return ["reply: AWS event stream rewritten as Anthropic's event stream", ...this.#changes];
  }

  write(bytes: Uint8Array): Buffer {
    if (!this.#isOver) this.#reader.write(bytes);
    return this.#takeEvents();
  }

  end(): Buffer {
    if (!this.#isOver) this.#reader.end();
    return this.#takeEvents();
  }

  get #isOver(): boolean {
    return this.#hasFailed || this.#problem !== null;
  }

  #take({ text, error }: ReturnType<typeof readAwsEvent>): void {
    if (this.#isOver) return;
    if (error !== null) {
      this.#hasFailed = true;
      const type = ERROR_TYPES.get(error.code) ?? 'api_error';
      const message = error.message === '' ? error.code : error.message;
      this.#events.push(makeEvent('error', JSON.stringify(makeErrorDocument(type, message, null))));
      return;
    }
    const type = usualType.exec(text)?.[1] ?? this.#readType(text);
    if (type !== undefined && plainType.test(type)) this.#events.push(makeEvent(type, text));
  }

  #readType(text: string): string | undefined {
    try {
      return findText(JSON.parse(text) as JsonValue, 'type');
    } catch {
      this.#problem = 'An event of the stream is no JSON.';
      return undefined;
    }
  }

  #takeEvents(): Buffer {
    if (this.#events.length === 0) return Buffer.alloc(0);
    const text = this.#events.join('');
    this.#events = [];
    return Buffer.from(text);
  }
}

function makeEvent(type: string, data: string): string {
  return `event: ${type}\ndata: ${data}\n\n`;
}
