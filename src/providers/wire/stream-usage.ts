import { findMembers, findTextStart, type JsonMember, skipSpace, spliceBytes } from './json-members.js';

const MEMBER = '"include_usage":true';

/**
 * The body of an OpenAI chat or completions request with `stream_options.include_usage` set to true, every other
 * byte kept; `undefined` when there is nothing to ask: the body is no JSON object, is no stream (top-level
 * `"stream": true`), asks already, or has `stream_options` that are neither an object nor null, which the provider
 * is left to refuse. Where a key is repeated the last one counts, as with JSON parsers.
 *
 * Source: https://platform.openai.com/docs/api-reference/chat/create#chat-create-stream_options (read 2026-11-21).
 *
 * ```ts
 * askForStreamUsage(Buffer.from('{"stream":true}'))?.toString();
 * // {"stream_options":{"include_usage":true},"stream":true}
 * ```
 */
export function askForStreamUsage(body: Buffer): Buffer | undefined {
  const members = findMembers(body, ['stream', 'stream_options']);
  const stream = members?.findLast(({ key }) => key === 'stream');
  if (members === undefined || stream === undefined || readValueText(body, stream) !== 'true') return undefined;
  const options = members.findLast(({ key }) => key === 'stream_options');
  if (options === undefined) {
    const inside = skipSpace(body, findTextStart(body)) + 1;
    return insert(body, inside, inside, `"stream_options":{${MEMBER}},`);
  }
  const text = readValueText(body, options);
  if (text === 'null') return insert(body, options.valueStart, options.valueEnd, `{${MEMBER}}`);
  return text.startsWith('{') ? askInOptions(body, options) : undefined;
}

function askInOptions(body: Buffer, options: JsonMember): Buffer | undefined {
  const object = body.subarray(options.valueStart, options.valueEnd);
  const members = findMembers(object, ['include_usage']);
  const asked = members?.at(-1);
  if (members === undefined) return undefined;
  if (asked === undefined) {
    const inside = options.valueStart + 1;
    const isEmpty = object[skipSpace(object, 1)] === 0x7d;
    return insert(body, inside, inside, isEmpty ? MEMBER : `${MEMBER},`);
  }
  if (readValueText(object, asked) === 'true') return undefined;
  return insert(body, options.valueStart + asked.valueStart, options.valueStart + asked.valueEnd, 'true');
}

function insert(body: Buffer, start: number, end: number, text: string): Buffer {
  return spliceBytes(body, [{ start, end, text: Buffer.from(text) }]);
}

function readValueText(json: Buffer, member: JsonMember): string {
  return json.toString('utf8', member.valueStart, member.valueEnd);
}
