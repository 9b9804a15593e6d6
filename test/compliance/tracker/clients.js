// Every client of the compliance suite, asked the same way: in the test's own process, and as a child:
// node clients.js NAME ask|stream TEXT BASES, where BASES is JSON of the providers' base URLs.

import http from 'node:http';
import https from 'node:https';
import { pathToFileURL } from 'node:url';

const system = 'You are terse.';
const key = 'sk-compliance-000000000000000000';

/** A chat request as a client without a library of its own would send it. */
function makeChat(text, stream) {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: text },
  ];
  const usage = stream ? { stream_options: { include_usage: true } } : {};
  return JSON.stringify({ model: 'gpt-4o-mini', stream, messages, ...usage });
}

const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };

/** The text of a chat reply, or of all its frames. */
function readChat(reply, stream) {
  if (!stream) return JSON.parse(reply).choices[0].message.content;
  const frames = [...reply.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json));
  return frames.map((frame) => frame.choices[0]?.delta.content ?? '').join('');
}

async function join(pieces, read) {
  let text = '';
  for await (const piece of pieces) text += read(piece) ?? '';
  return text;
}

/** One way to send the chat by hand: `send(url, body, stream)` gives the reply's text. */
function makeByHand(send) {
  return ({ openai }) => {
    const url = `${openai}/chat/completions`;
    return {
      ask: async (text) => readChat(await send(url, makeChat(text, false), false), false),
      stream: async (text) => readChat(await send(url, makeChat(text, true), true), true),
    };
  };
}

const requestByHand = (makeOptions) => {
  const kept = makeOptions();
  return makeByHand(
    (url, body) =>
      new Promise((resolve, reject) => {
        const module = url.startsWith('https') ? https : http;
        const options = kept === null ? {} : { agent: kept[url.startsWith('https') ? 'https' : 'http'] };
        const request = module.request(url, { method: 'POST', headers, ...options }, (reply) => {
          resolve(join(reply.setEncoding('utf8'), (piece) => piece));
        });
        request.on('error', reject).end(body);
      }),
  );
};

