import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/core/call-record.js';
import type { Dialect } from '../../src/core/wire.js';
import { anthropicMessages } from '../../src/providers/anthropic-messages.js';
import { bedrockConverse } from '../../src/providers/bedrock-converse.js';
import { bedrockInvokeStream } from '../../src/providers/bedrock-invoke.js';
import { googleEmbed } from '../../src/providers/google-embed.js';
import { googleGenerate, googleStreamGenerate } from '../../src/providers/google-generate.js';
import { ollamaChat, ollamaEmbed } from '../../src/providers/ollama.js';
import { openaiChat } from '../../src/providers/openai-chat.js';
import { openaiResponses } from '../../src/providers/openai-responses.js';
import { vertexChat, vertexMessages } from '../../src/providers/vertex-raw.js';

const azure = '/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21';
const profile = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2';
const claude = '/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4@20250514';
const mistral = '/v1/projects/p/locations/l/publishers/mistralai/models/mistral-small-2503:streamRawPredict';
const gemini = '/v1beta/models/gemini-2.5-pro';

describe('a request', () => {
  it.each<[string, Dialect, JsonValue, string, string | null, boolean]>([
    ['chat', openaiChat, { model: 'gpt-5', stream: true }, '/v1/chat/completions', 'gpt-5', true],
    ['chat of an Azure deployment', openaiChat, { model: 'x' }, azure, 'my gpt', false],
    ['responses', openaiResponses, { model: 'gpt-5', stream: false }, '/v1/responses', 'gpt-5', false],
    ['messages', anthropicMessages, { model: 'claude', stream: true }, '/v1/messages?beta=true', 'claude', true],
    ['ollama, a stream unless told otherwise', ollamaChat, { model: 'qwen3' }, '/api/chat', 'qwen3', true],
    ['ollama told otherwise', ollamaChat, { model: 'qwen3', stream: false }, '/api/chat', 'qwen3', false],
    ['ollama embeddings', ollamaEmbed, { model: 'all-minilm' }, '/api/embed', 'all-minilm', false],
    ['generateContent', googleGenerate, { contents: [] }, `${gemini}:generateContent?key=x`, 'gemini-2.5-pro', false],
    ['streamGenerateContent', googleStreamGenerate, {}, `${gemini}%3AstreamGenerateContent`, 'gemini-2.5-pro', true],
    ['a tuned model', googleGenerate, {}, '/v1beta/tunedModels/mine:generateContent', 'tunedModels/mine', false],
    [
      'the Gemini CLI',
      googleStreamGenerate,
      { model: 'gemini-3-pro', request: {} },
      '/v1internal:streamGenerateContent',
      'gemini-3-pro',
      true,
    ],
    [
      'embedContent',
      googleEmbed,
      { model: 'models/other' },
      '/v1beta/models/gemini-embedding-001:embedContent',
      'gemini-embedding-001',
      false,
    ],
    [
      'converse',
      bedrockConverse,
      { messages: [] },
      '/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse',
      'us.anthropic.claude-haiku-4-5-20251001-v1:0',
      false,
    ],
    [
      'InvokeModelWithResponseStream through an inference profile',
      bedrockInvokeStream,
      {},
      `/model/${encodeURIComponent(profile)}/invoke-with-response-stream`,
      profile,
      true,
    ],
    ['Claude on Vertex AI', vertexMessages, { max_tokens: 9 }, `${claude}:rawPredict`, 'claude-opus-4@20250514', false],
    [
      'Claude on Vertex AI, streaming',
      vertexMessages,
      {},
      `${claude}:streamRawPredict`,
      'claude-opus-4@20250514',
      true,
    ],
    ['a partner of Vertex AI', vertexChat, { model: 'x', stream: true }, mistral, 'mistral-small-2503', true],
    [
      'a tuned model of Vertex AI',
      googleGenerate,
      {},
      '/v1/projects/p/locations/l/endpoints/47:generateContent',
      'endpoints/47',
      false,
    ],
  ])('of %s names its model and whether it streams', (_, dialect, body, path, model, stream) => {
    expect(dialect.readRequest(body, path)).toEqual({ model, stream, wireSession: null });
  });

  it.each<JsonValue>([null, 7, 'text', [], {}, { model: 7, stream: 'true' }, { model: '' }])(
    'that is %j names none',
    (body) => {
      expect(openaiChat.readRequest(body, '/v1/chat/completions')).toEqual({
        model: null,
        stream: false,
        wireSession: null,
      });
    },
  );

  it('with a model of any length keeps 256 characters of it', () => {
    expect(openaiChat.readRequest({ model: 'm'.repeat(9999) }, '/').model).toHaveLength(256);
  });

  it('is read without a throw whatever its path', () => {
    for (const path of [
      '',
      '/',
      '/%',
      '/models',
      '/models/',
      '/openai/deployments',
      '/models/%E0%A4%A:generateContent',
    ])
      expect(() => [openaiChat.readRequest({}, path), googleGenerate.readRequest({}, path)]).not.toThrow();
  });

  it('carries what the agent says of its session in the body', () => {
    const body = { model: 'claude', metadata: { user_id: 'user_1' } };
    expect(anthropicMessages.readRequest(body, '/v1/messages').wireSession).toEqual({ 'metadata.user_id': 'user_1' });
  });
});
