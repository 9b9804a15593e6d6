// Longer than most: one row an answer, for Bedrock and Vertex AI.

import { expect } from 'vitest';
import type { ReplyFacts } from '../../src/core/wire.js';
import { anthropicComplete } from '../../src/providers/anthropic-complete.js';
import { bedrockConverse, bedrockConverseStream } from '../../src/providers/bedrock-converse.js';
import { bedrockInvoke, bedrockInvokeStream } from '../../src/providers/bedrock-invoke.js';
import { googleStreamGenerate } from '../../src/providers/google-generate.js';
import { vertexPredict } from '../../src/providers/vertex-predict.js';
import { vertexChat, vertexMessages } from '../../src/providers/vertex-raw.js';
import { type AnswerCase, counts, type ErrorCase } from './provider-cases.js';

const known = { usageProblem: null, error: null, complete: true, toolCalls: [] };
const notStated = (what: string): string =>
  `Looked for usage as the model states it, amazon-bedrock-invocationMetrics and x-amzn-bedrock-input-token-count, but ${what}`;

/** Bedrock's own counts in the head of a reply. */
function makeHeaders(input: number, output?: number, cache?: readonly [number, number]): Record<string, string> {
  return {
    'x-amzn-requestid': 'e1d2',
    'x-amzn-bedrock-invocation-latency': '926',
    'x-amzn-bedrock-input-token-count': String(input),
    ...(output === undefined ? {} : { 'x-amzn-bedrock-output-token-count': String(output) }),
    ...(cache === undefined
      ? {}
      : {
          'x-amzn-bedrock-cache-read-input-token-count': String(cache[0]),
          'x-amzn-bedrock-cache-write-input-token-count': String(cache[1]),
        }),
  };
}

function invoke(answer: string, facts: Partial<ReplyFacts>, headers?: Record<string, string>): AnswerCase {
  return {
    dialect: bedrockInvoke,
    answer: `bedrock-invoke/${answer}`,
    forms: ['json'],
    facts: { ...known, ...facts },
    ...(headers === undefined ? {} : { headers }),
  };
}

/** The same in a stream, which has its counts in itself. */
function invokeStream(answer: string, facts: Partial<ReplyFacts>): AnswerCase {
  return {
    dialect: bedrockInvokeStream,
    answer: `bedrock-invoke/${answer}`,
    forms: ['events'],
    facts: { ...known, ...facts },
  };
}

const converseAnswers: readonly AnswerCase[] = [
  {
    dialect: bedrockConverse,
    answer: 'bedrock-converse/answer',
    forms: ['json', 'events'],
    facts: {
      ...known,
      usage: counts(4625, 43, 4096, 512, null, 4668),
      usageDetails: { cacheWrite5mTokens: 212, cacheWrite1hTokens: 300 },
      serviceTier: 'priority',
      finishReasons: ['end_turn'],
      model: null,
    },
  },
  {
    dialect: bedrockConverseStream,
    answer: 'bedrock-converse/tools',
    forms: ['json', 'events'],
    facts: {
      ...known,
      usage: counts(431, 76, 0, 0, null, 507),
      finishReasons: ['tool_use'],
      toolCalls: ['get_weather', 'get_weather'],
      model: 'arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0',
      serviceTier: null,
    },
  },
];

const claude = {
  usage: counts(1295, 61, 1024, 256, null, 1356),
  usageDetails: { cacheWrite5mTokens: 256, cacheWrite1hTokens: 0 },
  finishReasons: ['tool_use'],
  toolCalls: ['get_time'],
  model: 'claude-haiku-4-5-20251001',
  responseId: 'msg_bdrk_01Vd',
};
const nova = {
  usage: counts(1051, 33, 1024, 0, null, 1084),
  finishReasons: ['tool_use'],
  toolCalls: ['look'],
};
const llama = { usage: counts(22, 6, null, null, null, 28), finishReasons: ['stop'] };
const gptOss = {
  usage: counts(71, 37, null, null, null, 108),
  finishReasons: ['stop'],
  model: 'openai.gpt-oss-20b-1:0',
  responseId: 'chatcmpl-7d9f',
  serviceTier: 'default',
};

