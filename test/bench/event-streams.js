// The streams of the bench's provider that are read event by event, in the shapes of their APIs.
import { EventStreamCodec } from '@smithy/core/event-streams';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
);
const sse = (document, name) =>
  Buffer.from(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(document)}\n\n`);
const named = (document) => sse(document, document.type);

function aws(type, document) {
  const headers = {
    ':event-type': { type: 'string', value: type },
    ':content-type': { type: 'string', value: 'application/json' },
    ':message-type': { type: 'string', value: 'event' },
  };
  return Buffer.from(codec.encode({ headers, body: Buffer.from(JSON.stringify(document)) }));
}

const chunk = (document) =>
  aws('chunk', { bytes: Buffer.from(JSON.stringify(document)).toString('base64'), p: 'abcdefghijk' });

const chat = (choices, usage = null) =>
  sse({
    id: 'chatcmpl-BzG2kJ5cGbx1rYh0kq9Z8vQw3mNtP',
    object: 'chat.completion.chunk',
    created: 1764205200,
    model: 'gpt-4o-2024-08-06',
    service_tier: 'default',
    system_fingerprint: 'fp_50cad350e4',
    choices,
    usage,
  });

const response = { id: 'resp_1', object: 'response', model: 'gpt-5-2025-08-07', status: 'in_progress', output: [] };
const used = { input_tokens: 9, output_tokens: 500, total_tokens: 509 };

const messageStart = {
  type: 'message_start',
  message: {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [],
    stop_reason: null,
    usage: { input_tokens: 9, output_tokens: 1 },
  },
};
const blockStart = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
const textDelta = (text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
const messageEnd = [
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 500 } },
  { type: 'message_stop' },
];

const SSE = 'text/event-stream';
const AWS = 'application/vnd.amazon.eventstream';

/** How each begins, goes on and ends, as its provider writes it. */
const shapes = {
  chat: {
    type: SSE,
    first: [chat([{ index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }])],
    next: (text) => chat([{ index: 0, delta: { content: text }, logprobs: null, finish_reason: null }]),
    last: [
      chat([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]),
      chat([], { prompt_tokens: 9, completion_tokens: 500, total_tokens: 509 }),
      Buffer.from('data: [DONE]\n\n'),
    ],
  },
  responses: {
    type: SSE,
    first: [named({ type: 'response.created', sequence_number: 0, response })],
    next: (text, i) =>
      named({
        type: 'response.output_text.delta',
        sequence_number: i,
        item_id: 'msg_68a1f0c2b3d4',
        output_index: 0,
        content_index: 0,
        delta: text,
        logprobs: [],
      }),
    last: [named({ type: 'response.completed', response: { ...response, status: 'completed', usage: used } })],
  },
  messages: {
    type: SSE,
    first: [named(messageStart), named(blockStart)],
    next: (text) => named(textDelta(text)),
    last: messageEnd.map(named),
  },
  converse: {
    type: AWS,
    first: [aws('messageStart', { p: 'abcd', role: 'assistant' })],
    next: (text) => aws('contentBlockDelta', { contentBlockIndex: 0, delta: { text }, p: 'abcdefghijklmn' }),
    last: [
      aws('contentBlockStop', { contentBlockIndex: 0, p: 'abc' }),
      aws('messageStop', { p: 'abcdef', stopReason: 'end_turn' }),
      aws('metadata', { metrics: { latencyMs: 900 }, p: 'ab', usage: { inputTokens: 9, outputTokens: 500 } }),
    ],
  },
  invoke: {
    type: AWS,
    first: [chunk(messageStart), chunk(blockStart)],
    next: (text) => chunk(textDelta(text)),
    last: messageEnd.map(chunk),
  },
};

const words = [' the', ' model', ' says', ' some', 'thing', ' of', ' some', ' length', ',', ' it', ' seems', '.'];
const made = new Map();

/** The whole stream, event by event; the same bytes each time it is asked for. */
function makeEvents(name, events) {
  const key = `${name} ${events}`;
  if (!made.has(key)) {
    const { first, next, last } = shapes[name];
    const middle = Array.from({ length: events }, (_, i) => next(words[i % words.length], i + 1));
    made.set(key, [...first, ...middle, ...last]);
  }
  return made.get(key);
}

/** The same bytes in chunks of `bytes` each, wherever that cuts an event. */
function cutEvenly(name, events, bytes) {
  const key = `${name} ${events} ${bytes}`;
  if (!made.has(key)) {
    const whole = Buffer.concat(makeEvents(name, events));
    const count = Math.ceil(whole.length / bytes);
    made.set(
      key,
      Array.from({ length: count }, (_, i) => whole.subarray(i * bytes, (i + 1) * bytes)),
    );
  }
  return made.get(key);
}

/** `?shape=NAME&events=N&everyMs=M`: so many deltas of that shape, an event a chunk; with `&cut=BYTES`, so many bytes a chunk. */
export function sendEvents(url, response) {
  const shape = url.searchParams.get('shape');
  const count = Number(url.searchParams.get('events'));
  const cut = Number(url.searchParams.get('cut') ?? 0);
  const events = cut > 0 ? cutEvenly(shape, count, cut) : makeEvents(shape, count);
  response.writeHead(200, { 'content-type': shapes[shape].type });
  let at = 0;
  const timer = setInterval(
    () => {
      if (at < events.length) return void response.write(events[at++]);
      clearInterval(timer);
      response.end();
    },
    Number(url.searchParams.get('everyMs')),
  );
  response.on('close', () => clearInterval(timer));
}
