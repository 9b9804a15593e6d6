// Over 250 lines: one row an answer, for every dialect.
import type { Usage } from '../../src/core/usage.js';
import type { ReplyFacts } from '../../src/core/wire.js';
import { anthropicMessages } from '../../src/providers/anthropic-messages.js';
import { cohereChat } from '../../src/providers/cohere-chat.js';
import { cohereChatV1, cohereGenerate } from '../../src/providers/cohere-chat-v1.js';
import { cohereEmbed } from '../../src/providers/cohere-embed.js';
import { dashscopeGeneration } from '../../src/providers/dashscope-generation.js';
import { googleBatchEmbed, googleEmbed } from '../../src/providers/google-embed.js';
import { googleGenerate, googleStreamGenerate } from '../../src/providers/google-generate.js';
import { googleInteractions } from '../../src/providers/google-interactions.js';
import { mistralConversations } from '../../src/providers/mistral-conversations.js';
import { mistralOcr } from '../../src/providers/mistral-ocr.js';
import { ollamaChat, ollamaEmbed, ollamaEmbeddings, ollamaGenerate } from '../../src/providers/ollama.js';
import { openaiSpeech, openaiTranscriptions, openaiTranslations } from '../../src/providers/openai-audio.js';
import { googleOpenaiChat, openaiChat } from '../../src/providers/openai-chat.js';
import { openaiCompletions } from '../../src/providers/openai-completions.js';
import { openaiEmbeddings } from '../../src/providers/openai-embeddings.js';
import { openaiImageEdits, openaiImages, openaiImageVariations } from '../../src/providers/openai-images.js';
import { mistralClassifications, openaiModerations } from '../../src/providers/openai-moderations.js';
import { openaiResponses } from '../../src/providers/openai-responses.js';
import { rerank } from '../../src/providers/rerank.js';
import { googleUnread, unread } from '../../src/providers/unread.js';
import { cloudAnswers, cloudErrors, cloudStreamErrors } from './provider-answers-clouds.js';
import { type AnswerCase, counts, type ErrorCase } from './provider-cases.js';

const bothForms = ['json', 'sse'];
const googleForms = ['json', 'sse', 'array.json'];
const noOutput = 'The embeddings API states no output tokens.';
const plain = { usageProblem: null, error: null, complete: true, toolCalls: [], finishReasons: ['stop'] };

function chat(answer: string, usage: Usage, facts: Partial<ReplyFacts> = {}): AnswerCase {
  return {
    dialect: openaiChat,
    answer: `openai-chat/${answer}`,
    forms: bothForms,
    facts: { ...plain, usage, ...facts },
  };
}

const gpt = { model: 'gpt-5-mini-2025-08-07', responseId: 'chatcmpl-CbQ1x0aYt7sWnJ4mZ5pLrE2d' };

const chatAnswers: readonly AnswerCase[] = [
  chat('answer', counts(1117, 46, 1024, 0, 33, 1163), gpt),
  chat('tools', counts(88, 51, 0, null, 0, 139), {
    ...gpt,
    finishReasons: ['tool_calls'],
    toolCalls: ['get_weather', 'get_time'],
  }),
  chat('two-choices', counts(9, 14, null, null, null, 23), { ...gpt, finishReasons: ['stop', 'length'] }),
  chat('groq', counts(78, 27, null, null, 12, 105), { model: 'openai/gpt-oss-20b' }),
  chat('moonshot', counts(21, 9, 19, null, null, 30), { model: 'kimi-k2-0905-preview' }),
  chat('deepseek', counts(260, 71, 192, null, 60, 331), { model: 'deepseek-reasoner' }),
  chat('mistral', counts(13, 25, 0, null, null, 38), { model: 'mistral-small-latest' }),
  {
    ...chat('mistral-connectors', counts(90, 31, null, null, null, 121), { toolCalls: ['web_search'] }),
    forms: ['json'],
  },
  chat('openrouter', counts(194, 12, 100, 64, 0, 206), { model: 'anthropic/claude-sonnet-4.5' }),
  {
    ...chat('openrouter-search', counts(410, 17, 0, 0, 5, 427), {
      model: 'openai/gpt-5-mini',
      reportedUsd: 0.0101,
      usageDetails: { ...{ inputAudioTokens: 0, inputVideoTokens: 0, outputAudioTokens: 0 }, webSearches: 2 },
    }),
    forms: ['json'],
  },
  chat('perplexity', counts(7, 19, null, null, null, 26), { model: 'sonar' }),
  chat('xai', counts(37, 763, 8, null, 233, 800), { model: 'grok-4-fast-reasoning' }),
  {
    ...chat('google', counts(11, 131, null, null, null, 142), { model: 'gemini-2.5-flash' }),
    dialect: googleOpenaiChat,
  },
];

