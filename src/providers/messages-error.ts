import type { JsonValue } from '../core/call-record.js';
import type { ReplyCrossing } from '../core/crossing.js';
import type { RawHeaders } from '../core/wire.js';
import { findObject, findText, isJsonObject } from './json-fields.js';
import { GrowingBuffer } from './wire/growing-buffer.js';

/** More than an error of any of them; what is longer is passed on as it came. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Anthropic's word for an error of this status. Source: https://docs.claude.com/en/api/errors (read 2026-11-27); statuses it
 * does not list are those of its neighbours: Bedrock's 408 (the model took too long), 424 and 503.
 */
export function nameErrorType(status: number): string {
  const named = TYPES[status];
  if (named !== undefined) return named;
  return status >= 400 && status < 500 ? 'invalid_request_error' : 'api_error';
}

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  424: 'api_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** An error as Anthropic writes it: in a body, and in a stream. */
export function makeErrorDocument(type: string, message: string, requestId: string | null): JsonValue {
  return { type: 'error', error: { type, message }, ...(requestId !== null && { request_id: requestId }) };
}

export interface ErrorCrossingOptions {
  readonly status: number;
  /** As the client gets them. */
  readonly rawHeaders: RawHeaders;
  readonly requestId: string | null;
  /** Changes of the head. */
  readonly changes: readonly string[];
}

/**
 * An error of a cloud's in Anthropic's words, its status kept: AWS's `{ message }` or `{ Message }`, Google's `{ error: { code,
 * message, status } }` or a list of one. What is Anthropic's already, as a cloud passes it on from the model, goes on byte for
 * byte, and so does what states no message. Sources: `error-body.ts`.
 */
export class MessagesError implements ReplyCrossing {
  readonly rawHeaders: RawHeaders;
  readonly problem = null;
  readonly #options: ErrorCrossingOptions;
  readonly #held = new GrowingBuffer();
  #isPassing = false;
  #isChanged = false;

  constructor(options: ErrorCrossingOptions) {
    this.#options = options;
    this.rawHeaders = options.rawHeaders;
  }

  get changes(): readonly string[] {
    return [...this.#options.changes, ...(this.#isChanged ? ["reply: error put in Anthropic's words"] : [])];
  }

  write(bytes: Uint8Array): Buffer {
    if (this.#isPassing) return Buffer.from(bytes);
    this.#held.append(bytes);
    if (this.#held.length <= MAX_ERROR_BYTES) return Buffer.alloc(0);
    this.#isPassing = true;
    return this.#held.take();
  }

  end(): Buffer {
    if (this.#isPassing) return Buffer.alloc(0);
    const held = this.#held.take();
    const document = this.#translate(held.toString('utf8'));
    if (document === null) return held;
    this.#isChanged = true;
    return Buffer.from(JSON.stringify(document));
  }

  #translate(text: string): JsonValue | null {
    const { status, requestId } = this.#options;
    const document = parse(text);
    const stated = Array.isArray(document) ? (document as readonly JsonValue[])[0] : document;
    if (stated === undefined || isAnthropic(stated)) return null;
    const message = findText(stated, 'error', 'message') ?? findText(stated, 'message') ?? findText(stated, 'Message');
    return message === undefined ? null : makeErrorDocument(nameErrorType(status), message, requestId);
  }
}

function isAnthropic(document: JsonValue): boolean {
  if (!isJsonObject(document) || document.type !== 'error') return false;
  const error = findObject(document, 'error');
  return error !== undefined && findText(error, 'type') !== undefined;
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined; // a page of whoever stands before the cloud
  }
}
