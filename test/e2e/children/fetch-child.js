/**
 * Calls a chat model by one of Node's own clients and prints what it answers.
 *
 *   node fetch-child.js CLIENT URL [ROUNDS]
 *
 * CLIENT is `fetch`, `request` (http or https), `agent` (with an agent of its own) or `undici`. Each round is a call, a
 * stream, and eight of both at once.
 */
import http from 'node:http';
import https from 'node:https';

const [client = 'fetch', base = '', rounds = '1'] = process.argv.slice(2);
const url = `${base}/v1/chat/completions`;
const own = base.startsWith('https:') ? https : http;
const agent = new own.Agent({ keepAlive: true });
const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-example' };

function request(body, options) {
  return new Promise((resolve, reject) => {
    const call = own.request(url, { method: 'POST', headers, ...options }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (piece) => {
        text += piece;
      });
      response.on('end', () => resolve(text)).on('error', reject);
    });
    call.on('error', reject).end(body);
  });
}

const clients = {
  fetch: async (body) => await (await fetch(url, { method: 'POST', headers, body })).text(),
  request: async (body) => await request(body, {}),
  agent: async (body) => await request(body, { agent }),
  undici: async (body) => {
    const undici = await import('undici');
    return await (await undici.request(url, { method: 'POST', headers, body })).body.text();
  },
};

async function ask(model, stream) {
  const text = await clients[client](
    JSON.stringify({ model, stream, messages: [{ role: 'user', content: `Hello from ${client}.` }] }),
  );
  if (!text.includes('You') || (stream && !text.includes('[DONE]'))) throw new Error(`${model}: ${text}`);
}

for (let round = 0; round < Number(rounds); round += 1) {
  await ask(`${client}-${round}-json`, false);
  await ask(`${client}-${round}-stream`, true);
  await Promise.all(Array.from({ length: 8 }, (_, i) => ask(`${client}-${round}-together-${i}`, i % 2 === 0)));
}
console.log(`done ${rounds}`);