const otherOpenaiAnswers: readonly AnswerCase[] = [
  {
    dialect: openaiCompletions,
    answer: 'openai-completions/answer',
    forms: bothForms,
    facts: {
      ...plain,
      usage: counts(5, 7, 0, null, 0, 12),
      finishReasons: ['length'],
      model: 'gpt-3.5-turbo-instruct:20230824-v2',
      responseId: 'cmpl-CbQ2',
    },
  },
  {
    dialect: openaiEmbeddings,
    answer: 'openai-embeddings/answer',
    forms: ['json'],
    facts: {
      ...plain,
      usage: counts(8, null, null, null, null, 8),
      usageProblem: noOutput,
      finishReasons: [],
      model: 'text-embedding-3-small',
    },
  },
  {
    dialect: openaiEmbeddings,
    answer: 'openai-embeddings/mistral',
    forms: ['json'],
    facts: { ...plain, usage: counts(15, 0, null, null, null, 15), finishReasons: [], model: 'mistral-embed' },
  },
  {
    dialect: openaiResponses,
    answer: 'openai-responses/answer',
    forms: bothForms,
    facts: {
      ...plain,
      usage: counts(328, 152, 128, 64, 64, 480),
      finishReasons: ['completed'],
      toolCalls: ['web_search', 'lookup', 'apply_patch'],
      model: 'gpt-5-2025-08-07',
      responseId: 'resp_0a1b2c3d',
    },
  },
  {
    dialect: openaiResponses,
    answer: 'openai-responses/incomplete',
    forms: bothForms,
    facts: { ...plain, usage: counts(20, 16, 0, null, 16, 36), finishReasons: ['max_output_tokens'] },
  },
  {
    dialect: openaiResponses,
    answer: 'openai-responses/failed',
    forms: bothForms,
    facts: {
      usage: counts(),
      usageProblem: 'The provider reported the error server_error and no final usage.',
      error: { code: 'server_error', message: 'The model failed to generate a response.' },
      finishReasons: ['failed'],
      complete: true,
    },
  },
  {
    dialect: openaiResponses,
    answer: 'openai-responses/queued',
    forms: ['json'],
    facts: { usage: counts(), usageProblem: 'The reply says "queued": its usage is not known yet.', finishReasons: [] },
  },
  {
    dialect: openaiResponses,
    answer: 'openai-responses/compact',
    forms: ['json'],
    facts: { usage: counts(4096, 300, 2048, 0, 0, 4396), usageProblem: null, responseId: 'resp_c0mp' },
  },
];

const claude = { model: 'claude-sonnet-4-5-20250929', responseId: 'msg_01XFDUDYJgAACzvnptvVoYEL' };

