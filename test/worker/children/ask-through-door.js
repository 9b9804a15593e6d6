/** Makes one call through a door given by its URL and says when it had its answer: `{ status, at }`. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const [proxyUrl, caPath] = process.argv.slice(2);
const { hostname, port } = new URL(proxyUrl);
const connect = http.request({ hostname, port, method: 'CONNECT', path: 'api.openai.com:443' });
connect.once('connect', (_response, socket) => {
  const request = https.request(
    {
      host: 'api.openai.com',
      path: '/v1/chat/completions',
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
      socket,
      agent: false,
      ca: readFileSync(caPath, 'utf8'),
    },
    (response) => {
      response.resume().once('end', () => {
        process.stdout.write(JSON.stringify({ status: response.statusCode, at: Date.now() }));
        socket.destroy();
      });
    },
  );
  request.end(JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }));
});
connect.end();
