import type { JsonValue } from '../core/call-record.js';
import type { ModelRequest, RequestFacts } from '../core/wire.js';
import { findField } from './json-fields.js';
import { putOpenaiModel } from './model-rewrite.js';
import { readOpenaiRequest } from './request-facts.js';
import { spliceBytes } from './wire/json-members.js';
import { isFieldHead } from './wire/multipart-reader.js';

const LINE_END = '\r\n';
const HEAD_END = '\r\n\r\n';
const MAX_HEAD_BYTES = 8 * 1024;
/** A boundary has at most 70 characters, and two dashes in front (https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1). */
const MAX_BOUNDARY_BYTES = 72;

/**
 * Reads a request whose body is JSON or a form with files, its fields then texts: `stream` is `true` or `"true"`, and speech
 * says `stream_format: "sse"`. Source: the npm package `openai` 6.49, `ImageEditParams`, `TranscriptionCreateParams` and
 * `SpeechCreateParams` (read 2026-11-27).
 */
export function readMediaRequest(body: JsonValue, path: string): RequestFacts {
  const stream = findField(body, 'stream');
  const isStream = stream === true || stream === 'true' || findField(body, 'stream_format') === 'sse';
  return { ...readOpenaiRequest(body, path), stream: isStream };
}

/** Puts a model in such a request: in the JSON, in the form's field `model`, or where the URL names a deployment, there. */
export function putMediaModel(request: ModelRequest, model: string): ModelRequest | undefined {
  const changed = putOpenaiModel(request, model);
  if (changed !== undefined || /[\r\n]/.test(model)) return changed;
  const body = replaceField(request.body, 'model', model);
  return body === undefined ? undefined : { body, path: request.path };
}

/** The form with another value for a field; `undefined` when there is no such field, or no form. */
function replaceField(body: Buffer, name: string, value: string): Buffer | undefined {
  const lineEnd = body.indexOf(LINE_END);
  if (body.toString('latin1', 0, 2) !== '--' || lineEnd === -1 || lineEnd > MAX_BOUNDARY_BYTES) return undefined;
  const delimiter = Buffer.concat([Buffer.from(LINE_END), body.subarray(0, lineEnd)]);
  let at = lineEnd;
  for (;;) {
    const headEnd = body.indexOf(HEAD_END, at);
    const end = headEnd === -1 ? -1 : body.indexOf(delimiter, headEnd + LINE_END.length);
    if (end === -1 || headEnd - at > MAX_HEAD_BYTES) return undefined;
    const start = headEnd + HEAD_END.length;
    if (start <= end && isFieldHead(body.toString('utf8', at, headEnd), name))
      return spliceBytes(body, [{ start, end, text: Buffer.from(value) }]);
    at = end + delimiter.length;
  }
}