const anthropicAnswers: readonly AnswerCase[] = [
  {
    dialect: anthropicMessages,
    answer: 'anthropic-messages/answer',
    forms: bothForms,
    facts: { ...plain, ...claude, usage: counts(20060, 97, 18000, 2048, 70, 20157), finishReasons: ['end_turn'] },
  },
  {
    dialect: anthropicMessages,
    answer: 'anthropic-messages/tools',
    forms: bothForms,
    facts: {
      ...plain,
      ...claude,
      usage: counts(472, 89, 0, 0, null, 561),
      finishReasons: ['tool_use'],
      toolCalls: ['web_search', 'get_weather', 'get_weather'],
    },
  },
  {
    dialect: anthropicMessages,
    answer: 'anthropic-messages/later-wins',
    forms: ['sse'],
    facts: { ...plain, ...claude, usage: counts(460, 0, 0, 0, null, 460), finishReasons: ['end_turn'] },
  },
  {
    // A conversation summed up before it was answered, by a model that asked another.
    dialect: anthropicMessages,
    answer: 'anthropic-messages/iterations',
    forms: bothForms,
    facts: {
      ...plain,
      model: 'claude-opus-4-6',
      // 230 + 6 + 20, and 7001 + 90 + 40 of summing up.
      usage: counts(7387, 450, 96, 60, null, 7837),
      usageDetails: {
        ...{ cacheWrite5mTokens: 20, cacheWrite1hTokens: 40 },
        ...{ compactionInputTokens: 7131, compactionOutputTokens: 350 },
        ...{ advisorInputTokens: 828, advisorOutputTokens: 1612 },
      },
      finishReasons: ['end_turn'],
      toolCalls: ['advisor'],
    },
  },
];

const mistralAnswers: readonly AnswerCase[] = [
  {
    dialect: mistralConversations,
    answer: 'mistral-conversations/answer',
    forms: bothForms,
    facts: {
      ...plain,
      model: 'mistral-medium-2505',
      usage: counts(7300, 55, null, null, null, 7355),
      usageDetails: { toolPromptTokens: 7112, webSearches: 1 },
      finishReasons: [],
      toolCalls: ['web_search', 'get_tide'],
    },
  },
];

const gemini = { model: 'gemini-2.5-pro', responseId: 'Zk8gadf1Lo-xvdIPw8' };
const geminiUsage = counts(2240, 2010, 2027, null, 1300, 4250);

const googleAnswers: readonly AnswerCase[] = [
  {
    dialect: googleInteractions,
    answer: 'google-interactions/answer',
    forms: bothForms,
    facts: {
      ...plain,
      ...{ model: 'gemini-3-flash-preview', responseId: 'v1_Chat1nter', serviceTier: 'standard' },
      // 131 + 9 of tool results, 40 + 22 of thoughts.
      usage: counts(140, 62, 64, null, 22, 202),
      usageDetails: {
        ...{ inputTextTokens: 120, inputImageTokens: 11, cacheReadTextTokens: 64, outputTextTokens: 40 },
        ...{ toolPromptTokens: 9, webSearches: 2 },
      },
      finishReasons: ['requires_action'],
      toolCalls: ['google_search', 'get_tide'],
    },
  },
  {
    dialect: googleInteractions,
    answer: 'google-interactions/vertex',
    forms: ['json'],
    facts: {
      ...plain,
      ...{ model: 'gemini-3-flash', serviceTier: 'standard', finishReasons: ['COMPLETED'] },
      usage: counts(11, 7, 4, null, 5, 18),
      usageDetails: { inputTextTokens: 11, toolPromptTokens: 0 },
    },
  },
  {
    dialect: googleInteractions,
    answer: 'google-interactions/background',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'The reply says "in_progress": its usage is not known yet.',
      model: 'deep-research-pro-preview-12-2025',
      finishReasons: [],
    },
  },
  {
    dialect: googleStreamGenerate,
    answer: 'google-generate/answer',
    forms: googleForms,
    facts: { ...plain, ...gemini, usage: geminiUsage, finishReasons: ['STOP'] },
  },
  {
    dialect: googleStreamGenerate,
    answer: 'google-generate/cli',
    forms: bothForms,
    facts: { ...plain, ...gemini, usage: geminiUsage, finishReasons: ['STOP'] },
  },
  {
    dialect: googleStreamGenerate,
    answer: 'google-generate/tools',
    forms: googleForms,
    facts: {
      ...plain,
      ...gemini,
      usage: counts(61, 30, null, null, null, 91),
      finishReasons: ['STOP'],
      toolCalls: ['get_weather', 'get_weather', 'get_time'],
    },
  },
  {
    dialect: googleGenerate,
    answer: 'google-generate/thoughts-only',
    forms: ['json'],
    facts: {
      ...plain,
      usage: counts(12, 64, null, null, 64, 76),
      finishReasons: ['MAX_TOKENS'],
      model: 'gemini-2.5-flash',
    },
  },
  {
    dialect: googleGenerate,
    answer: 'google-generate/blocked',
    forms: ['json'],
    facts: { ...plain, usage: counts(40, 0, null, null, null, 40), finishReasons: ['PROHIBITED_CONTENT'] },
  },
  {
    dialect: googleEmbed,
    answer: 'google-embed/answer',
    forms: ['json'],
    facts: { usage: counts(6), usageProblem: noOutput, error: null },
  },
  {
    dialect: googleBatchEmbed,
    answer: 'google-embed/batch',
    forms: ['json'],
    facts: { usage: counts(11), usageProblem: noOutput, error: null },
  },
  {
    dialect: googleEmbed,
    answer: 'google-embed/no-usage',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'Looked for usageMetadata.promptTokenCount, but the reply has only embedding.',
    },
  },
];

