import { describe, expect, it } from 'vitest';
import { redactBody } from '../../../src/call/redaction.js';
import { makeAmbientSet } from '../../../src/call/secrets.js';
import type { CallRecord } from '../../../src/core/call-record.js';
import { type CallContent, readContent } from '../../../src/exporters/otlp/content/read-content.js';
import { EventStreamText } from '../../../src/providers/event-stream-text.js';
import { listFixtures, readContentType, readFixture } from '../../contract/provider-fixtures.js';

/** Which API a folder's replies are of, and where it is asked. */
const apis: Readonly<Record<string, readonly [api: string, url: string]>> = {
  'openai-chat': ['chat.completions', 'https://api.openai.com/v1/chat/completions'],
  'openai-completions': ['completions', 'https://api.openai.com/v1/completions'],
  'openai-responses': ['responses', 'https://api.openai.com/v1/responses'],
  'anthropic-messages': ['messages', 'https://api.anthropic.com/v1/messages'],
  'google-generate': ['generateContent', 'https://generativelanguage.googleapis.com/v1beta/models/g:generateContent'],
  'bedrock-converse': ['converse', 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse'],
  'bedrock-invoke': ['invokeModel', 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke'],
  'cohere-chat': ['chat', 'https://api.cohere.com/v2/chat'],
  'cohere-chat-v1': ['chat', 'https://api.cohere.com/v1/chat'],
  'ollama-chat': ['chat', 'http://localhost:11434/api/chat'],
  'ollama-generate': ['generate', 'http://localhost:11434/api/generate'],
};
/** What tells a request of one from another's. */
const requests: Readonly<Record<string, object>> = {
  'cohere-chat': { messages: [] },
  'bedrock-invoke': { messages: [] },
};
/** Fixtures whose stream tells another text than its whole. */
const unlike = ['cohere-chat/answer', 'openai-chat/xai'];
/** Families of Bedrock's whose words nobody here reads. */
const unread = ['claude-complete', 'cohere', 'command', 'images', 'jurassic', 'llama', 'mistral-text', 'titan'];

/** As a record keeps the body of a reply. */
function keep(file: string) {
  const contentType = readContentType(file);
  const bytes = file.endsWith('.events') ? new EventStreamText().write(readFixture(file)) : readFixture(file);
  return redactBody({ text: bytes.toString(), contentType, policy: 'redacted', secrets: makeAmbientSet([]) });
}

function read(file: string, responseBody = keep(file)): CallContent | null {
  const [folder = ''] = file.split('/');
  const [api, url] = apis[folder] ?? [];
  return readContent({ api, url, requestBody: requests[folder] ?? {}, responseBody } as CallRecord);
}

const files = listFixtures().filter((file) => apis[file.split('/')[0] ?? ''] !== undefined);
const wholes = files.filter((file) => file.endsWith('.json') && !file.endsWith('.array.json'));
const pairs = wholes.flatMap((whole) => {
  const name = whole.replace(/\.json$/, '');
  if (unlike.includes(name)) return [];
  return files
    .filter((file) => file !== whole && file.startsWith(`${name}.`))
    .map((stream) => [stream, whole] as const);
});

describe('what a stream says', () => {
  it.each(pairs)('%s is what %s says', (stream, whole) => {
    expect(read(stream)?.output ?? null).toEqual(read(whole)?.output ?? null);
  });

  it('is tried for every API that streams', () => {
    expect(new Set(pairs.map(([stream]) => stream.split('/')[0]))).toEqual(new Set(Object.keys(apis)));
  });
});

it('is read of every whole reply that says something', () => {
  const silent = wholes.filter((file) => read(file)?.output === undefined || read(file)?.output === null);
  const known = silent.filter((file) => !unread.some((family) => file.startsWith(`bedrock-invoke/${family}`)));
  expect(known.filter((file) => !file.endsWith('error.json'))).toEqual([
    'google-generate/blocked.json',
    // Nothing but reasoning that OpenAI does not tell.
    ...['failed', 'incomplete', 'queued'].map((name) => `openai-responses/${name}.json`),
  ]);
});

describe('a stream that was cut', () => {
  const streams = files.filter((file) => /(answer|tools)\.(sse|ndjson|events)$/.test(file));

  it.each(streams)('%s tells what had come by then, at every line, and that it did not end', (file) => {
    const body = keep(file);
    if (typeof body !== 'string') throw new Error('a stream is kept as text');
    const lines = body.split('\n');
    const whole = JSON.stringify(read(file)?.output ?? null).length;
    const told = lines.map((_, end) => read(file, lines.slice(0, end).join('\n'))?.output ?? []);
    expect(told.some((messages) => messages.some((message) => message.finish_reason === 'error'))).toBe(
      read(file)?.output !== undefined && read(file)?.output !== null,
    );
    for (const messages of told) expect(JSON.stringify(messages).length).toBeLessThanOrEqual(whole + 200);
  });
});
