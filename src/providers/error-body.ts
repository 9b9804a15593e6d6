import type { JsonValue } from '../core/call-record.js';
import type { ReplyFacts } from '../core/wire.js';
import { findField, findObject, findText, isJsonObject, type JsonObject } from './json-fields.js';

const MAX_CODE_CHARS = 200;
const MAX_MESSAGE_CHARS = 2000;

/**
 * Reads the error a JSON document states, whatever the dialect; `undefined` when it states none.
 *
 * `code` is the provider's own word: a string `code`, else `status`, else `type`, else a numeric `code`; `error`
 * when it has none. `isErrorReply` says that the reply's status already calls it an error, so that bare
 * `{ message }` and `{ detail }` bodies count too; `errorType` is the header `x-amzn-errortype`.
 *
 * Shapes:
 * - OpenAI `{ error: { message, type, param, code } }`, https://platform.openai.com/docs/guides/error-codes
 * - OpenAI Responses `event: error` with `{ type: 'error', code, message }`, and `response.error` of a failed one
 * - Anthropic `{ type: 'error', error: { type, message }, request_id }`, https://docs.claude.com/en/api/errors
 * - Google `{ error: { code: 429, message, status: 'RESOURCE_EXHAUSTED' } }`, https://cloud.google.com/apis/design/errors
 * - Mistral `{ object: 'error', message, type, code }` (https://github.com/openai/openai-agents-python/issues/442, read 2026-11-21); xAI `{ code, error: 'text' }`; FastAPI servers `{ detail }`;
 *   ollama and Hugging Face `{ error: 'text' }`; OpenRouter `{ error: { code: 429, message } }`
 * - AWS `{ message }` or `{ Message }`, the code in the header `x-amzn-errortype` (`ValidationException:http://…`) or as
 *   `__type` (`com.amazon.coral#AccessDeniedException`), as the npm package `@smithy/core` 3.41 reads them (read 2026-11-27)
 */
export function readErrorBody(
  document: JsonValue,
  isErrorReply: boolean,
  errorType: string | null = null,
): ReplyFacts['error'] | undefined {
  if (!isJsonObject(document)) return undefined;
  const nested = findObject(document, 'error');
  if (nested !== undefined) return makeError(nested, nested);
  const text = findText(document, 'error');
  if (text !== undefined) return makeError(document, { message: text });
  if (document.type === 'error' || document.object === 'error') return makeError(document, document);
  if (!isErrorReply) return undefined;
  const stated = findField(document, 'message') ?? findField(document, 'detail') ?? findField(document, 'Message');
  const code = errorType ?? findText(document, '__type');
  const codes = code === undefined ? document : { code: readAwsCode(code) };
  return stated === undefined || stated === null ? undefined : makeError(codes, { message: stated });
}

function makeError(codes: JsonObject, messages: JsonObject): { code: string; message: string } {
  return { code: readCode(codes).slice(0, MAX_CODE_CHARS), message: readMessage(messages).slice(0, MAX_MESSAGE_CHARS) };
}

function readCode(error: JsonObject): string {
  const word = findText(error, 'code') ?? findText(error, 'status') ?? findText(error, 'type');
  if (word !== undefined) return word;
  const { code } = error;
  return typeof code === 'number' ? String(code) : 'error';
}

/** The name of an exception without the namespace before and the address after it. */
function readAwsCode(code: string): string {
  return /^(?:[^#:]*#)?([^#:]+)/.exec(code)?.[1] ?? 'error';
}

function readMessage(error: JsonObject): string {
  const message = findField(error, 'message') ?? findField(error, 'detail');
  if (typeof message === 'string') return message;
  return message === undefined || message === null ? '' : JSON.stringify(message);
}
