import type { JsonValue } from '../core/call-record.js';
import type { ReplyFacts } from '../core/wire.js';
import { findText } from './json-fields.js';
import type { EventStreamMessage } from './wire/event-stream-codec.js';

const MAX_CODE_CHARS = 200;
const MAX_MESSAGE_CHARS = 2000;

/** What a message of an AWS event stream says. */
export interface AwsEvent {
  /** One line, JSON where the message holds some. */
  readonly text: string;
  /** `null` for an event. */
  readonly error: ReplyFacts['error'];
}

/**
 * Reads a message of an AWS event stream: an event becomes the document `{ [event type]: payload }`, as AWS's own clients
 * give it; a `chunk` becomes the document that is in its `bytes`, the model's own; an exception becomes an error by its
 * name. Nothing is parsed but the wrapping of a chunk.
 *
 * Sources: the npm packages `@smithy/core` 3.41 (its unmarshaller: headers `:message-type`, `:event-type`,
 * `:exception-type`, `:error-code`, `:error-message`) and `@aws-sdk/client-bedrock-runtime` 3.1164 (types
 * `ConverseStreamOutput`, `ResponseStream`, `PayloadPart`), read 2026-11-27.
 */
export function readAwsEvent({ headers, payload }: EventStreamMessage): AwsEvent {
  const type = headers.get(':message-type');
  const name = headers.get(type === 'exception' ? ':exception-type' : type === 'error' ? ':error-code' : ':event-type');
  const own = payload.toString('utf8');
  if (type === 'error') return makeError(name, headers.get(':error-message') ?? '', JSON.stringify(own));
  if (type === 'exception') return makeError(name, readMessage(own), own);
  const chunk = name === 'chunk' ? findChunk(own) : undefined;
  return { text: onOneLine(chunk ?? wrap(name, own)), error: null };
}

/** As Bedrock writes it, with what pads it to no telling length: need not be parsed. */
const bytesMember = '{"bytes":"';
const padMember = '","p":"';
const chunkEnd = '"}';

function makeError(name: string | undefined, message: string, payload: string): AwsEvent {
  const code = (name ?? 'error').slice(0, MAX_CODE_CHARS);
  return { text: onOneLine(wrap(name, payload)), error: { code, message: message.slice(0, MAX_MESSAGE_CHARS) } };
}

/** What the documents of an event begin with, by its name: a stream has few. */
const beginnings = new Map<string, string>();
const mostBeginnings = 100;
const longestKnown = 64;

function wrap(name: string | undefined, payload: string): string {
  return `${findBeginning(name ?? 'message')}${payload}}`;
}

function findBeginning(name: string): string {
  const known = beginnings.get(name);
  if (known !== undefined) return known;
  const beginning = `{${JSON.stringify(name)}:`;
  if (beginnings.size >= mostBeginnings) beginnings.clear();
  if (name.length <= longestKnown) beginnings.set(name, beginning);
  return beginning;
}

function readMessage(payload: string): string {
  const document = parse(payload);
  return findText(document, 'message') ?? findText(document, 'Message') ?? findText(document, 'originalMessage') ?? '';
}

function findChunk(payload: string): string | undefined {
  const bytes = findUsualBytes(payload) ?? findText(parse(payload), 'bytes');
  return bytes === undefined ? undefined : decodeBase64(bytes);
}

/** The text of the only member that counts. Without a backslash a quote ends a text, so that there can be no other. */
function findUsualBytes(payload: string): string | undefined {
  const start = bytesMember.length;
  if (payload.slice(0, start) !== bytesMember || payload.includes('\\')) return undefined;
  const end = payload.indexOf('"', start);
  const isPadded = payload.slice(end, end + padMember.length) === padMember;
  const last = isPadded ? payload.indexOf('"', end + padMember.length) : end;
  return end > start && payload.slice(last) === chunkEnd ? payload.slice(start, end) : undefined;
}

/** Of one chunk at a time; larger ones have memory of their own. */
const scratch = Buffer.alloc(16 * 1024);

function decodeBase64(text: string): string {
  if (text.length > scratch.length) return Buffer.from(text, 'base64').toString('utf8');
  return scratch.toString('utf8', 0, scratch.write(text, 'base64'));
}

/** White space between the values of JSON may be another. */
function onOneLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replaceAll(/[\r\n]+/g, ' ') : text;
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
