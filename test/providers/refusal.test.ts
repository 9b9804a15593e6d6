import { expect, it } from 'vitest';
import { makeRefusal } from '../../src/providers/refusal.js';

const read = (provider: string, api: string, path = '/') => {
  const { status, rawHeaders, body } = makeRefusal({ provider, api, path }, 'No.');
  const headers = Object.fromEntries(rawHeaders.flatMap((value, i) => (i % 2 ? [[rawHeaders[i - 1], value]] : [])));
  expect(headers['content-length']).toBe(String(body.length));
  return { status, headers, document: JSON.parse(body.toString()) as unknown };
};

const quota = { error: { message: 'No.', type: 'insufficient_quota', param: null, code: 'insufficient_quota' } };

it.each([
  ['openai', 'chat.completions'],
  ['openai', 'responses'],
  ['groq', 'embeddings'],
  ['cohere', 'chat.completions'],
  ['google', 'chat.completions'],
])('%s %s: as OpenAI refuses, not to be tried again', (provider, api) => {
  const { status, headers, document } = read(provider, api);
  expect([status, headers['x-should-retry'], document]).toEqual([429, 'false', quota]);
});

it.each(['messages', 'complete'])('%s: as Anthropic refuses, wherever it is served', (api) => {
  expect(read('google-vertex', api)).toMatchObject({
    status: 400,
    headers: { 'x-should-retry': 'false' },
    document: { type: 'error', error: { type: 'invalid_request_error', message: 'No.' } },
  });
});

it('Google: as its status has it, in a list for a stream that is one', () => {
  const error = { error: { code: 429, message: 'No.', status: 'RESOURCE_EXHAUSTED' } };
  const stream = '/v1beta/models/m:streamGenerateContent';
  expect(read('google', 'generateContent')).toMatchObject({ status: 429, document: error });
  expect(read('google', 'interactions').document).toEqual(error);
  expect(read('google', 'streamGenerateContent', `${stream}?alt=sse`).document).toEqual(error);
  expect(read('google', 'streamGenerateContent', stream).document).toEqual([error]);
});

it.each(['converse', 'converseStream', 'invokeModel', 'invokeModelWithResponseStream'])('Bedrock %s', (api) => {
  expect(read('aws-bedrock', api)).toMatchObject({
    status: 400,
    headers: { 'x-amzn-errortype': 'ServiceQuotaExceededException' },
    document: { message: 'No.' },
  });
});

it('Cohere and ollama by a message, and by an error', () => {
  expect(read('cohere', 'chat').document).toEqual({ message: 'No.' });
  expect(read('ollama', 'chat', '/api/chat').document).toEqual({ error: 'No.' });
});

it('gRPC by a status without a message', () => {
  const { status, rawHeaders, body } = makeRefusal({ provider: 'google', api: 'grpc', path: '/' }, 'Ünten: 100% no.');
  expect([status, body.length]).toEqual([200, 0]);
  // A space stands as it is, a percent sign does not: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (read 2026-11-27).
  expect(rawHeaders).toEqual([
    'content-type',
    'application/grpc',
    'grpc-status',
    '8',
    'grpc-message',
    '%C3%9Cnten: 100%25 no.',
  ]);
});
