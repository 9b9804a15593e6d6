import { describe, expect, it } from 'vitest';
import { putBedrockModel, putBodyModel, putGoogleModel, putOpenaiModel } from '../../src/providers/model-rewrite.js';

const chatPath = '/v1/chat/completions';
const deployed = '/openai/deployments/big/chat/completions?api-version=2024-10-21';
const generate = '/v1beta/models/gemini-2.5-pro:generateContent';

type Put = typeof putBodyModel;

function put(change: Put, request: { readonly body: string; readonly path: string }, model: string) {
  const changed = change({ body: Buffer.from(request.body), path: request.path }, model);
  return changed === undefined ? undefined : { body: changed.body.toString(), path: changed.path };
}

describe('a model in the body', () => {
  it.each([
    [
      'with white space and order kept',
      '{ "n" : 1.0,\n\t"model" : "a" , "x":[ ] }',
      '{ "n" : 1.0,\n\t"model" : "b" , "x":[ ] }',
    ],
    ['under a key spelled with escapes', '{"\\u006dodel":"a"}', '{"\\u006dodel":"b"}'],
    ['in every repetition of the key', '{"model":"a","model":"c"}', '{"model":"b","model":"b"}'],
    ['whatever a first repetition says', '{"model":{"model":"a"},"model":"c"}', '{"model":"b","model":"b"}'],
    ['and not the one of an inner object', '{"x":{"model":"a"},"model":"a"}', '{"x":{"model":"a"},"model":"b"}'],
    ['behind a byte order mark', '\ufeff{"model":"a"}', '\ufeff{"model":"b"}'],
    [
      'of a text with escaped quotes',
      '{"x":"\\"model\\":\\"a\\"","model":"a\\"b"}',
      '{"x":"\\"model\\":\\"a\\"","model":"b"}',
    ],
  ])('is replaced %s', (_, body, expected) => {
    expect(put(putBodyModel, { body, path: chatPath }, 'b')).toEqual({ body: expected, path: chatPath });
  });

  it('is written as JSON, whatever the name holds', () => {
    const name = 'a"b\\c\n\u2028é\ud800';
    const changed = put(putBodyModel, { body: '{"model":"a"}', path: chatPath }, name);
    expect(JSON.parse(changed?.body ?? '')).toEqual({ model: name });
  });

  it.each(['', '[]', '"model"', '{}', '{"model":"a"', '{"input":{"model":"a"}}'])('cannot be put into %j', (body) => {
    expect(put(putBodyModel, { body, path: chatPath }, 'b')).toBeUndefined();
  });
});

describe('a model in the URL of an Azure deployment', () => {
  it('replaces the deployment, encoded, and what the body says', () => {
    expect(put(putOpenaiModel, { body: '{"model":"big","n":1}', path: deployed }, 'a b?')).toEqual({
      body: '{"model":"a b?","n":1}',
      path: '/openai/deployments/a%20b%3F/chat/completions?api-version=2024-10-21',
    });
  });

  it('adds no model to a body that names none', () => {
    expect(put(putOpenaiModel, { body: '{"n":1}', path: deployed }, 'small')?.body).toBe('{"n":1}');
  });

  it.each(['a/b', 'a\\b', '.', '..', 'a\r\nb', '\u0000', '\ud800', ''])('refuses %j, which is no segment', (model) => {
    expect(put(putOpenaiModel, { body: '{}', path: deployed }, model)).toBeUndefined();
  });

  it('is a matter of the body where the URL names no deployment', () => {
    expect(put(putOpenaiModel, { body: '{"model":"a"}', path: chatPath }, 'org/b')?.body).toBe('{"model":"org/b"}');
  });
});

describe('a model of Google', () => {
  it.each([
    [
      'keeps method and query',
      `${generate}?key=k&alt=sse`,
      'flash',
      '/v1beta/models/flash:generateContent?key=k&alt=sse',
    ],
    ['takes models/ in front as said', generate, 'models/flash', '/v1beta/models/flash:generateContent'],
    ['goes to tuned models', generate, 'tunedModels/mine', '/v1beta/tunedModels/mine:generateContent'],
    ['and back from them', '/v1/tunedModels/mine:generateContent', 'flash', '/v1/models/flash:generateContent'],
    [
      'keeps a colon that came encoded',
      '/v1/models/a%3AgenerateContent',
      'flash',
      '/v1/models/flash%3AgenerateContent',
    ],
    ['encodes a colon of its own', generate, 'a:b', '/v1beta/models/a%3Ab:generateContent'],
    ['keeps a prefix and a trailing slash', '/p/v1/models/a:x/', 'flash', '/p/v1/models/flash:x/'],
  ])('in the URL %s', (_, path, model, expected) => {
    expect(put(putGoogleModel, { body: '{"contents":[]}', path }, model)).toEqual({
      body: '{"contents":[]}',
      path: expected,
    });
  });

  it.each(['a/b', 'models/', 'tunedModels/..', 'models/a/b'])('refuses %j, which is no segment', (model) => {
    expect(put(putGoogleModel, { body: '{}', path: generate }, model)).toBeUndefined();
  });

  it('is said again wherever the body says it, with models/ in front or without, as it was', () => {
    const body = '{"model":"models\\/a","requests":[{"model":"models/a","n":1}, {"model":"a"},{},3]}';
    const changed = put(putGoogleModel, { body, path: '/v1beta/models/a:batchEmbedContents' }, 'b');
    expect(changed?.body).toBe('{"model":"models/b","requests":[{"model":"models/b","n":1}, {"model":"b"},{},3]}');
  });

  it("is put into the body where the URL names none, as on the Gemini CLI's host", () => {
    const path = '/v1internal:generateContent';
    expect(put(putGoogleModel, { body: '{"model":"a","request":{"model":"a"}}', path }, 'b')).toEqual({
      body: '{"model":"b","request":{"model":"a"}}',
      path,
    });
    expect(put(putGoogleModel, { body: '{"request":{}}', path }, 'b')).toBeUndefined();
  });
});

describe("a model in Bedrock's path", () => {
  const body = '{"model":"untouched"}';

  it('takes the place of the other, an ARN with its slashes encoded', () => {
    const path = '/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse?x=1';
    expect(put(putBedrockModel, { body, path }, 'amazon.nova-lite-v1:0')).toEqual({
      body,
      path: '/model/amazon.nova-lite-v1%3A0/converse?x=1',
    });
    const arn = 'arn:aws:bedrock:us-east-1:1:inference-profile/us.x';
    expect(put(putBedrockModel, { body, path }, arn)?.path).toBe(`/model/${encodeURIComponent(arn)}/converse?x=1`);
  });

  it.each(['', '.', '..', 'a/../b', 'a/', '\n'])('cannot be %j', (model) => {
    expect(put(putBedrockModel, { body, path: '/model/a/converse' }, model)).toBeUndefined();
  });
});
