import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, type Reply } from '../fixtures/proxy-client.js';
import { chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

const frames = 'data: {"id":"c1","model":"m","choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n';

/** Refuses what asks for usage with these words, and answers the client's own request. */
async function askRefusing(
  status: number,
  refusal: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Reply> {
  rig.upstream.handler = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isAsked = Buffer.concat(chunks).includes('stream_options');
      if (isAsked) response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(refusal);
      else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(frames);
    });
  };
  return await ask({ port: rig.session.port, ca: rig.ca, body: chatStreamRequest });
}

/** As FastAPI gives back with a refusal, and vLLM within a string of Python's. */
const asked = { model: 'm', messages: [], stream: true, stream_options: { include_usage: true } };
const python = "'input': {'model': 'm', 'messages': [], 'stream': True, 'stream_options': {'include_usage': True}}";

describe('a stream that was asked for its usage and is refused', () => {
  it.each([
    [
      'OpenAI',
      400,
      {
        error: { message: "Unknown parameter: 'stream_options'.", param: 'stream_options', code: 'unknown_parameter' },
      },
    ],
    [
      'Azure, of old',
      400,
      { error: { message: 'Unrecognized request argument supplied: stream_options.', param: null } },
    ],
    [
      'Azure with data sources',
      400,
      { error: { message: 'Validation error at #/stream_options: Extra inputs are not permitted' } },
    ],
    [
      'Mistral',
      422,
      {
        detail: [
          {
            type: 'extra_forbidden',
            loc: ['body', 'stream_options', 'include_usage'],
            msg: 'Extra inputs are not permitted',
            input: true,
          },
        ],
      },
    ],
    [
      'vLLM',
      400,
      {
        object: 'error',
        message: `[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted', 'input': {'include_usage': True}}]`,
      },
    ],
    [
      'Bedrock',
      400,
      {
        message:
          'Malformed input request: #: extraneous key [stream_options] is not permitted, please reformat your input and try again.',
      },
    ],
    [
      'Google',
      400,
      { error: { message: 'Invalid JSON payload received. Unknown name "stream_options": Cannot find field.' } },
    ],
    ['a decoder of Go', 400, { error: 'json: unknown field "stream_options"' }],
    ['a decoder of Rust', 422, { error: 'unknown field `include_usage`, expected one of `a`, `b` at line 1 column 9' }],
    ['ajv', 400, { error: 'body must NOT have additional properties' }],
  ])('for that, in the words of %s, is asked as its client asked it', async (_who, status, refusal) => {
    expect((await askRefusing(status, JSON.stringify(refusal))).body.toString()).toBe(frames);
    expect(rig.upstream.seen).toHaveLength(2);
  });

  it.each([
    ['a model nobody knows', { error: { message: 'Unknown model: m. Unexpected value.', code: 'model_not_found' } }],
    ['an argument of the client’s', { error: { message: 'Unrecognized request argument supplied: temprature' } }],
    [
      'a value of the client’s',
      { error: { message: "Unsupported value: 'temperature' does not support 2", param: 'temperature' } },
    ],
    [
      'extra inputs of the client’s',
      { detail: [{ type: 'extra_forbidden', loc: ['body', 'foo'], msg: 'Extra inputs are not permitted' }] },
    ],
    [
      'a missing member, with the request given back',
      { detail: [{ type: 'missing', loc: ['body', 'max_tokens'], input: asked }] },
    ],
    [
      'the same, as vLLM says it',
      { message: `[{'type': 'missing', 'loc': ('body', 'max_tokens'), 'msg': 'Field required', ${python}}]` },
    ],
    ['the same, within a string', { error: { message: `invalid request: ${JSON.stringify(asked)}` } }],
  ])('for %s is not asked again', async (_what, refusal) => {
    const text = JSON.stringify(refusal);
    const reply = await askRefusing(400, text);
    expect([reply.status, reply.body.toString()]).toEqual([400, text]);
    expect(rig.upstream.seen).toHaveLength(1);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('is read in %s', async (coding, compress) => {
    const encoding = { 'content-encoding': coding };
    const other = compress('{"error":{"message":"Unknown model: m"}}');
    expect((await askRefusing(400, other, encoding)).body).toEqual(other);
    expect(rig.upstream.seen).toHaveLength(1);
    const blaming = compress('{"error":{"message":"Unknown parameter: \'stream_options\'."}}');
    expect((await askRefusing(400, blaming, encoding)).body.toString()).toBe(frames);
  });

  it('and cannot be read is asked as its client asked it', async () => {
    const reply = await askRefusing(400, 'not gzip at all', { 'content-encoding': 'gzip' });
    expect(reply.body.toString()).toBe(frames);
  });
});
