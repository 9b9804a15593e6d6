// Over 250 lines: one row an operation of a package.
import type https from 'node:https';
import type { Duplex } from 'node:stream';
import Anthropic from '@anthropic-ai/sdk';
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { GoogleGenAI } from '@google/genai';
import { HTTPClient, Mistral } from '@mistralai/mistralai';
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler';
import { CohereClient, CohereClientV2 } from 'cohere-ai';
import { OAuth2Client } from 'google-auth-library';
import Groq from 'groq-sdk';
import { Ollama } from 'ollama';
import OpenAI, { toFile } from 'openai';
import { vi } from 'vitest';

/** What a client is given of the tap. */
export interface Through {
  /** Asks through the session. */
  readonly fetch: typeof fetch;
  /** Tunnels of HTTP/1.1 through it, by TLS. */
  readonly agent: https.Agent;
  /** An open tunnel of HTTP/2 to a host, as `http2.connect` takes it. */
  readonly openHttp2Socket: (host: string) => Promise<Duplex>;
}

/** One operation of an official package: what the provider answers it with, and how it is called. */
export interface Operation {
  readonly title: string;
  /** Of the fixtures, or the bytes of sound. */
  readonly file: string | Buffer;
  readonly contentType?: string;
  /** Gives everything the package says of the reply. */
  readonly call: (through: Through) => Promise<unknown>;
}

const messages = [{ role: 'user' as const, content: 'Hi' }];

async function drain(stream: AsyncIterable<unknown> | Iterable<unknown>): Promise<unknown[]> {
  const heard: unknown[] = [];
  for await (const one of stream) heard.push(one);
  return heard;
}

const openai = ({ fetch }: Through, baseURL?: string) =>
  new OpenAI({ apiKey: 'sk-canary', maxRetries: 0, fetch, ...(baseURL !== undefined && { baseURL }) });
const dashscope = 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1';
const picture = () => toFile(Buffer.alloc(20_000, 'picture'), 'a.png', { type: 'image/png' });
const sound = () => toFile(Buffer.alloc(20_000, 7), 'a.wav', { type: 'audio/wav' });
const stream = true as const;
const asked = { stream_options: { include_usage: true } };
const transcribe = 'gpt-4o-transcribe';

const openaiOperations: readonly Operation[] = [
  {
    title: 'openai: chat',
    file: 'openai-chat/tools.json',
    call: (through) => openai(through).chat.completions.create({ model: 'gpt-5', messages }),
  },
  {
    title: 'openai: chat streamed',
    file: 'openai-chat/tools.sse',
    call: async (through) => drain(await openai(through).chat.completions.create({ model: 'gpt-5', messages, stream })),
  },
  {
    title: 'openai: completions streamed',
    file: 'openai-completions/answer.sse',
    call: async (through) =>
      drain(await openai(through).completions.create({ model: 'gpt-3.5', prompt: 'Hi', stream, ...asked })),
  },
  {
    title: 'openai: responses',
    file: 'openai-responses/answer.json',
    call: (through) => openai(through).responses.create({ model: 'gpt-5', input: 'Hi' }),
  },
  {
    title: 'openai: responses streamed',
    file: 'openai-responses/answer.sse',
    call: async (through) => drain(await openai(through).responses.create({ model: 'gpt-5', input: 'Hi', stream })),
  },
  {
    title: 'openai: embeddings',
    file: 'openai-embeddings/answer.json',
    call: (through) =>
      openai(through).embeddings.create({ model: 'text-embedding-3-small', input: 'Hi', encoding_format: 'float' }),
  },
  {
    title: 'openai: moderations',
    file: 'openai-moderations/answer.json',
    call: (through) => openai(through).moderations.create({ input: 'I want …' }),
  },
  {
    title: 'openai: images',
    file: 'openai-images/answer.json',
    call: (through) => openai(through).images.generate({ model: 'gpt-image-1', prompt: 'A cat.' }),
  },
  {
    title: 'openai: images streamed',
    file: 'openai-images/answer.sse',
    call: async (through) =>
      drain(await openai(through).images.generate({ model: 'gpt-image-1', prompt: 'A cat.', stream })),
  },
  {
    title: 'openai: images edited by a form',
    file: 'openai-images/edit.json',
    call: async (through) =>
      openai(through).images.edit({ model: 'gpt-image-1', image: await picture(), prompt: 'Add a ball.' }),
  },
  {
    title: 'openai: images edited by a form, streamed',
    file: 'openai-images/edit.sse',
    call: async (through) =>
      drain(
        await openai(through).images.edit({ model: 'gpt-image-1', image: await picture(), prompt: 'And one.', stream }),
      ),
  },
  {
    title: 'openai: transcription by a form',
    file: 'openai-audio/answer.json',
    call: async (through) => openai(through).audio.transcriptions.create({ model: transcribe, file: await sound() }),
  },
  {
    title: 'openai: transcription by a form, streamed',
    file: 'openai-audio/answer.sse',
    call: async (through) =>
      drain(await openai(through).audio.transcriptions.create({ model: transcribe, file: await sound(), stream })),
  },
  {
    title: 'openai: speech',
    file: Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 37) % 256)),
    contentType: 'audio/mpeg',
    call: async (through) => {
      const speech = await openai(through).audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello.' });
      return Buffer.from(await speech.arrayBuffer()).toString('base64');
    },
  },
  {
    title: 'openai at DashScope: chat streamed',
    file: 'openai-chat/answer.sse',
    call: async (through) =>
      drain(
        await openai(through, dashscope).chat.completions.create({ model: 'qwen-plus', messages, stream, ...asked }),
      ),
  },
  {
    title: 'openai at DashScope: embeddings',
    file: 'openai-embeddings/total.json',
    call: (through) =>
      openai(through, dashscope).embeddings.create({
        ...{ model: 'text-embedding-v4', input: 'Hi', encoding_format: 'float' },
      }),
  },
];