const lineForms = ['json', 'ndjson'];

const ollamaAnswers: readonly AnswerCase[] = [
  {
    dialect: ollamaChat,
    answer: 'ollama-chat/answer',
    forms: lineForms,
    facts: { ...plain, model: 'qwen3:8b', usage: counts(26, 298, null, null, null, 324) },
  },
  {
    dialect: ollamaChat,
    answer: 'ollama-chat/tools',
    forms: lineForms,
    facts: {
      ...plain,
      usage: counts(169, 45, null, null, null, 214),
      toolCalls: ['get_weather', 'get_weather', 'get_time'],
    },
  },
  {
    dialect: ollamaChat,
    answer: 'ollama-chat/cached-prompt',
    forms: ['json'],
    facts: {
      ...plain,
      usage: counts(null, 298),
      usageProblem: 'Looked for usage in prompt_eval_count and eval_count, but the input tokens were not stated.',
    },
  },
  {
    dialect: ollamaGenerate,
    answer: 'ollama-generate/answer',
    forms: lineForms,
    facts: {
      ...plain,
      model: 'llama3.2',
      usage: counts(31, 12, null, null, null, 43),
      finishReasons: ['length'],
    },
  },
  {
    dialect: ollamaEmbed,
    answer: 'ollama-embed/answer',
    forms: ['json'],
    facts: { model: 'all-minilm', usage: counts(8), usageProblem: noOutput, error: null },
  },
  {
    dialect: ollamaEmbeddings,
    answer: 'ollama-embed/older',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'Looked for usage in prompt_eval_count, but the reply has only embedding.',
    },
  },
];

const cohere = { ...plain, finishReasons: ['COMPLETE'] };
const cohereId = { responseId: 'c14c80c3-18eb-4519-9460-6c92edd8cfb4' };