const invokeAnswers: readonly AnswerCase[] = [
  invoke('answer', claude, makeHeaders(15, 61, [1024, 256])),
  invokeStream('answer', claude),
  invoke(
    'claude-complete',
    { usage: counts(14, 5, null, null, null, 19), finishReasons: ['stop_sequence'] },
    makeHeaders(14, 5),
  ),
  invokeStream('claude-complete', { usage: counts(14, 5, null, null, null, 19), finishReasons: ['stop_sequence'] }),
  invoke('nova', nova),
  invokeStream('nova', nova),
  invoke('llama', llama),
  invokeStream('llama', llama),
  invoke('titan', { usage: counts(9, 19, null, null, null, 28), finishReasons: ['FINISH', 'LENGTH'] }),
  invokeStream('titan', { usage: counts(9, 12, null, null, null, 21), finishReasons: ['FINISH'] }),
  invoke('titan-embed', { usage: counts(5), usageProblem: notStated('the output tokens were not stated.') }),
  invoke('mistral-text', { usage: counts(13, 4, null, null, null, 17), finishReasons: ['stop'] }, makeHeaders(13, 4)),
  invokeStream('mistral-text', { usage: counts(13, 4, null, null, null, 17), finishReasons: ['length'] }),
  invoke(
    'mistral-chat',
    { usage: counts(90, 21, null, null, null, 111), finishReasons: ['tool_calls'], toolCalls: ['get_weather'] },
    makeHeaders(90, 21),
  ),
  invoke('gpt-oss', gptOss),
  invokeStream('gpt-oss', gptOss),
  invoke(
    'deepseek',
    { usage: counts(18, 256, null, null, null, 274), finishReasons: ['length'] },
    makeHeaders(18, 256),
  ),
  invokeStream('deepseek', { usage: counts(18, 256, null, null, null, 274), finishReasons: ['length'] }),
  invoke('jamba', { usage: counts(19, 3, null, null, null, 22), finishReasons: ['stop'], model: 'jamba-1.5-mini' }),
  invoke('jurassic', {
    usage: counts(),
    usageProblem: notStated('the reply has only id, prompt, completions.'),
    finishReasons: ['endoftext'],
  }),
  invoke('command', { usage: counts(2, 4, null, null, null, 6), finishReasons: ['COMPLETE'] }, makeHeaders(2, 4)),
  invoke('command-r', {
    usage: counts(84, 11, null, null, null, 95),
    finishReasons: ['COMPLETE'],
    toolCalls: ['search'],
    responseId: 'r-2',
  }),
  invokeStream('command-r', {
    usage: counts(66, 2, null, null, null, 68),
    finishReasons: ['COMPLETE'],
    responseId: 'r-3',
  }),
  invoke(
    'cohere-embed',
    { usage: counts(3), usageProblem: notStated('the output tokens were not stated.') },
    makeHeaders(3),
  ),
  invoke('cohere-rerank', { usage: counts(), usageProblem: notStated('the reply has only results.') }),
  invoke('images', {
    usage: counts(),
    usageDetails: { outputImages: 2 },
    usageProblem: notStated('the input and output tokens were not stated.'),
  }),
];

const vertexAnswers: readonly AnswerCase[] = [
  {
    dialect: googleStreamGenerate,
    answer: 'google-generate/vertex',
    forms: ['json', 'sse', 'array.json'],
    facts: {
      ...known,
      usage: counts(1290, 1367, 1030, null, 55, 2657),
      usageDetails: {
        inputTextTokens: 12,
        inputImageTokens: 258,
        inputAudioTokens: 757,
        inputVideoTokens: 263,
        cacheReadTextTokens: 10,
        cacheReadAudioTokens: 757,
        outputTextTokens: 22,
        outputImageTokens: 1290,
      },
      serviceTier: 'ON_DEMAND',
      finishReasons: ['STOP'],
      model: 'gemini-2.5-flash-image',
      responseId: 'VtX1',
    },
  },
  {
    dialect: vertexMessages,
    answer: 'anthropic-messages/answer',
    forms: ['json', 'sse'],
    facts: { ...known, usage: counts(20060, 97, 18000, 2048, 70, 20157), finishReasons: ['end_turn'] },
  },
  {
    dialect: vertexChat,
    answer: 'openai-chat/mistral',
    forms: ['json', 'sse'],
    facts: { ...known, usage: counts(13, 25, 0, null, null, 38), finishReasons: ['stop'] },
  },
  {
    dialect: vertexPredict,
    answer: 'vertex-predict/answer',
    forms: ['json'],
    facts: {
      ...known,
      usage: counts(13),
      usageProblem: 'The predict API states no output tokens.',
      usageDetails: { inputCharacters: 44 },
    },
  },
  {
    dialect: vertexPredict,
    answer: 'vertex-predict/images',
    forms: ['json'],
    facts: { ...known, usage: counts(), usageDetails: { outputImages: 2 }, usageProblem: expect.any(String) },
  },
  {
    dialect: anthropicComplete,
    answer: 'anthropic-complete/answer',
    forms: ['json', 'sse'],
    facts: {
      ...known,
      usage: counts(),
      usageProblem: expect.stringMatching(/^Looked for usage/),
      finishReasons: ['stop_sequence'],
      model: 'claude-2.1',
      responseId: 'compl_018CKm',
    },
  },
];

export const cloudAnswers: readonly AnswerCase[] = [...converseAnswers, ...invokeAnswers, ...vertexAnswers];

export const cloudErrors: readonly ErrorCase[] = [
  {
    dialect: bedrockConverse,
    file: 'bedrock-converse/error.json',
    headers: { 'x-amzn-errortype': 'ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/' },
    status: 400,
    code: 'ValidationException',
    message: 'The provided model identifier is invalid.',
  },
  {
    dialect: bedrockInvoke,
    file: 'bedrock-invoke/error.json',
    headers: { 'x-amzn-errortype': 'AccessDeniedException' },
    status: 403,
    code: 'AccessDeniedException',
    message: "You don't have access to the model with the specified model ID.",
  },
  {
    dialect: anthropicComplete,
    file: 'anthropic-complete/error.json',
    status: 400,
    code: 'invalid_request_error',
    message: 'prompt must start with "\n\nHuman:" turn',
  },
  {
    dialect: vertexPredict,
    file: 'vertex-predict/error.json',
    status: 403,
    code: 'PERMISSION_DENIED',
    message: 'Permission denied on resource project none.',
  },
];

export const cloudStreamErrors: readonly Omit<ErrorCase, 'status'>[] = [
  {
    dialect: bedrockConverseStream,
    file: 'bedrock-converse/error-in-stream.events',
    code: 'modelStreamErrorException',
    message: 'The model stopped unexpectedly.',
  },
  {
    dialect: bedrockInvokeStream,
    file: 'bedrock-invoke/error-in-stream.events',
    code: 'throttlingException',
    message: 'Too many tokens, please wait before trying again.',
  },
];