const anthropic = ({ fetch }: Through) => new Anthropic({ apiKey: 'sk-ant-canary', maxRetries: 0, fetch });
const claude = { model: 'claude-haiku-4-5', max_tokens: 300, messages };
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: 'ya29.canary', expiry_date: Date.now() + 3_600_000 });
const vertexClaude = ({ fetch }: Through) =>
  new AnthropicVertex({ projectId: 'my-project', region: 'us-central1', authClient, maxRetries: 0, fetch });

const anthropicOperations: readonly Operation[] = [
  {
    title: '@anthropic-ai/sdk: messages',
    file: 'anthropic-messages/tools.json',
    call: (through) => anthropic(through).messages.create(claude),
  },
  {
    title: '@anthropic-ai/sdk: messages streamed',
    file: 'anthropic-messages/tools.sse',
    call: async (through) => drain(await anthropic(through).messages.create({ ...claude, stream })),
  },
  {
    title: '@anthropic-ai/vertex-sdk: messages',
    file: 'anthropic-messages/answer.json',
    call: (through) => vertexClaude(through).messages.create(claude),
  },
  {
    title: '@anthropic-ai/vertex-sdk: messages streamed',
    file: 'anthropic-messages/answer.sse',
    call: async (through) => drain(await vertexClaude(through).messages.create({ ...claude, stream })),
  },
];

/** Google's package takes the global `fetch` alone. */
async function google<T>(through: Through, vertexai: boolean, ask: (client: GoogleGenAI) => Promise<T>): Promise<T> {
  vi.stubGlobal('fetch', through.fetch);
  try {
    const project = { vertexai, project: 'my-project', location: 'us-central1', googleAuthOptions: { authClient } };
    return await ask(new GoogleGenAI(vertexai ? project : { apiKey: 'AIza-canary' }));
  } finally {
    vi.unstubAllGlobals();
  }
}

const gemini = { model: 'gemini-2.5-flash', contents: 'Hi' };
const interaction = { model: 'gemini-3-flash-preview', input: 'Hi' };

const googleOperations: readonly Operation[] = [false, true].flatMap((isVertex): Operation[] => {
  const name = isVertex ? '@google/genai at Vertex AI' : '@google/genai';
  const file = isVertex ? 'google-generate/vertex' : 'google-generate/tools';
  return [
    {
      title: `${name}: generateContent`,
      file: `${file}.json`,
      call: (through) => google(through, isVertex, async ({ models }) => models.generateContent(gemini)),
    },
    {
      title: `${name}: generateContentStream`,
      file: `${file}.sse`,
      call: (through) =>
        google(through, isVertex, async ({ models }) => drain(await models.generateContentStream(gemini))),
    },
  ];
});

