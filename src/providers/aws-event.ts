import type { JsonValue } from '../core/call-record.js';
import type { ReplyFacts } from '../core/wire.js';
import { findText } from './json-fields.js';
import type { EventStreamMessage } from './wire/event-stream-codec.js';

const MAX_CODE_CHARS = 200;
const MAX_MESSAGE_CHARS = 2000;

/** What a message of an AWS event stream says. */
export type AwsEvent =
  | { readonly document: JsonValue; readonly error?: undefined }
  | { readonly error: NonNullable<ReplyFacts['error']> };

/**
 * Reads a message of an AWS event stream: an event becomes the document `{ [event type]: payload }`, as AWS's own clients
 * give it; a `chunk` becomes the document that is in its `bytes`, the model's own; an exception becomes an error by its
 * name. `null` when it holds no JSON.
 *
 * Sources: the npm packages `@smithy/core` 3.41 (its unmarshaller: headers `:message-type`, `:event-type`,
 * `:exception-type`, `:error-code`, `:error-message`) and `@aws-sdk/client-bedrock-runtime` 3.1164 (types
 * `ConverseStreamOutput`, `ResponseStream`, `PayloadPart`), read 2026-11-27.
 */
export function readAwsEvent({ headers, payload }: EventStreamMessage): AwsEvent | null {
  const type = headers.get(':message-type');
  if (type === 'error') return makeError(headers.get(':error-code'), headers.get(':error-message'));
  const document = parse(payload.toString('utf8'));
  if (type === 'exception') {
    const message =
      findText(document, 'message') ?? findText(document, 'Message') ?? findText(document, 'originalMessage');
    return makeError(headers.get(':exception-type'), message);
  }
  if (document === undefined) return null;
  const name = headers.get(':event-type') ?? '';
  if (name !== 'chunk') return { document: { [name]: document } };
  const own = parse(Buffer.from(findText(document, 'bytes') ?? '', 'base64').toString('utf8'));
  return own === undefined ? null : { document: own };
}

function makeError(code: string | undefined, message: string | undefined): AwsEvent {
  return {
    error: {
      code: (code ?? 'error').slice(0, MAX_CODE_CHARS),
      message: (message ?? '').slice(0, MAX_MESSAGE_CHARS),
    },
  };
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
