// What reading a stream costs the tap beside passing it on unread: the same chunks on two paths of one host.
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';

const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-bench-0000000000000000' };
const messages = [{ role: 'user', content: 'Hi' }];
const chat = { host: 'api.openai.com', path: '/v1/chat/completions' };
const bedrock = 'bedrock-runtime.us-east-1.amazonaws.com';

/** What is asked for where, by what the bench calls it; `shape` is the upstream's name for it. */
const streams = {
  'SSE, chat completions': {
    ...chat,
    shape: 'chat',
    body: { model: 'gpt-4o', stream: true, stream_options: { include_usage: true }, messages },
  },
  'SSE, chat completions that the tap asks for usage': {
    ...chat,
    shape: 'chat',
    body: { model: 'gpt-4o', stream: true, messages },
  },
  'SSE, responses': {
    host: 'api.openai.com',
    path: '/v1/responses',
    shape: 'responses',
    body: { model: 'gpt-5', stream: true, input: 'Hi' },
  },
  "SSE, Anthropic's messages": {
    host: 'api.anthropic.com',
    path: '/v1/messages',
    shape: 'messages',
    body: { model: 'claude-sonnet-4-5', max_tokens: 1000, stream: true, messages },
  },
  'AWS event stream, Converse': {
    host: bedrock,
    path: '/model/amazon.nova-pro-v1%3A0/converse-stream',
    shape: 'converse',
    body: { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
  },
  'AWS event stream, InvokeModel': {
    host: bedrock,
    path: '/model/anthropic.claude-sonnet-4-20250514-v1%3A0/invoke-with-response-stream',
    shape: 'invoke',
    body: { anthropic_version: 'bedrock-2023-05-31', max_tokens: 1000, messages },
  },
};

/** A path of the same hosts that is no model call. */
const blindPath = '/v1/batches/blind';

async function readEvents(dispatcher, { host, path, shape, body }, { events, everyMs, cutBytes = 0 }) {
  const query = `shape=${shape}&events=${events}&everyMs=${everyMs}&cut=${cutBytes}`;
  const asked = { method: 'POST', headers, body: JSON.stringify(body), dispatcher };
  const { statusCode, body: reply } = await request(`https://${host}${path}?${query}`, asked);
  let bytes = 0;
  for await (const piece of reply) bytes += piece.length;
  if (statusCode !== 200 || bytes < 50 * events) throw new Error(`${shape}: status ${statusCode}, ${bytes} bytes came`);
  return bytes;
}

/**
 * V8 compiles what runs often, on other threads, whose time counts: what a call does once, before its stream and after it,
 * only after hundreds of calls. So there are some hundred short streams first, and rounds that are not counted.
 */
const warmingStreams = { times: 100, events: 20, everyMs: 0 };
const warmingRounds = 3;

const findStream = (name, way) => (way === 'read' ? streams[name] : { ...streams[name], path: blindPath });

/** What a tap still does when its clients have all: records are written, and garbage is swept. */
const settlingMs = 200;

/** CPU of one tap for a chunk of so many streams at once, in microseconds, with all that follows from them. */
async function measureTap({ tap, dispatcher }, stream, { events, everyMs, cutBytes = 0, lanes }) {
  const read = () => readEvents(dispatcher, stream, { events, everyMs, cutBytes });
  const before = await tap.ask('cpu');
  const [bytes] = await Promise.all(Array.from({ length: lanes }, read));
  await delay(settlingMs);
  const after = await tap.ask('cpu');
  const chunks = cutBytes === 0 ? events : bytes / cutBytes;
  return (after.user + after.system - before.user - before.system) / chunks / lanes;
}

async function warm(taps, names, lanes) {
  for (let i = 0; i < warmingStreams.times; i++) {
    for (const name of names) {
      for (const stream of [findStream(name, 'read'), findStream(name, 'blind')]) {
        const read = ({ dispatcher }) => readEvents(dispatcher, stream, warmingStreams);
        await Promise.all(taps.flatMap((each) => Array.from({ length: lanes }, () => read(each))));
      }
    }
  }
}

/**
 * CPU of a tap for a chunk, in microseconds, by stream: read and passed on unread, by round; what is made of them is the
 * caller's. A chunk is an event, or `cutBytes` of the stream where that is given. Each has `everyMs` for itself, as a
 * model's has, and so comes and goes in segments of its own: where they come as fast as they can, node:http writes dozens
 * at a time, and what passing them on costs is hardly seen.
 *
 * Two taps work at the same time, one reads and one passes on, and then the other way round: that is a round. What a
 * machine that is shared with others takes for the same work changes by a fifth from second to second; of one tap that
 * did both in turns, the ratio of one stream was between 1.01 and 1.38, from run to run.
 *
 * @param taps two, each `{ tap, dispatcher }` with a dispatcher through it
 */
export async function measureReadings(taps, { rounds, only = Object.keys(streams), ...pace }) {
  const costs = Object.fromEntries(only.map((name) => [name, { read: [], blind: [] }]));
  await warm(taps, only, pace.lanes);
  for (let round = -warmingRounds; round < rounds; round++) {
    for (const name of only) {
      const sums = { read: 0, blind: 0 };
      for (const ways of [
        ['read', 'blind'],
        ['blind', 'read'],
      ]) {
        const both = taps.map((each, i) => measureTap(each, findStream(name, ways[i]), pace));
        for (const [i, cost] of (await Promise.all(both)).entries()) sums[ways[i]] += cost / taps.length;
      }
      if (round < 0) continue;
      costs[name].read.push(sums.read);
      costs[name].blind.push(sums.blind);
    }
  }
  return costs;
}
