// A hundred calls at a time: as streams of one connection of HTTP/2, and over a hundred sockets of HTTP/1.1. Both by the
// client Node brings for each, through the same tap to the same provider, which speaks both; and to it without a tap, for
// that is what the two clients and servers differ by themselves.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';

const host = 'api.openai.com';
const lanes = 100;
const body = JSON.stringify({
  model: 'gpt-4o',
  messages: [
    { role: 'system', content: 'You are terse.' },
    { role: 'user', content: 'word '.repeat(600) },
  ],
});
const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-bench-0000000000000000' };
const path = '/v1/chat/completions';

/** @param peer where to connect to: a tap, to be asked for a tunnel, or a provider with its CA */
async function openTls(peer, protocol) {
  const socket = net.connect({ port: peer.port, host: '127.0.0.1', noDelay: true });
  if (peer.caPath === undefined) {
    socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
  }
  const ca = peer.ca ?? readFileSync(peer.caPath, 'utf8');
  const secure = tls.connect({ socket, servername: host, ca, ALPNProtocols: [protocol] });
  await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
  return secure;
}

async function openHttp2(peer) {
  const secure = await openTls(peer, 'h2');
  const session = http2.connect(`https://${host}`, { createConnection: () => secure });
  const ask = () =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-length': body.length, ...headers });
      let bytes = 0;
      let status = 0;
      stream.on('response', (head) => {
        status = head[':status'];
      });
      stream.on('data', (chunk) => {
        bytes += chunk.length;
      });
      stream.on('error', reject).on('end', () => resolve({ status, bytes }));
      stream.end(body);
    });
  return { ask, close: () => session.destroy() };
}

function openHttp1(peer) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: lanes });
  agent.createConnection = (_options, done) => {
    openTls(peer, 'http/1.1').then(
      (secure) => done(null, secure),
      (error) => done(error),
    );
  };
  const ask = () =>
    new Promise((resolve, reject) => {
      const length = { 'content-length': body.length };
      const request = http.request(
        { host, path, method: 'POST', agent, headers: { ...headers, ...length } },
        (reply) => {
          let bytes = 0;
          reply.on('data', (chunk) => {
            bytes += chunk.length;
          });
          reply.on('end', () => resolve({ status: reply.statusCode, bytes }));
        },
      );
      request.on('error', reject).end(body);
    });
  return { ask, close: () => agent.destroy() };
}

async function askAll(way, calls) {
  let left = calls;
  const begin = performance.now();
  const lane = async () => {
    while (left-- > 0) {
      const { status, bytes } = await way.ask();
      if (status !== 200 || bytes < 1000) throw new Error(`a call was lost: status ${status}, ${bytes} bytes`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return performance.now() - begin;
}

/**
 * Calls a second each way, and CPU of the tap for a call in milliseconds; in turns.
 *
 * @param provider what the tap leads to, for the ways without it; none when absent
 */
export async function measureStreams(tap, { calls, rounds, provider }) {
  const ways = { h2: await openHttp2(tap), h1: openHttp1(tap) };
  if (provider !== undefined)
    Object.assign(ways, { directH2: await openHttp2(provider), directH1: openHttp1(provider) });
  const names = Object.keys(ways);
  const measured = Object.fromEntries(names.flatMap((name) => [name, `${name}CpuMs`]).map((key) => [key, []]));
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const before = await tap.ask('cpu');
      const tookMs = await askAll(ways[name], calls);
      const after = await tap.ask('cpu');
      // The first round warms up.
      if (round < 0) continue;
      measured[name].push((calls / tookMs) * 1000);
      measured[`${name}CpuMs`].push((after.user + after.system - before.user - before.system) / 1000 / calls);
    }
  }
  for (const way of Object.values(ways)) way.close();
  return measured;
}
