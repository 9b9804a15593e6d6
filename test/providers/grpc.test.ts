import { describe, expect, it } from 'vitest';
import { readGrpcStatus } from '../../src/providers/grpc-status.js';
import { openRegistry } from '../../src/providers/registry.js';

const registry = openRegistry();
function recognise(host: string, path: string, contentType = 'application/grpc') {
  const origin = { scheme: 'https', host, port: 443 } as const;
  return registry.recognise({ origin, method: 'POST', path, rawHeaders: ['content-type', contentType] });
}
const gemini = 'generativelanguage.googleapis.com';
const generate = '/google.ai.generativelanguage.v1beta.GenerativeService/GenerateContent';

describe('a request of gRPC', () => {
  it.each([
    [gemini, generate, 'google', false],
    [gemini, generate.replace('/Generate', '/StreamGenerate'), 'google', true],
    [
      'europe-west4-aiplatform.googleapis.com',
      '/google.cloud.aiplatform.v1.PredictionService/Predict',
      'google-vertex',
      false,
    ],
    [
      'aiplatform.googleapis.com',
      '/google.cloud.aiplatform.v1beta1.PredictionService/StreamGenerateContent',
      'google-vertex',
      true,
    ],
    ['api.x.ai', '/xai_api.Chat/GetCompletion', 'x-ai', false],
    ['api.x.ai', '/xai_api.Chat/GetCompletionChunk', 'x-ai', true],
    ['us-east-1.api.x.ai', '/xai_api.Sample/SampleTextStreaming', 'x-ai', true],
  ])('to %s for %s is a call', (host, path, provider, stream) => {
    const match = recognise(host, path);
    expect(match).toMatchObject({ provider, dialect: { api: 'grpc' }, canAskForStreamUsage: false });
    expect(match?.dialect.readRequest(null, path)).toEqual({ model: null, stream, wireSession: null });
  });

  it.each([
    [gemini, '/google.ai.generativelanguage.v1beta.GenerativeService/CountTokens'],
    [gemini, '/google.ai.generativelanguage.v1beta.ModelService/ListModels'],
    ['api.x.ai', '/xai_api.Models/ListLanguageModels'],
    ['api.x.ai', '/v1/chat/completions'],
    ['api.openai.com', '/xai_api.Chat/GetCompletion'],
  ])('to %s for %s is none', (host, path) => {
    expect(recognise(host, path)).toBeUndefined();
  });

  it('is one by its content type alone', () => {
    expect(recognise(gemini, generate, 'application/grpc+proto')).toBeDefined();
    expect(recognise(gemini, generate, 'application/grpc; charset=utf-8')).toBeDefined();
    expect(recognise(gemini, generate, 'application/grpc-web')).toBeUndefined();
    expect(recognise(gemini, generate, 'application/json')).toBeUndefined();
  });
});

describe('the status of gRPC', () => {
  it.each([
    [{ 'grpc-status': '0' }, { error: null }],
    [{}, null],
    [{ 'grpc-status': 'nonsense' }, null],
    [
      { 'grpc-status': '8', 'grpc-message': 'slow%20down' },
      { error: { code: 'RESOURCE_EXHAUSTED', message: 'slow down' } },
    ],
    [{ 'grpc-status': '5' }, { error: { code: 'NOT_FOUND', message: 'gRPC status 5' } }],
    [{ 'grpc-status': '99', 'grpc-message': '100%' }, { error: { code: 'STATUS_99', message: '100%' } }],
  ])('of %j is %j', (headers: Readonly<Record<string, string>>, expected) => {
    expect(readGrpcStatus((name) => headers[name] ?? null)).toEqual(expected);
  });
});