const otherGoogleOperations: readonly Operation[] = [
  {
    title: '@google/genai: embeddings',
    file: 'google-embed/batch.json',
    call: (through) =>
      google(through, false, ({ models }) =>
        models.embedContent({ model: 'gemini-embedding-001', contents: ['a', 'b'] }),
      ),
  },
  {
    title: '@google/genai at Vertex AI: pictures',
    file: 'vertex-predict/images.json',
    call: (through) =>
      google(through, true, ({ models }) => models.generateImages({ model: 'imagen-4.0', prompt: 'A cat.' })),
  },
  {
    title: '@google/genai: interactions',
    file: 'google-interactions/answer.json',
    call: (through) => google(through, false, ({ interactions }) => interactions.create(interaction)),
  },
  {
    title: '@google/genai: interactions streamed',
    file: 'google-interactions/answer.sse',
    call: (through) =>
      google(through, false, async ({ interactions }) => drain(await interactions.create({ ...interaction, stream }))),
  },
];

const cohereOptions = ({ fetch }: Through) => ({ token: 'canary', maxRetries: 0, fetch });
const cohere = (through: Through) => new CohereClientV2(cohereOptions(through));
const older = (through: Through) => new CohereClient(cohereOptions(through));
const command = 'command-a-03-2025';
const embedV4 = { model: 'embed-v4.0', inputType: 'search_query' as const, texts: ['hello'] };
const ranking = { model: 'rerank-v3.5', query: 'capital', documents: ['Lisbon', 'Porto'] };

const cohereOperations: readonly Operation[] = [
  {
    title: 'cohere-ai v2: chat',
    file: 'cohere-chat/tools.json',
    call: (through) => cohere(through).chat({ model: command, messages }),
  },
  {
    title: 'cohere-ai v2: chat streamed',
    file: 'cohere-chat/tools.sse',
    call: async (through) => drain(await cohere(through).chatStream({ model: command, messages })),
  },
  {
    title: 'cohere-ai v2: embed',
    file: 'cohere-embed/answer.json',
    call: (through) => cohere(through).embed({ ...embedV4, embeddingTypes: ['float'] }),
  },
  { title: 'cohere-ai v2: rerank', file: 'rerank/cohere.json', call: (through) => cohere(through).rerank(ranking) },
  {
    title: 'cohere-ai v1: chat',
    file: 'cohere-chat-v1/answer.json',
    call: (through) => older(through).chat({ model: command, message: 'Hi' }),
  },
  {
    title: 'cohere-ai v1: chat streamed, line by line',
    file: 'cohere-chat-v1/tools.ndjson',
    contentType: 'application/stream+json',
    call: async (through) => drain(await older(through).chatStream({ model: command, message: 'Hi' })),
  },
  {
    title: 'cohere-ai v1: embed',
    file: 'cohere-embed/answer.json',
    call: (through) => older(through).embed({ ...embedV4, embeddingTypes: ['float'] }),
  },
  {
    title: 'cohere-ai v1: generate',
    file: 'cohere-generate/answer.json',
    call: (through) => older(through).generate({ prompt: 'Once' }),
  },
  { title: 'cohere-ai v1: rerank', file: 'rerank/cohere.json', call: (through) => older(through).rerank(ranking) },
];

const mistral = ({ fetch }: Through) =>
  new Mistral({ apiKey: 'canary', httpClient: new HTTPClient({ fetcher: fetch }), retryConfig: { strategy: 'none' } });
const small = 'mistral-small-latest';
const document = { type: 'document_url', documentUrl: 'https://example.com/a.pdf' } as const;
const groq = ({ fetch }: Through) => new Groq({ apiKey: 'canary', maxRetries: 0, fetch });
const ollama = ({ fetch }: Through) => new Ollama({ host: 'https://ollama.com', fetch });
const qwen = 'qwen3:8b';

