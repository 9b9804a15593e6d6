// The provider of the bench: HTTPS, one JSON answer, one stream that stamps each chunk with the time it left.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { openAuthority } from '../../dist/ca/authority.js';
import { makeSerial } from '../../dist/ca/certificate.js';
import { makeIssuer, makeLeaf } from '../../dist/ca/leaf.js';
import { sendEvents } from './event-streams.js';

const home = mkdtempSync(join(tmpdir(), 'llmtap-bench-upstream-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
const authority = openAuthority(home);
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' });
const makeCert = (host) =>
  makeLeaf({
    issuer: makeIssuer(authority),
    host,
    leafPublicKey: pair.publicKey,
    nowMs: Date.now(),
    serial: makeSerial(),
  }).certPem;

const reply = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o-2024-08-06',
    choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(200) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 900, completion_tokens: 200, total_tokens: 1100 },
  }),
);

/** NOTE: a stream without usage has the tap load a tokenizer, in a thread whose 0.1 GB would be measured with the next. */
const ending =
  'data: {"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":50,"total_tokens":59}}\n\n' +
  'data: [DONE]\n\n';

const nowUs = () => process.hrtime.bigint() / 1000n;

/** `?chunks=N&everyMs=M`: stamped deltas; then usage and the end. */
function stream(url, response) {
  const chunks = Number(url.searchParams.get('chunks') ?? 50);
  const everyMs = Number(url.searchParams.get('everyMs') ?? 2);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    const frame = {
      id: 'chatcmpl-1',
      model: 'gpt-4o-2024-08-06',
      choices: [{ index: 0, delta: { content: `@${nowUs()}@` } }],
    };
    if (sent <= chunks) {
      response.write(`data: ${JSON.stringify(frame)}\n\n`);
      return;
    }
    clearInterval(timer);
    response.end(ending);
  }, everyMs);
  response.on('close', () => clearInterval(timer));
}

/** `?bytes=N`: one long event stream, as fast as it is taken, with the usage that was asked for. */
function flood(url, response) {
  let left = Number(url.searchParams.get('bytes'));
  const frame = Buffer.from(
    `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content: 'x'.repeat(900) } }] })}\n\n`,
  );
  const block = Buffer.concat(Array.from({ length: 64 }, () => frame));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const push = () => {
    while (left > 0) {
      left -= block.length;
      if (!response.write(block)) return void response.once('drain', push);
    }
    response.end(ending);
  };
  push();
}

let served = 0;
const server = https.createServer({ key, cert: makeCert('api.openai.com') }, (request, response) => {
  served += 1;
  const url = new URL(request.url ?? '/', 'https://api.openai.com');
  request.resume();
  request.on('end', () => {
    if (url.searchParams.has('bytes')) return flood(url, response);
    if (url.searchParams.has('events')) return sendEvents(url, response);
    if (url.searchParams.has('chunks')) return stream(url, response);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': reply.length }).end(reply);
  });
});
for (const host of ['api.anthropic.com', 'bedrock-runtime.us-east-1.amazonaws.com']) {
  server.addContext(host, { key, cert: makeCert(host) });
}
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } });
const delta = JSON.stringify({
  type: 'response.output_text.delta',
  item_id: 'm',
  output_index: 0,
  delta: 'about a hundred',
});

/** `?messages=N`: a response of so many deltas of 100 bytes, each sent by itself, as a model's are. */
function answerSocket(socket, url) {
  const response = { id: 'resp_1', model: 'gpt-5', status: 'completed', usage: { input_tokens: 9, output_tokens: 50 } };
  socket.send(JSON.stringify({ type: 'response.created', response: { ...response, status: 'in_progress' } }));
  let left = Number(url.searchParams.get('messages'));
  const push = () => {
    if (left-- === 0) return socket.send(JSON.stringify({ type: 'response.completed', response }));
    socket.send(delta, () => setImmediate(push));
  };
  push();
}

server.on('upgrade', (request, socket, head) => {
  const url = new URL(request.url ?? '/', 'https://api.openai.com');
  sockets.handleUpgrade(request, socket, head, (opened) => opened.once('message', () => answerSocket(opened, url)));
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port, caPath: authority.certPath }));
process.on('message', ({ id }) => process.send?.({ id, answer: served }));
process.on('disconnect', () => process.exit(0));