/** Each makes its client once, so that it is shared by every scope that asks it. */
export const clients = {
  openai: async ({ openai }) => {
    const { default: OpenAI } = await import('openai');
    const client = new OpenAI({ apiKey: key, baseURL: openai, maxRetries: 0 });
    const make = (text) => ({
      model: 'gpt-4o-mini',
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: text },
      ],
    });
    return {
      ask: async (text) => (await client.chat.completions.create(make(text))).choices[0].message.content,
      stream: async (text) =>
        await join(
          await client.chat.completions.create({ ...make(text), stream: true }),
          (chunk) => chunk.choices[0]?.delta.content,
        ),
    };
  },
  'openai responses': async ({ openai }) => {
    const { default: OpenAI } = await import('openai');
    const client = new OpenAI({ apiKey: key, baseURL: openai, maxRetries: 0 });
    const make = (text) => ({ model: 'gpt-4o-mini', instructions: system, input: text });
    return {
      ask: async (text) => (await client.responses.create(make(text))).output_text,
      stream: async (text) =>
        await join(await client.responses.create({ ...make(text), stream: true }), (event) =>
          event.type === 'response.output_text.delta' ? event.delta : '',
        ),
    };
  },
  '@anthropic-ai/sdk': async ({ anthropic }) => {
    const { default: Anthropic } = await import('@anthropic-ai/sdk');
    const client = new Anthropic({ apiKey: key, baseURL: anthropic, maxRetries: 0 });
    const make = (text) => ({
      model: 'claude-3-5-haiku-latest',
      max_tokens: 500,
      system,
      messages: [{ role: 'user', content: text }],
    });
    return {
      ask: async (text) => (await client.messages.create(make(text))).content[0].text,
      stream: async (text) =>
        await join(await client.messages.create({ ...make(text), stream: true }), (event) => event.delta?.text),
    };
  },
  '@google/genai': async ({ google }) => {
    const { GoogleGenAI } = await import('@google/genai');
    const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: google } });
    const make = (text) => ({ model: 'gemini-2.0-flash', contents: text, config: { systemInstruction: system } });
    return {
      ask: async (text) => (await client.models.generateContent(make(text))).text,
      stream: async (text) => await join(await client.models.generateContentStream(make(text)), (chunk) => chunk.text),
    };
  },
  'ai with @ai-sdk/openai': async ({ openai }) => {
    const [{ generateText, streamText }, { createOpenAI }] = await Promise.all([
      import('ai'),
      import('@ai-sdk/openai'),
    ]);
    const provider = createOpenAI({ apiKey: key, baseURL: openai });
    const make = (prompt) => ({ model: provider.chat('gpt-4o-mini'), system, prompt, maxRetries: 0 });
    return {
      ask: async (text) => (await generateText(make(text))).text,
      stream: async (text) => await join(streamText(make(text)).textStream, (piece) => piece),
    };
  },
  '@langchain/openai': async ({ openai }) => {
    const { ChatOpenAI } = await import('@langchain/openai');
    const model = new ChatOpenAI({
      apiKey: key,
      model: 'gpt-4o-mini',
      maxRetries: 0,
      configuration: { baseURL: openai },
    });
    const make = (text) => [
      ['system', system],
      ['user', text],
    ];
    return {
      ask: async (text) => (await model.invoke(make(text))).content,
      stream: async (text) => await join(await model.stream(make(text)), (chunk) => chunk.content),
    };
  },
  axios: async (bases) => {
    const { default: axios } = await import('axios');
    return makeByHand(async (url, body) => {
      const { data } = await axios.post(url, body, {
        headers,
        responseType: 'text',
        transformResponse: (text) => text,
      });
      return data;
    })(bases);
  },
  got: async (bases) => {
    const { default: got } = await import('got');
    return makeByHand(async (url, body) => await got.post(url, { headers, body, retry: { limit: 0 } }).text())(bases);
  },
  'node-fetch': async (bases) => {
    const { default: fetch } = await import('node-fetch');
    return makeByHand(async (url, body) => await (await fetch(url, { method: 'POST', headers, body })).text())(bases);
  },
  'built-in fetch': async (bases) =>
    makeByHand(async (url, body) => await (await fetch(url, { method: 'POST', headers, body })).text())(bases),
  'undici fetch': async (bases) => {
    const undici = await import('undici');
    return makeByHand(async (url, body) => await (await undici.fetch(url, { method: 'POST', headers, body })).text())(
      bases,
    );
  },
  'undici request': async (bases) => {
    const undici = await import('undici');
    return makeByHand(
      async (url, body) => await (await undici.request(url, { method: 'POST', headers, body })).body.text(),
    )(bases);
  },
  'undici with an agent of its own': async (bases) => {
    const undici = await import('undici');
    const dispatcher = new undici.Agent({ connections: 4 });
    return makeByHand(
      async (url, body) => await (await undici.request(url, { method: 'POST', headers, body, dispatcher })).body.text(),
    )(bases);
  },
  'https.request': async (bases) => requestByHand(() => null)(bases),
  'https.request with an agent of its own': async (bases) =>
    requestByHand(() => ({ https: new https.Agent({ keepAlive: true }), http: new http.Agent({ keepAlive: true }) }))(
      bases,
    ),
  'the AWS SDK’s handler': async (bases) => {
    const [{ NodeHttpHandler }, { HttpRequest }] = await Promise.all([
      import('@smithy/node-http-handler'),
      import('@smithy/protocol-http'),
    ]);
    const handler = new NodeHttpHandler();
    return makeByHand(async (url, body) => {
      const { protocol, hostname, port, pathname } = new URL(url);
      const place = { protocol, hostname, ...(port === '' ? {} : { port: Number(port) }), path: pathname };
      const request = new HttpRequest({ ...place, method: 'POST', headers: { ...headers, host: hostname }, body });
      const { response } = await handler.handle(request);
      return await join(response.body.setEncoding('utf8'), (piece) => piece);
    })(bases);
  },
};

const [, file, name, way, text, bases] = process.argv;
if (file !== undefined && import.meta.url === pathToFileURL(file).href && name !== undefined) {
  const client = await clients[name](JSON.parse(bases));
  process.stdout.write(`${await client[way](text)}\n`);
}
