// A relay that does nothing but relay, over HTTP/2 as over HTTP/1.1, out of what the tap is made of: node:http2 both ways, and
// node:http with undici. What the two differ by in it is Node's own; nothing is read, recorded or bounded.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { Pool } from 'undici';
import { openAuthority } from '../../dist/ca/authority.js';
import { makeSerial } from '../../dist/ca/certificate.js';
import { makeIssuer, makeLeaf } from '../../dist/ca/leaf.js';

const [upstreamPort, upstreamCaPath] = process.argv.slice(2);
const host = 'api.openai.com';
const upstream = {
  host: '127.0.0.1',
  port: Number(upstreamPort),
  servername: host,
  ca: readFileSync(upstreamCaPath, 'utf8'),
};
const home = mkdtempSync(join(tmpdir(), 'llmtap-bench-relay-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
const authority = openAuthority(home);
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const leaf = { issuer: makeIssuer(authority), host, leafPublicKey: pair.publicKey };
const { certPem: cert } = makeLeaf({ ...leaf, nowMs: Date.now(), serial: makeSerial() });
const key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' });
const ignore = () => undefined;

const pool = new Pool(`https://127.0.0.1:${upstream.port}`, {
  connections: 256,
  connect: { ca: upstream.ca, servername: host, ALPNProtocols: ['http/1.1'] },
});
const http1 = http.createServer((request, response) => {
  const asked = [];
  request
    .on('data', (piece) => asked.push(piece))
    .on('end', () => {
      const told = [];
      pool.dispatch(
        { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(asked) },
        {
          onConnect: ignore,
          onHeaders(status, headers) {
            response.writeHead(status, headers.map(String));
            return true;
          },
          onData: (piece) => told.push(piece) > 0,
          onComplete: () => response.end(Buffer.concat(told)),
          onError: (error) => response.destroy(error),
        },
      );
    });
});

const session = http2.connect(`https://${host}`, {
  createConnection: () => tls.connect({ ...upstream, ALPNProtocols: ['h2'], noDelay: true }),
});
session.on('error', ignore);

function relayStream(stream, asked) {
  const pieces = [];
  stream.on('error', ignore);
  stream
    .on('data', (piece) => pieces.push(piece))
    .on('end', () => {
      const { ':scheme': _scheme, ':authority': _authority, ...headers } = asked;
      const request = session.request(headers, { endStream: false });
      const told = [];
      let head = {};
      request.on('error', ignore).end(Buffer.concat(pieces));
      request.on('response', (received) => {
        head = received;
      });
      request
        .on('data', (piece) => told.push(piece))
        .on('end', () => {
          stream.respond(head, { sendDate: false });
          stream.end(Buffer.concat(told));
        });
    });
}

const secure = tls.createServer({ key, cert, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
  socket.on('error', ignore);
  if (socket.alpnProtocol !== 'h2') return void http1.emit('connection', socket);
  http2
    .performServerHandshake(socket, { settings: { maxConcurrentStreams: 256 } })
    .on('stream', relayStream)
    .on('error', ignore);
});
const door = net.createServer({ noDelay: true }, (socket) => {
  socket.on('error', ignore);
  // A CONNECT, in one piece.
  socket.once('data', () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    secure.emit('connection', socket);
  });
});
door.listen(0, '127.0.0.1', () =>
  process.send?.({ port: door.address().port, ca: readFileSync(authority.certPath, 'utf8') }),
);
process.on('message', ({ id }) => process.send?.({ id, answer: process.cpuUsage() }));
process.on('disconnect', () => process.exit(0));