const cohereAnswers: readonly AnswerCase[] = [
  {
    dialect: cohereChat,
    answer: 'cohere-chat/answer',
    forms: bothForms,
    facts: { ...cohere, ...cohereId, model: null, usage: counts(11, 58, null, null, null, 69) },
  },
  {
    dialect: cohereChat,
    answer: 'cohere-chat/tools',
    forms: bothForms,
    facts: {
      ...plain,
      ...cohereId,
      usage: counts(31, 22, null, null, null, 53),
      finishReasons: ['TOOL_CALL'],
      toolCalls: ['get_weather', 'get_weather'],
    },
  },
  {
    dialect: cohereChat,
    answer: 'cohere-chat/unbilled',
    forms: ['json'],
    facts: { ...plain, usage: counts(506, 3, 448, null, null, 509), finishReasons: ['MAX_TOKENS'] },
  },
  {
    dialect: cohereChatV1,
    answer: 'cohere-chat-v1/answer',
    forms: ['json', 'ndjson', 'sse'],
    facts: {
      ...cohere,
      responseId: '8b8ac0d2-3c0f-4a84-b8f0-7b9f5c7fd2c1',
      usage: counts(7, 25, null, null, null, 32),
    },
  },
  {
    dialect: cohereChatV1,
    answer: 'cohere-chat-v1/tools',
    forms: lineForms,
    facts: { ...cohere, usage: counts(61, 34, null, null, null, 95), toolCalls: ['get_weather', 'get_time'] },
  },
  {
    dialect: cohereGenerate,
    answer: 'cohere-generate/answer',
    forms: ['json'],
    facts: { ...plain, usage: counts(5, 17, null, null, null, 22), finishReasons: ['MAX_TOKENS', 'COMPLETE'] },
  },
  {
    dialect: cohereEmbed,
    answer: 'cohere-embed/answer',
    forms: ['json'],
    facts: { usage: counts(2), usageProblem: noOutput, usageDetails: null },
  },
  {
    dialect: cohereEmbed,
    answer: 'cohere-embed/image',
    forms: ['json'],
    facts: { usage: counts(1076), usageProblem: noOutput, usageDetails: { inputImageTokens: 1072 } },
  },
];

const rerankAnswers: readonly AnswerCase[] = [
  {
    dialect: rerank,
    answer: 'rerank/answer',
    forms: ['json'],
    facts: { usage: counts(1837, 0, null, null, null, 1837), usageProblem: null, model: 'Salesforce/Llama-Rank-v1' },
  },
  {
    dialect: rerank,
    answer: 'rerank/total',
    forms: ['json'],
    facts: {
      usage: counts(38, null, null, null, null, 38),
      usageProblem: 'A reranker states no output tokens.',
    },
  },
  {
    dialect: rerank,
    answer: 'rerank/openrouter',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'The reply counts searches (usageDetails.searchUnits), and no tokens.',
      usageDetails: { searchUnits: 1 },
      reportedUsd: 0.002,
      model: 'cohere/rerank-v3.5',
    },
  },
  {
    dialect: rerank,
    answer: 'rerank/cohere',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'The reply counts searches (usageDetails.searchUnits), and no tokens.',
      usageDetails: { searchUnits: 1 },
    },
  },
];

const made = { ...plain, finishReasons: [] };
const madeInput = { inputTextTokens: 13, inputImageTokens: 80 };

