import http, { type IncomingMessage } from 'node:http';
import type http2 from 'node:http2';
import https from 'node:https';
import axios from 'axios';
import got from 'got';
import nodeFetch from 'node-fetch';
import * as undici from 'undici';
import WebSocket from 'ws';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface AskOptions {
  readonly body: string | AsyncIterable<Buffer>;
  readonly signal?: AbortSignal;
  /** Called with every piece of the answer. */
  readonly onChunk?: (chunk: string) => void;
}

/** One way of making a call, with whatever agent or dispatcher all its calls share. */
export interface Client {
  ask(url: string, options: AskOptions): Promise<Answer>;
  close?(): Promise<void> | void;
}

const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-test' };
const method = 'POST';

/** Every client style there is, by name. */
const clients: Readonly<Record<string, (origin: string) => Client>> = {
  'built-in fetch': () => makeFetchClient((url, init) => fetch(url, init)),
  'built-in fetch with a dispatcher of its own': () => {
    const dispatcher = new undici.Agent();
    const client = makeFetchClient((url, init) => fetch(url, { ...init, dispatcher } as never));
    return { ...client, close: () => dispatcher.close() };
  },
  'undici fetch': () =>
    makeFetchClient((url, init) => undici.fetch(url, init as never) as unknown as Promise<Response>),
  'undici request': () => makeUndiciClient(undefined),
  'undici request with an own Agent': () => makeUndiciClient(new undici.Agent({ keepAliveTimeout: 10_000 })),
  'undici request with an Agent of one connection': () => makeUndiciClient(new undici.Agent({ connections: 1 })),
  'undici Pool': (origin) => makeUndiciClient(new undici.Pool(origin, { connections: 4 })),
  'undici Client': (origin) => makeUndiciClient(new undici.Client(origin)),
  'undici Client that pipelines': (origin) => makeUndiciClient(new undici.Client(origin, { pipelining: 5 })),
  'undici BalancedPool': (origin) => makeUndiciClient(new undici.BalancedPool(origin)),
  'undici RetryAgent': () => makeUndiciClient(new undici.RetryAgent(new undici.Agent())),
  'undici composed with a redirect': () =>
    makeUndiciClient(new undici.Agent().compose(undici.interceptors.redirect({ maxRedirections: 2 })) as undici.Agent),
  'undici as global dispatcher': () => {
    const before = undici.getGlobalDispatcher();
    const agent = new undici.Agent();
    undici.setGlobalDispatcher(agent);
    const client = makeFetchClient((url, init) => fetch(url, init));
    return {
      ...client,
      close: async () => {
        undici.setGlobalDispatcher(before);
        await agent.close();
      },
    };
  },
  'https.request with the global agent': () => makeNodeClient(undefined),
  'https.request with an own agent that keeps alive': () =>
    makeNodeClient((isSecure) => new (isSecure ? https : http).Agent({ keepAlive: true })),
  'https.request with an own agent of two sockets': () =>
    makeNodeClient((isSecure) => new (isSecure ? https : http).Agent({ keepAlive: true, maxSockets: 2 })),
  'https.request with an own agent of three sockets in all': () =>
    makeNodeClient((isSecure) => new (isSecure ? https : http).Agent({ keepAlive: true, maxTotalSockets: 3 })),
  'https.request without an agent': () => makeNodeClient(() => false),
  axios: () => ({
    ask: async (url, { body, signal, onChunk }) => {
      const data = typeof body === 'string' ? body : (await import('node:stream')).Readable.from(body);
      const { status, data: stream } = await axios.post<IncomingMessage>(url, data, {
        headers,
        responseType: 'stream',
        proxy: false,
        ...(signal && { signal }),
      });
      return { status, text: await readAll(stream, onChunk) };
    },
  }),
  got: () => ({
    ask: async (url, { body, signal, onChunk }) => {
      const stream = got.stream.post(url, {
        headers,
        retry: { limit: 0 },
        ...(signal && { signal }),
        body: body as string,
      });
      const text = await readAll(stream, onChunk);
      return { status: stream.response?.statusCode ?? 0, text };
    },
  }),
  'node-fetch': () =>
    makeFetchClient(
      async (url, init) => nodeFetch(url, { ...init, body: await toNodeBody(init?.body) } as never) as never,
    ),
};

export const clientNames: readonly string[] = Object.keys(clients);

/** A new one of its style. */
export function makeClient(name: string, origin: string): Client {
  const make = clients[name];
  if (make === undefined) throw new Error(`no client is called ${name}`);
  return make(origin);
}

async function toNodeBody(body: unknown): Promise<unknown> {
  return typeof body === 'string' ? body : (await import('node:stream')).Readable.from(body as AsyncIterable<Buffer>);
}

function makeFetchClient(request: (url: string, init: RequestInit) => Promise<Response>): Client {
  return {
    ask: async (url, { body, signal, onChunk }) => {
      const init = { method, headers, body: body as string, duplex: 'half', ...(signal && { signal }) };
      const response = await request(url, init as RequestInit);
      const { status } = response;
      return { status, text: await readAll(response.body as unknown as AsyncIterable<Uint8Array>, onChunk) };
    },
  };
}

function makeUndiciClient(dispatcher: undici.Dispatcher | undefined): Client {
  return {
    ask: async (url, { body, signal, onChunk }) => {
      const { statusCode, body: stream } = await undici.request(url, {
        method,
        headers,
        body: body as string,
        ...(signal && { signal }),
        ...(dispatcher && { dispatcher }),
      });
      return { status: statusCode, text: await readAll(stream, onChunk) };
    },
    close: async () => {
      await dispatcher?.close();
    },
  };
}

function makeNodeClient(makeAgent: ((isSecure: boolean) => http.Agent | false) | undefined): Client {
  const agents = new Map<boolean, http.Agent | false>();
  return {
    ask: (url, { body, signal, onChunk }) =>
      new Promise((resolve, reject) => {
        const isSecure = url.startsWith('https:');
        const agent = agents.get(isSecure) ?? makeAgent?.(isSecure);
        if (agent !== undefined) agents.set(isSecure, agent);
        const options = { method, headers, ...(signal && { signal }), ...(agent !== undefined && { agent }) };
        const request = (isSecure ? https : http).request(url, options, (response) => {
          readAll(response, onChunk).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
        });
        request.on('error', reject);
        if (typeof body === 'string') request.end(body);
        else import('node:stream').then(({ Readable }) => Readable.from(body).pipe(request), reject);
      }),
    close: () => {
      for (const agent of agents.values()) if (agent !== false) agent.destroy();
    },
  };
}

async function readAll(stream: AsyncIterable<Uint8Array | string>, onChunk?: (chunk: string) => void): Promise<string> {
  let text = '';
  for await (const piece of stream) {
    const chunk = Buffer.from(piece as Uint8Array).toString();
    onChunk?.(chunk);
    text += chunk;
  }
  return text;
}

/** Sends one message and resolves with the first that comes back. */
export function echoOver(url: string, message: string, options: WebSocket.ClientOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, options);
    socket.on('open', () => socket.send(message));
    socket.on('message', (data) => {
      socket.close();
      resolve((data as Buffer).toString());
    });
    socket.on('error', reject);
  });
}

/** One request over a session of HTTP/2. */
export function askOver(session: http2.ClientHttp2Session, path: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':method': method, ...headers });
    let status = 0;
    stream.on('response', (reply) => {
      status = Number(reply[':status']);
    });
    readAll(stream).then((text) => resolve({ status, text }), reject);
    stream.end(body);
  });
}
