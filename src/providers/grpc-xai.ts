import type { Usage } from '../core/usage.js';
import type { GrpcMethod } from './grpc-method.js';
import { findField, findItems, type JsonObject } from './json-fields.js';
import { CHAT_LANGUAGE } from './openai-chat.js';
import { COMPLETIONS_LANGUAGE } from './openai-completions.js';
import { COMPLETION_USAGE, makeOpenaiUsage } from './openai-usage.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import type { TokenCounts } from './token-counts.js';
import type { ProtoField, ProtoFields } from './wire/protobuf.js';

/*
 * Messages as documents of OpenAI's shape, which xAI's JSON API has. Source: xai-org/xai-proto, proto/xai/api/v1, chat.proto,
 * sample.proto, usage.proto, embed.proto, image.proto (read 2026-11-27); `cost_in_usd_ticks` as in the descriptor that later
 * clients carry.
 */

const text = (name: string): ProtoField => ({ name, kind: 'text' });
const number = (name: string): ProtoField => ({ name, kind: 'number' });

/** Source: sample.proto. */
const finish: ProtoField = {
  name: 'finish_reason',
  kind: 'enum',
  names: {
    1: 'REASON_MAX_LEN',
    2: 'REASON_MAX_CONTEXT',
    3: 'REASON_STOP',
    4: 'REASON_TOOL_CALLS',
    5: 'REASON_TIME_LIMIT',
  },
};
const index: ProtoField = { name: 'index', kind: 'place' };
/** What the numbers mean no source read here says; a tier without a name has no price. */
const tier: ProtoField = { name: 'service_tier', kind: 'enum', names: {} };

const WEB_SEARCH = 'web_search';
const X_SEARCH = 'x_search';

const usage: ProtoField = {
  name: 'usage',
  kind: 'message',
  fields: {
    1: number('completion_tokens'),
    2: number('prompt_tokens'),
    3: number('total_tokens'),
    5: number('prompt_image_tokens'),
    6: number('reasoning_tokens'),
    7: number('cached_tokens'),
    9: { name: 'tools_used', kind: 'enum', names: { 1: WEB_SEARCH, 2: X_SEARCH }, isList: true },
    11: number('cost_in_usd_ticks'),
  },
};

const output: ProtoFields = {
  1: text('content'),
  3: {
    ...{ name: 'tool_calls', kind: 'message', isList: true },
    fields: { 1: text('id'), 10: { name: 'function', kind: 'message', fields: { 1: text('name') } } },
  },
  4: text('reasoning_content'),
};

const choices = (fields: ProtoFields): ProtoField => ({ name: 'choices', kind: 'message', isList: true, fields });

const completion: ProtoFields = {
  1: text('id'),
  2: choices({ 1: finish, 2: index, 3: { name: 'message', kind: 'message', fields: output } }),
  6: text('model'),
  9: usage,
  15: tier,
};

const chunk: ProtoFields = {
  1: text('id'),
  2: choices({ 1: { name: 'delta', kind: 'message', fields: output }, 3: finish, 4: index }),
  4: text('model'),
  6: usage,
  12: tier,
};

const sample: ProtoFields = {
  1: text('id'),
  2: choices({ 1: finish, 2: index, 3: text('text') }),
  6: text('model'),
  9: usage,
};

function speak(language: ReplyLanguage): ReplyLanguage {
  return {
    ...language,
    streamHint: null,
    details: { inputImageTokens: ['prompt_image_tokens'] },
    makeUsage: makeXaiUsage,
    explainUnclear,
    readDocument(document: JsonObject, notes: ReplyNotes): void {
      language.readDocument(document, notes);
      notes.noteUsage(findField(document, 'usage'), ['prompt_image_tokens']);
      const tools = findItems(document, 'usage', 'tools_used');
      const searches = tools.filter((tool) => tool === WEB_SEARCH || tool === X_SEARCH).length;
      if (searches > 0) notes.noteAmount('webSearches', searches);
      const images = findItems(document, 'images').length;
      if (images > 0) notes.noteAmount('outputImages', images);
    },
  };
}

/**
 * Whether reasoning is part of `completion_tokens` no source says of gRPC, and xAI's JSON API leaves it out. The total
 * tells; where it fits neither, output is unknown.
 */
function makeXaiUsage(counts: TokenCounts): Usage {
  const made = makeOpenaiUsage(counts, COMPLETION_USAGE);
  return isUnclear(counts) ? { ...made, outputTokens: null } : made;
}

function isUnclear(counts: TokenCounts): boolean {
  const [input, stated, total] = ['prompt_tokens', 'completion_tokens', 'total_tokens'].map((name) =>
    counts.find(name),
  );
  const reasoning = counts.find('reasoning_tokens') ?? 0;
  if (input == null || stated == null || reasoning === 0) return false;
  return total !== input + stated + reasoning && (total !== input + stated || reasoning > stated);
}

function explainUnclear(counts: TokenCounts): string | undefined {
  if (!isUnclear(counts)) return undefined;
  return 'the counts do not tell whether reasoning is part of the completion: their total fits neither';
}

const noTokens: ReplyLanguage = {
  ...CHAT_LANGUAGE,
  noUsage: 'the usage of embeddings is stated in vectors, not in tokens',
};
const deferred: ReplyLanguage = {
  ...CHAT_LANGUAGE,
  noUsage: 'the completion was deferred: its usage comes with it, when it is asked for',
};

const chatLanguage = speak(CHAT_LANGUAGE);
const asked: ProtoFields = { 2: text('model') };

/** By service and method: those that have a model work. */
export const XAI_METHODS: Readonly<Record<string, GrpcMethod>> = {
  'Chat/GetCompletion': { request: asked, reply: completion, language: chatLanguage, stream: false },
  'Chat/GetCompletionChunk': { request: asked, reply: chunk, language: chatLanguage, stream: true },
  'Chat/StartDeferredCompletion': { request: asked, reply: {}, language: deferred, stream: false },
  'Chat/CompactContext': {
    request: { 1: text('model') },
    reply: { 1: text('id'), 4: usage },
    language: chatLanguage,
    stream: false,
  },
  'Sample/SampleText': {
    ...{ request: { 3: text('model') }, reply: sample, language: speak(COMPLETIONS_LANGUAGE) },
    stream: false,
  },
  'Sample/SampleTextStreaming': {
    ...{ request: { 3: text('model') }, reply: sample, language: speak(COMPLETIONS_LANGUAGE) },
    stream: true,
  },
  'Embedder/Embed': { request: asked, reply: { 1: text('id'), 4: text('model') }, language: noTokens, stream: false },
  'Image/GenerateImage': {
    request: asked,
    reply: { 1: { name: 'images', kind: 'message', isList: true, fields: {} }, 2: text('model'), 3: usage },
    language: chatLanguage,
    stream: false,
  },
  'Video/GenerateVideo': { request: asked, reply: null, language: null, stream: false },
  'Video/ExtendVideo': { request: asked, reply: null, language: null, stream: false },
};