const smallerOperations: readonly Operation[] = [
  {
    title: '@mistralai/mistralai: chat streamed',
    file: 'openai-chat/mistral.sse',
    call: async (through) => drain(await mistral(through).chat.stream({ model: small, messages })),
  },
  {
    title: '@mistralai/mistralai: OCR',
    file: 'mistral-ocr/answer.json',
    call: (through) => mistral(through).ocr.process({ model: 'mistral-ocr-latest', document }),
  },
  {
    title: '@mistralai/mistralai: embeddings',
    file: 'openai-embeddings/mistral.json',
    call: (through) => mistral(through).embeddings.create({ model: 'mistral-embed', inputs: ['Hi'] }),
  },
  {
    title: '@mistralai/mistralai: moderation',
    file: 'openai-moderations/mistral.json',
    call: (through) => mistral(through).classifiers.moderate({ model: 'mistral-moderation-latest', inputs: 'Hi' }),
  },
  {
    title: '@mistralai/mistralai: a conversation streamed',
    file: 'mistral-conversations/answer.sse',
    call: async (through) =>
      drain(await mistral(through).beta.conversations.startStream({ model: small, inputs: 'Hi' })),
  },
  {
    title: 'groq-sdk: chat streamed',
    file: 'openai-chat/groq.sse',
    call: async (through) =>
      drain(await groq(through).chat.completions.create({ model: 'openai/gpt-oss-20b', messages, stream })),
  },
  {
    title: 'groq-sdk: transcription',
    file: 'openai-audio/groq.json',
    call: async (through) =>
      groq(through).audio.transcriptions.create({ model: 'whisper-large-v3', file: await sound() }),
  },
  {
    title: 'ollama: chat',
    file: 'ollama-chat/tools.json',
    call: (through) => ollama(through).chat({ model: qwen, messages }),
  },
  {
    title: 'ollama: chat streamed',
    file: 'ollama-chat/tools.ndjson',
    call: async (through) => drain(await ollama(through).chat({ model: qwen, messages, stream })),
  },
  {
    title: 'ollama: generate streamed',
    file: 'ollama-generate/answer.ndjson',
    call: async (through) => drain(await ollama(through).generate({ model: qwen, prompt: 'Why?', stream })),
  },
  {
    title: 'ollama: embed',
    file: 'ollama-embed/answer.json',
    call: (through) => ollama(through).embed({ model: 'all-minilm', input: ['a', 'b'] }),
  },
];

const region = 'us-east-1';
const modelId = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const converse = { modelId, messages: [{ role: 'user' as const, content: [{ text: 'Hi' }] }] };
const invoke = { modelId, contentType: 'application/json', body: '{"max_tokens":300,"messages":[]}' };

async function bedrock(
  through: Through,
  version: 1 | 2,
  ask: (client: BedrockRuntimeClient) => Promise<unknown>,
): Promise<unknown> {
  const socket = version === 2 ? await through.openHttp2Socket(`bedrock-runtime.${region}.amazonaws.com`) : null;
  const client = new BedrockRuntimeClient({
    region,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    maxAttempts: 1,
    requestHandler:
      socket === null
        ? new NodeHttpHandler({ httpsAgent: through.agent })
        : new NodeHttp2Handler({ nodeHttp2ConnectOptions: { createConnection: () => socket } }),
  });
  try {
    return await ask(client);
  } finally {
    client.destroy();
  }
}

/** Without what the package says of the connection. */
const pick = ({ $metadata: { httpStatusCode }, ...rest }: { $metadata: { httpStatusCode?: number | undefined } }) => ({
  ...{ httpStatusCode, ...rest },
});

const bedrockOperations: readonly Operation[] = ([1, 2] as const).flatMap((version): Operation[] => {
  const name = `@aws-sdk/client-bedrock-runtime over HTTP/${version === 1 ? '1.1' : '2'}`;
  const through = (ask: (client: BedrockRuntimeClient) => Promise<unknown>) => (tap: Through) =>
    bedrock(tap, version, ask);
  return [
    {
      title: `${name}: Converse`,
      file: 'bedrock-converse/tools.json',
      call: through(async (client) => pick(await client.send(new ConverseCommand(converse)))),
    },
    {
      title: `${name}: ConverseStream`,
      file: 'bedrock-converse/tools.events',
      call: through(async (client) => drain((await client.send(new ConverseStreamCommand(converse))).stream ?? [])),
    },
    {
      title: `${name}: InvokeModel`,
      file: 'bedrock-invoke/answer.json',
      call: through(async (client) => pick(await client.send(new InvokeModelCommand(invoke)))),
    },
    {
      title: `${name}: InvokeModelWithResponseStream`,
      file: 'bedrock-invoke/answer.events',
      call: through(async (client) =>
        drain((await client.send(new InvokeModelWithResponseStreamCommand(invoke))).body ?? []),
      ),
    },
  ];
});

/** One row an operation; each is called once a run, so that none needs another's answer. */
export const operations: readonly Operation[] = [
  ...openaiOperations,
  ...anthropicOperations,
  ...googleOperations,
  ...otherGoogleOperations,
  ...cohereOperations,
  ...smallerOperations,
  ...bedrockOperations,
];