const mediaAnswers: readonly AnswerCase[] = [
  {
    dialect: openaiImages,
    answer: 'openai-images/answer',
    forms: bothForms,
    facts: {
      ...made,
      usage: counts(93, 4160, null, null, null, 4253),
      usageDetails: { ...madeInput, outputImages: 1 },
    },
  },
  {
    dialect: openaiImageEdits,
    answer: 'openai-images/edit',
    forms: bothForms,
    facts: {
      ...made,
      usage: counts(584, 1056, null, null, null, 1640),
      usageDetails: {
        inputTextTokens: 20,
        inputImageTokens: 564,
        outputTextTokens: 0,
        outputImageTokens: 1056,
        outputImages: 1,
      },
    },
  },
  {
    dialect: openaiImageVariations,
    answer: 'openai-images/pieces',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'The reply has images (usageDetails.outputImages), and states no tokens.',
      usageDetails: { outputImages: 2 },
    },
  },
  {
    dialect: openaiImages,
    answer: 'openai-images/openrouter',
    forms: ['json'],
    facts: {
      ...made,
      usage: counts(31, 2580, 7, 0, 12, 2611),
      usageDetails: { outputImageTokens: 2568, outputImages: 2 },
      reportedUsd: 0.0774,
    },
  },
  {
    dialect: openaiTranscriptions,
    answer: 'openai-audio/openrouter',
    forms: ['json'],
    facts: {
      ...made,
      usage: counts(83, 30, null, null, null, 113),
      usageDetails: { inputSeconds: 9.2 },
      reportedUsd: 0.000508,
    },
  },
  {
    dialect: openaiSpeech,
    answer: 'openai-audio/speech',
    forms: ['sse'],
    facts: { ...made, usage: counts(14, 101, null, null, null, 115) },
  },
  {
    dialect: openaiTranscriptions,
    answer: 'openai-audio/answer',
    forms: bothForms,
    facts: {
      ...made,
      usage: counts(69, 45, null, null, null, 114),
      usageDetails: { inputTextTokens: 4, inputAudioTokens: 65 },
    },
  },
  {
    dialect: openaiTranslations,
    answer: 'openai-audio/seconds',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'The reply states seconds (usageDetails.inputSeconds), and no tokens.',
      usageDetails: { inputSeconds: 9 },
    },
  },
  {
    dialect: openaiTranscriptions,
    answer: 'openai-audio/groq',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'Looked for usage.input_tokens and usage.output_tokens, but the reply has only text, x_groq.',
      usageDetails: null,
      responseId: 'req_01jbd6g2qdfw2adyrt2az8hz4w',
    },
  },
  {
    dialect: openaiTranscriptions,
    answer: 'openai-audio/mistral',
    forms: bothForms,
    facts: {
      ...made,
      model: 'voxtral-mini-2507',
      usage: counts(4, 635, null, null, null, 3264),
      usageDetails: { inputSeconds: 203 },
    },
  },
  {
    dialect: openaiModerations,
    answer: 'openai-moderations/answer',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem:
        'Looked for usage, which OpenAI does not state for moderation, but the reply has only id, model, results.',
      model: 'omni-moderation-latest',
    },
  },
  ...[openaiModerations, mistralClassifications].map((dialect) => ({
    dialect,
    answer: 'openai-moderations/mistral',
    forms: ['json'],
    facts: { usage: counts(43, 0, null, null, null, 43), usageProblem: null, model: 'mistral-moderation-latest' },
  })),
  {
    dialect: mistralOcr,
    answer: 'mistral-ocr/answer',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'The reply states pages (usageDetails.inputPages), and no tokens.',
      usageDetails: { inputPages: 2 },
      model: 'mistral-ocr-2505-completion',
    },
  },
  {
    dialect: openaiEmbeddings,
    answer: 'openai-embeddings/total',
    forms: ['json'],
    facts: { usage: counts(10, null, null, null, null, 10), usageProblem: noOutput, model: 'voyage-3.5' },
  },
];

const dashscope = { responseId: 'd30a9914-ac97-9102-b746-ce0cb35e3fa2', model: null };

const dashscopeAnswers: readonly AnswerCase[] = [
  {
    dialect: dashscopeGeneration,
    answer: 'dashscope-generation/answer',
    forms: bothForms,
    facts: {
      ...plain,
      ...dashscope,
      usage: counts(28, 52, 16, null, 40, 80),
      usageDetails: { outputTextTokens: 12 },
    },
  },
  {
    dialect: dashscopeGeneration,
    answer: 'dashscope-generation/tools',
    forms: bothForms,
    facts: {
      ...plain,
      usage: counts(195, 22, null, null, null, 217),
      finishReasons: ['tool_calls'],
      toolCalls: ['get_weather', 'get_weather'],
    },
  },
  {
    dialect: dashscopeGeneration,
    answer: 'dashscope-generation/text',
    forms: ['json'],
    facts: { ...plain, usage: counts(22, 4, null, null, null, 26) },
  },
  {
    dialect: dashscopeGeneration,
    answer: 'dashscope-generation/images',
    forms: ['json'],
    facts: {
      usage: counts(),
      usageProblem: 'The reply counts something else than tokens (usageDetails).',
      usageDetails: { outputImages: 1 },
    },
  },
];

