/**
 * What the clients people use make of a call its budget refuses, through the built package: each raises the error of its
 * own that it raises where an account has nothing left, and does not ask again.
 */
import Anthropic from '@anthropic-ai/sdk';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  ServiceQuotaExceededException,
} from '@aws-sdk/client-bedrock-runtime';
import { ApiError, GoogleGenAI } from '@google/genai';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LLMTracker } from '../../../dist/index.js';
import { openTrackerLab, type TrackerLab } from '../../tracker/tracker-lab.js';

let lab: TrackerLab;
let tracker: LLMTracker;
let local: string;
beforeAll(async () => {
  lab = await openTrackerLab();
  local = `http://localhost:${lab.provider.localPort}`;
  tracker = lab.makeTracker({ providers: [{ name: 'ollama', baseUrl: local }] });
  await tracker.start();
});
afterAll(async () => await lab.close());

const reason = "llmtap refused this call: the run's budget of 0 calls is spent.";
const chat = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'Hi' }] };
const message = { model: 'claude-sonnet-4-5', max_tokens: 10, messages: chat.messages };
const contents = { model: 'gemini-2.5-flash', contents: 'Hi' };
const converse = {
  modelId: 'us.amazon.nova-lite-v1:0',
  messages: [{ role: 'user' as const, content: [{ text: 'Hi' }] }],
};
const invoke = { modelId: 'anthropic.claude-3-haiku-20240307-v1:0', body: '{"max_tokens":1,"messages":[]}' };

// As they come: with the retries each has when it is told nothing.
const openai = new OpenAI({ apiKey: 'sk-refused' });
const anthropic = new Anthropic({ apiKey: 'sk-ant-refused' });
const gemini = new GoogleGenAI({ apiKey: 'AIza-refused' });
const vertex = new GoogleGenAI({ vertexai: true, apiKey: 'AIza-express-mode' });
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const bedrock = new BedrockRuntimeClient({ region: 'us-east-1', credentials });
const bedrock1 = new BedrockRuntimeClient({ region: 'us-east-1', credentials, requestHandler: new NodeHttpHandler() });

interface Case {
  readonly name: string;
  readonly call: () => Promise<unknown>;
  readonly raises: new (...args: never) => Error;
  readonly shows: Readonly<Record<string, unknown>>;
}

const quota = { status: 429, code: 'insufficient_quota' };
const exceeded = { name: 'ServiceQuotaExceededException', message: reason };

const cases: readonly Case[] = [
  {
    name: 'openai, a chat',
    call: () => openai.chat.completions.create(chat),
    raises: OpenAI.RateLimitError,
    shows: quota,
  },
  {
    name: 'openai, a streamed chat',
    call: () => openai.chat.completions.create({ ...chat, stream: true }),
    raises: OpenAI.RateLimitError,
    shows: quota,
  },
  {
    name: 'openai, a streamed response',
    call: () => openai.responses.create({ model: 'gpt-4o-mini', input: 'Hi', stream: true }),
    raises: OpenAI.RateLimitError,
    shows: quota,
  },
  {
    name: 'openai, embeddings',
    call: () => openai.embeddings.create({ model: 'text-embedding-3-small', input: 'Hi' }),
    raises: OpenAI.RateLimitError,
    shows: quota,
  },
  {
    name: 'anthropic, a message',
    call: () => anthropic.messages.create(message),
    raises: Anthropic.BadRequestError,
    shows: { status: 400 },
  },
  {
    name: 'anthropic, a streamed message',
    call: () => anthropic.messages.stream(message).finalMessage(),
    raises: Anthropic.BadRequestError,
    shows: { status: 400 },
  },
  {
    name: 'google, contents',
    call: () => gemini.models.generateContent(contents),
    raises: ApiError,
    shows: { status: 429 },
  },
  {
    name: 'google, streamed contents',
    call: () => gemini.models.generateContentStream(contents),
    raises: ApiError,
    shows: { status: 429 },
  },
  {
    name: 'google, embeddings',
    call: () => gemini.models.embedContent({ model: 'gemini-embedding-001', contents: 'Hi' }),
    raises: ApiError,
    shows: { status: 429 },
  },
  {
    name: 'vertex, streamed contents',
    call: () => vertex.models.generateContentStream(contents),
    raises: ApiError,
    shows: { status: 429 },
  },
  {
    name: 'bedrock over HTTP/2, a conversation',
    call: () => bedrock.send(new ConverseCommand(converse)),
    raises: ServiceQuotaExceededException,
    shows: exceeded,
  },
  {
    name: 'bedrock over HTTP/1.1, a streamed conversation',
    call: () => bedrock1.send(new ConverseStreamCommand(converse)),
    raises: ServiceQuotaExceededException,
    shows: exceeded,
  },
  {
    name: 'bedrock, an invocation',
    call: () => bedrock.send(new InvokeModelCommand(invoke)),
    raises: ServiceQuotaExceededException,
    shows: exceeded,
  },
  {
    name: 'ollama, a chat',
    call: () => new Ollama({ host: local }).chat({ model: 'llama3.2', messages: chat.messages }),
    raises: Error,
    shows: { name: 'ResponseError', error: reason },
  },
];

describe('a call that is refused', () => {
  it.each(cases)('raises the error of its client for what is spent, asked once: $name', async ({ name, ...one }) => {
    const ids = { runId: name, budget: { maxCalls: 0 } };
    const error: unknown = await tracker.track(ids, async () => await one.call()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(one.raises);
    expect(error).toMatchObject(one.shows);
    expect(JSON.stringify([String(error), error])).toContain(reason);
    const records = await tracker.records({ runId: name });
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      outcome: 'http_error',
      error: { code: 'BUDGET_EXCEEDED', message: reason },
      usage: { inputTokens: 0, outputTokens: 0 },
      cost: { usd: 0 },
      changes: ['reply: a refusal by the tap, the provider was not asked'],
    });
    expect(await lab.provider.requests()).toEqual([]);
  });
});
