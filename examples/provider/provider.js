/**
 * A small model provider for one's own machine. It speaks the wire dialects of OpenAI, Anthropic, Gemini, Vertex AI and Bedrock,
 * streamed and not, over TLS or plain HTTP, and remembers what it was asked and what it billed.
 *
 * @typedef {import('./provider.js').ExampleProviderOptions} Options
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { describeStatus, Refusal, readBehaviour } from './behaviour.js';
import { anthropic } from './dialects/anthropic.js';
import { bedrock } from './dialects/bedrock.js';
import { gemini } from './dialects/gemini.js';
import { openai } from './dialects/openai.js';
import { vertex } from './dialects/vertex.js';
import { answerTo, billFor, limitAnswer } from './model.js';
import { readBody } from './read-body.js';
import { RequestLog } from './request-log.js';
import { sendReply } from './send-reply.js';

const dialects = [anthropic, gemini, vertex, bedrock, openai];

/**
 * Opens the provider on loopback.
 * @param {Options} [options]
 * @returns {Promise<import('./provider.js').ExampleProvider>}
 */
export async function openExampleProvider(options = {}) {
  const host = options.host ?? '127.0.0.1';
  const log = new RequestLog();
  const onRequest = (request, response) => void serve(request, response, { options, log });
  const server = options.tls ? openTlsServer(options.tls, onRequest, options.http2) : createHttpServer(onRequest);
  const endConnections = watchConnections(server);
  if (options.onUpgrade) server.on('upgrade', options.onUpgrade);
  // Longer than any client keeps an idle connection: a reuse never meets a connection just being closed.
  server.keepAliveTimeout = 120_000;
  server.requestTimeout = 0;
  server.on('tlsClientError', () => undefined);
  server.listen(options.port ?? 0, host);
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  /** @type {Promise<void> | undefined} */
  let closing;
  return {
    port,
    url: `${options.tls ? 'https' : 'http'}://${authority}`,
    requests: log.requests,
    close: () => {
      closing ??= closeServer(server, endConnections);
      return closing;
    },
  };
}

/**
 * An HTTPS server with a certificate for each host name; with `http2` one that offers HTTP/2 besides.
 * @param {NonNullable<Options['tls']>} tls
 * @param {import('node:http').RequestListener} onRequest
 * @param {boolean} [http2]
 */
function openTlsServer({ key, certs }, onRequest, http2 = false) {
  const own = { key, cert: Object.values(certs)[0] };
  const server = http2
    ? createSecureServer({ ...own, allowHTTP1: true }, onRequest)
    : createHttpsServer(own, onRequest);
  for (const [host, cert] of Object.entries(certs)) server.addContext(host, { key, cert });
  return server;
}

/**
 * Knows every connection, upgraded ones and those of HTTP/2 too, which a server ends by none of its own methods.
 * @param {import('node:net').Server} server
 * @returns {() => void} ends them all
 */
function watchConnections(server) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

/**
 * @param {import('node:net').Server} server
 * @param {() => void} endConnections
 */
async function closeServer(server, endConnections) {
  const closed = once(server, 'close');
  server.close();
  endConnections();
  await closed;
}

/**
 * Serves one request; whatever happens to it is the client's to see, never an exception of the server's.
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {{ options: Options, log: RequestLog }} provider
 */
async function serve(request, response, { options, log }) {
  // A client that leaves shows as an error of either stream; `end` of what was seen says so.
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  try {
    const url = new URL(request.url ?? '/', 'http://provider.invalid');
    const received = await readBody(request);
    const seen = log.note(request, received);
    const found = findRoute(request, url, options.routes);
    const reply = makeReply({ request, url, received, found, seen, options });
    seen.end = await sendReply({ request, response, seen, options, ...reply });
    options.onServed?.(seen);
  } catch {
    // Only a connection that broke while its request or its reply was on the way gets here.
    response.destroy();
  }
}

/**
 * Decides what to answer: the route's reply, or the error that stands in its way.
 * @returns {{ status: number, headers: Record<string, string>, reply: import('./provider.js').Reply, behaviour: ReturnType<typeof readBehaviour>, errorFrame: string | Uint8Array }}
 */
function makeReply({ request, url, received, found, seen, options }) {
  const dialect = found?.dialect ?? openai;
  const requestId = dialect.makeRequestId();
  const headers = dialect.makeHeaders(requestId);
  const failure = (status, message) => ({ status, message, requestId, url });
  Object.assign(seen, { provider: found?.dialect.provider ?? null, api: found?.route.api ?? null, requestId });
  try {
    if (found === undefined) throw new Refusal(404, `Invalid URL (${request.method} ${url.pathname})`);
    const requiresKey = options.requiresKey ?? options.tls !== undefined;
    if (requiresKey && !dialect.hasKey({ headers: request.headers, url })) {
      throw new Refusal(401, "You didn't provide an API key.");
    }
    if (received.problem !== null) throw new Refusal(received.problem.status, received.problem.message);
    const speak = (ask) => {
      const answer = limitAnswer(ask, (options.answer ?? answerTo)(ask));
      return { answer, bill: billFor(ask, answer) };
    };
    const body = received.json ?? {};
    const reply = answerRoute(found.route, { url, headers: request.headers, body, match: found.match, speak });
    const behaviour = readBehaviour(reply.model);
    const isStream = typeof reply.body !== 'string';
    if (behaviour.kind === 'fail') throw new Refusal(behaviour.status, describeStatus(behaviour.status));
    if (behaviour.kind === 'break' && !isStream) throw new Refusal(500, describeStatus(500));
    Object.assign(seen, {
      stream: isStream,
      responseId: reply.responseId,
      bill: reply.bill,
      tellsBill: reply.tellsBill,
    });
    const errorFrame = dialect.makeErrorFrame(failure(500, describeStatus(500)));
    return { status: 200, headers: { ...headers, ...reply.headers }, reply, behaviour, errorFrame };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const isPassing = error.status === 429 || error.status >= 500;
    const retry = isPassing ? { 'retry-after': String(options.retryAfterSeconds ?? 1) } : {};
    const text = dialect.makeFailure(failure(error.status, error.message));
    const reply = {
      body: text,
      contentType: 'application/json',
      model: '',
      responseId: null,
      bill: null,
      tellsBill: false,
    };
    return {
      status: error.status,
      headers: { ...headers, ...retry, ...dialect.makeFailureHeaders?.(failure(error.status, error.message)) },
      reply,
      behaviour: { kind: 'serve' },
      errorFrame: '',
    };
  }
}

/**
 * Answers by the route; a body that lacks what the dialect needs is the caller's fault.
 * @param {import('./provider.js').Route} route
 * @param {import('./provider.js').Call} call
 */
function answerRoute(route, call) {
  try {
    return route.answer(call);
  } catch (error) {
    if (error instanceof TypeError) throw new Refusal(400, `The request has an unexpected shape: ${error.message}`);
    throw error;
  }
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {URL} url
 * @param {readonly import('./provider.js').Route[]} [own] tried first
 */
function findRoute(request, url, own = []) {
  for (const dialect of [{ ...openai, routes: own }, ...dialects]) {
    for (const route of dialect.routes) {
      const match = route.method === request.method ? route.path.exec(url.pathname) : null;
      if (match !== null && route.accepts?.(request.headers) !== false) return { dialect, route, match };
    }
  }
  return undefined;
}
