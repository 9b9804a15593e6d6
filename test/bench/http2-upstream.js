// A provider that speaks HTTP/2 and HTTP/1.1 on one port, with the same JSON answer for both.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuthority } from '../../dist/ca/authority.js';
import { makeSerial } from '../../dist/ca/certificate.js';
import { makeIssuer, makeLeaf } from '../../dist/ca/leaf.js';

const home = mkdtempSync(join(tmpdir(), 'llmtap-bench-http2-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
const authority = openAuthority(home);
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const leaf = { issuer: makeIssuer(authority), host: 'api.openai.com', leafPublicKey: pair.publicKey };
const { certPem: cert } = makeLeaf({ ...leaf, nowMs: Date.now(), serial: makeSerial() });
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
const json = { 'content-type': 'application/json', 'content-length': reply.length };

const server = http2.createSecureServer({
  key: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  cert,
  allowHTTP1: true,
});
// As node:http's servers do by themselves, and every provider.
server.on('connection', (socket) => socket.setNoDelay(true));
server.on('stream', (stream) => {
  stream.resume().on('end', () => {
    stream.respond({ ':status': 200, ...json });
    stream.end(reply);
  });
  stream.on('error', () => undefined);
});
server.on('request', (request, response) => {
  if (request.httpVersionMajor === 2) return;
  request.resume().on('end', () => response.writeHead(200, json).end(reply));
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port, caPath: authority.certPath }));
process.on('disconnect', () => process.exit(0));
