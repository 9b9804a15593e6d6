import type { CallRecord, JsonValue } from '../../../core/call-record.js';
import { anthropicContent } from './anthropic.js';
import { boundContent } from './bounds.js';
import { chatContent } from './chat.js';
import { cohereContent, cohereV1Content } from './cohere.js';
import { completionsContent } from './completions.js';
import { converseContent } from './converse.js';
import { readFrames } from './frames.js';
import { geminiContent } from './gemini.js';
import { type Asked, type ContentReader, isObject, type JsonObject, type Message, orNull } from './message.js';
import { ollamaContent, ollamaGenerateContent } from './ollama.js';
import { responsesContent } from './responses.js';

/** What was said in one call, within bounds; `null` for what is not known. */
export interface CallContent extends Asked {
  readonly output: readonly Message[] | null;
  /** Which attributes are not whole: `gen_ai.input.messages` … */
  readonly truncated: readonly string[];
}

const readers: Readonly<Record<string, ContentReader>> = {
  'chat.completions': chatContent,
  completions: completionsContent,
  responses: responsesContent,
  messages: anthropicContent,
  generateContent: geminiContent,
  streamGenerateContent: geminiContent,
  converse: converseContent,
  converseStream: converseContent,
};
const cutNote = /\[cut: \d+ of \d+ bytes kept\]$/;
const known = new WeakMap<CallRecord, CallContent | null>();

/**
 * What a record's bodies say, as the conventions have it; `null` for an API whose words nobody here reads, and where no bodies
 * are kept. They hold no secrets, and no media but small, since records do not. Never throws.
 */
export function readContent(record: CallRecord): CallContent | null {
  const before = known.get(record);
  if (before !== undefined) return before;
  const content = tryReading(record);
  known.set(record, content);
  return content;
}

function tryReading(record: CallRecord): CallContent | null {
  try {
    const { requestBody: asked, responseBody: replied } = record;
    const reader = findReader(record);
    if (reader === null || (asked === null && replied === null)) return null;
    const request = isObject(asked) ? reader.readRequest(asked) : nothingAsked;
    const cut = [
      ...(isCut(asked) ? ['gen_ai.input.messages'] : []),
      ...(isCut(replied) ? ['gen_ai.output.messages'] : []),
    ];
    return boundContent({ ...request, output: orNull(readReply(reader, replied)), truncated: cut });
  } catch {
    // A body that has a shape nobody thought of says nothing here; it stands in the ledger as it came.
    return null;
  }
}

const nothingAsked: Asked = { input: null, system: null, tools: null };

function readReply(reader: ContentReader, body: JsonValue): readonly Message[] {
  return isObject(body) ? reader.readReply(body) : reader.readStream(readFrames(body));
}

function isCut(body: JsonValue): boolean {
  return typeof body === 'string' && cutNote.test(body);
}

function findReader({ api, url, requestBody, responseBody }: CallRecord): ContentReader | null {
  const reader = readers[api];
  if (reader !== undefined) return reader;
  const asked = isObject(requestBody) ? requestBody : {};
  if (api === 'chat' || api === 'generate') return findChat(api, url, asked);
  if (!api.startsWith('invokeModel')) return null;
  const [reply = {}] = isObject(responseBody) ? [responseBody] : readFrames(responseBody);
  return findFamily(asked, reply);
}

/** ollama and Cohere call different things by one name. */
function findChat(api: string, url: string, asked: JsonObject): ContentReader | null {
  if (/\/api\/(chat|generate)\/?(\?|$)/.test(url)) return api === 'chat' ? ollamaContent : ollamaGenerateContent;
  if (api !== 'chat') return null;
  return Array.isArray(asked.messages) ? cohereContent : cohereV1Content;
}

/** Bedrock's InvokeModel passes on what each family has of its own; what is written like another's API is read so. */
function findFamily(asked: JsonObject, reply: JsonObject): ContentReader | null {
  if (asked.anthropic_version !== undefined || reply.type === 'message' || reply.type === 'message_start') {
    return anthropicContent;
  }
  if (isObject(asked.inferenceConfig) || isObject(reply.output) || isObject(reply.messageStart)) return converseContent;
  if (Array.isArray(asked.messages) && Array.isArray(reply.choices)) return chatContent;
  return null;
}