const unreadAnswers: readonly AnswerCase[] = [
  ...[unread, googleUnread].map((dialect) => ({
    dialect,
    answer: 'unread/video',
    forms: ['json'],
    facts: {
      model: 'sora-2',
      responseId: 'video_68d7512d07848190b3e45da0ecbebcde',
      usage: counts(),
      usageProblem: 'The replies of this API are not read by this version.',
    },
  })),
];

export const answerCases: readonly AnswerCase[] = [
  ...unreadAnswers,
  ...dashscopeAnswers,
  ...mediaAnswers,
  ...ollamaAnswers,
  ...cohereAnswers,
  ...rerankAnswers,
  ...chatAnswers,
  ...otherOpenaiAnswers,
  ...anthropicAnswers,
  ...mistralAnswers,
  ...googleAnswers,
  ...cloudAnswers,
];

export const errorCases: readonly ErrorCase[] = [
  {
    dialect: googleInteractions,
    file: 'google-interactions/error.json',
    status: 400,
    code: 'INVALID_ARGUMENT',
    message: 'Unknown model.',
  },
  {
    dialect: mistralConversations,
    file: 'mistral-conversations/error.json',
    status: 404,
    code: '3000',
    message: 'Conversation not found.',
  },
  {
    dialect: dashscopeGeneration,
    file: 'dashscope-generation/error.json',
    status: 401,
    code: 'InvalidApiKey',
    message: 'Invalid API-key provided.',
  },
  {
    dialect: openaiImages,
    file: 'openai-images/error.json',
    status: 400,
    code: 'moderation_blocked',
    message: 'Your request was rejected by the safety system.',
  },
  {
    dialect: openaiTranscriptions,
    file: 'openai-audio/error.json',
    status: 400,
    code: 'invalid_request_error',
    message: 'Invalid file format.',
  },
  { dialect: cohereChat, file: 'cohere-chat/error.json', status: 401, code: 'error', message: 'invalid api token' },
  {
    dialect: cohereChatV1,
    file: 'cohere-chat-v1/error.json',
    status: 404,
    code: 'error',
    message: "model 'none' not found, make sure the correct model ID was used",
  },
  {
    dialect: cohereEmbed,
    file: 'cohere-embed/error.json',
    status: 400,
    code: 'error',
    message: 'invalid request: valid input_type must be provided with the provided model',
  },
  { dialect: rerank, file: 'rerank/error.json', status: 400, code: 'error', message: 'too many documents' },
  {
    dialect: ollamaChat,
    file: 'ollama-chat/error.json',
    status: 404,
    code: 'error',
    message: "model 'none' not found",
  },
  {
    dialect: ollamaGenerate,
    file: 'ollama-generate/error.json',
    status: 400,
    code: 'error',
    message: '"none" does not support generate',
  },
  {
    dialect: ollamaEmbed,
    file: 'ollama-embed/error.json',
    status: 400,
    code: 'error',
    message: 'this model does not support embeddings',
  },
  {
    dialect: openaiChat,
    file: 'openai-chat/error.json',
    status: 401,
    code: 'invalid_api_key',
    message: 'Incorrect API key provided: sk-REDACTED.',
  },
  {
    dialect: openaiChat,
    file: 'openai-chat/mistral-error.json',
    status: 422,
    code: 'invalid_request_error',
    message:
      '{"detail":[{"type":"extra_forbidden","loc":["body","stream_options","include_usage"],"msg":"Extra inputs are not permitted","input":true}]}',
  },
  {
    dialect: openaiChat,
    file: 'openai-chat/xai-error.json',
    status: 400,
    code: 'Client specified an invalid argument',
    message: 'Incorrect API key provided.',
  },
  {
    dialect: googleOpenaiChat,
    file: 'openai-chat/google-error.json',
    status: 404,
    code: 'NOT_FOUND',
    message: 'models/none is not found',
  },
  {
    dialect: openaiCompletions,
    file: 'openai-completions/error.json',
    status: 404,
    code: 'model_not_found',
    message: 'The model `none` does not exist',
  },
  {
    dialect: openaiEmbeddings,
    file: 'openai-embeddings/error.json',
    status: 429,
    code: 'rate_limit_exceeded',
    message: 'Rate limit reached',
  },
  {
    dialect: openaiResponses,
    file: 'openai-responses/error.json',
    status: 400,
    code: 'invalid_value',
    message: "Invalid value: 'none'.",
  },
  {
    dialect: anthropicMessages,
    file: 'anthropic-messages/error.json',
    status: 529,
    code: 'overloaded_error',
    message: 'Overloaded',
  },
  {
    dialect: googleGenerate,
    file: 'google-generate/error.json',
    status: 429,
    code: 'RESOURCE_EXHAUSTED',
    message: 'You exceeded your current quota.',
  },
  {
    dialect: googleStreamGenerate,
    file: 'google-generate/error.array.json',
    status: 429,
    code: 'RESOURCE_EXHAUSTED',
    message: 'You exceeded your current quota.',
  },
  {
    dialect: googleEmbed,
    file: 'google-embed/error.json',
    status: 400,
    code: 'INVALID_ARGUMENT',
    message: 'API key not valid. Please pass a valid API key.',
  },
  ...cloudErrors,
];

