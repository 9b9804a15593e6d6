// What is measured, over one way to the provider. Every way gets the same client: undici, keep-alive.
import { readFileSync } from 'node:fs';
import { Agent, ProxyAgent, request } from 'undici';

const body = JSON.stringify({
  model: 'gpt-4o',
  messages: [
    { role: 'system', content: 'You are terse.' },
    { role: 'user', content: 'word '.repeat(600) },
  ],
});
const streamBody = JSON.stringify({
  model: 'gpt-4o',
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: 'user', content: 'Hi' }],
});
const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-bench-0000000000000000' };
const path = 'https://api.openai.com/v1/chat/completions';

/** The ways to the provider: without a proxy, and through each that is there. */
export function openDirect({ port, caPath }) {
  const ca = readFileSync(caPath, 'utf8');
  return new Agent({
    connections: 64,
    connect: { ca, servername: 'api.openai.com', host: '127.0.0.1', port, lookup: toLoopback },
    origin: `https://127.0.0.1:${port}`,
  }).compose(
    (dispatch) => (options, handler) => dispatch({ ...options, origin: `https://localhost:${port}` }, handler),
  );
}

function toLoopback(_host, options, done) {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
}

export function openProxied({ port, ca }) {
  return new ProxyAgent({ uri: `http://127.0.0.1:${port}`, connections: 64, requestTls: { ca } });
}

export async function askJson(dispatcher) {
  const begin = performance.now();
  const { statusCode, body: reply } = await request(path, { method: 'POST', headers, body, dispatcher });
  await reply.arrayBuffer();
  if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  return performance.now() - begin;
}

/** Calls back to back; their times in milliseconds. */
export async function askInSequence(dispatcher, calls) {
  const times = [];
  for (let i = 0; i < calls; i++) times.push(await askJson(dispatcher));
  return times;
}

/** Calls over so many lanes at once; milliseconds for all. */
export async function askAtOnce(dispatcher, calls, lanes) {
  let left = calls;
  const begin = performance.now();
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await askJson(dispatcher);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return performance.now() - begin;
}

/** One stream of stamped chunks: how long each was on its way, and what the gaps between them grew by, milliseconds. */
export async function readStream(dispatcher, { chunks, everyMs }) {
  const { body: reply } = await request(`${path}?chunks=${chunks}&everyMs=${everyMs}`, {
    method: 'POST',
    headers,
    body: streamBody,
    dispatcher,
  });
  const sent = [];
  const arrived = [];
  for await (const piece of reply) {
    const now = Number(process.hrtime.bigint() / 1000n);
    for (const match of piece.toString('latin1').matchAll(/@(\d+)@/g)) {
      sent.push(Number(match[1]));
      arrived.push(now);
    }
  }
  const lags = sent.map((at, i) => (arrived[i] - at) / 1000);
  const gaps = lags.slice(1).map((lag, i) => Math.abs(lag - lags[i]));
  return { first: lags[0], lags, gaps, chunks: sent.length };
}

export async function readFlood(dispatcher, bytes) {
  const { body: reply } = await request(`${path}?bytes=${bytes}`, {
    method: 'POST',
    headers,
    body: streamBody,
    dispatcher,
  });
  let total = 0;
  for await (const piece of reply) total += piece.length;
  return total;
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}