/** Streams that began well (status 200) and then state an error. */
export const errorStreamCases: readonly Omit<ErrorCase, 'status'>[] = [
  {
    dialect: googleInteractions,
    file: 'google-interactions/error-in-stream.sse',
    code: 'UNAVAILABLE',
    message: 'The service is overloaded.',
  },
  {
    dialect: mistralConversations,
    file: 'mistral-conversations/error-in-stream.sse',
    code: '500',
    message: 'Tool failed.',
  },
  {
    dialect: dashscopeGeneration,
    file: 'dashscope-generation/error-in-stream.sse',
    code: 'DataInspectionFailed',
    message: 'Output data may contain inappropriate content.',
  },
  {
    dialect: openaiImages,
    file: 'openai-images/error-in-stream.sse',
    code: 'image_generation_failed',
    message: 'Image generation failed',
  },
  {
    dialect: cohereChat,
    file: 'cohere-chat/error-in-stream.sse',
    code: 'error',
    message: 'internal server error, please try again later',
  },
  {
    dialect: cohereChatV1,
    file: 'cohere-chat-v1/error-in-stream.ndjson',
    code: 'ERROR',
    message: 'the model is overloaded',
  },
  {
    dialect: ollamaChat,
    file: 'ollama-chat/error-in-stream.ndjson',
    code: 'error',
    message: 'an error was encountered while running the model: unexpected EOF',
  },
  {
    dialect: openaiChat,
    file: 'openai-chat/error-in-stream.sse',
    code: 'server_error',
    message: 'The server had an error while processing your request.',
  },
  {
    dialect: openaiResponses,
    file: 'openai-responses/error-in-stream.sse',
    code: 'rate_limit_exceeded',
    message: 'Too many tokens.',
  },
  {
    dialect: anthropicMessages,
    file: 'anthropic-messages/error-in-stream.sse',
    code: 'overloaded_error',
    message: 'Overloaded',
  },
  {
    dialect: googleStreamGenerate,
    file: 'google-generate/error-in-stream.sse',
    code: 'UNAVAILABLE',
    message: 'The model is overloaded.',
  },
  ...cloudStreamErrors,
];

/** Fixtures told about in tests of their own. */
export const otherFixtures: readonly string[] = ['openai-chat/no-usage.sse'];
